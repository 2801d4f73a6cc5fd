#include <tenon/memory/element_row.hpp>

#include <tenon/base/contract.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace tenon {

bool ElementRow::look() noexcept {
  elements_ = loaded(layout_->elements);
  size_ = loaded(layout_->size);
  capacity_ = loaded(layout_->capacity);
  if (elements_ == 0) {
    return size_ == 0 && capacity_ == 0;
  }
  const Arena& arena = segment_->arena();
  return size_ <= capacity_ && capacity_ <= arena.size() / element_.size &&
         arena.bytes(elements_, capacity_ * element_.size, element_.alignment) != nullptr;
}

Result<ElementRow> ElementRow::in(LockedSegment& segment, RowLayout& layout, RowElement element) {
  expects(segment.arena().holds(&layout, sizeof(layout)), "a container is used with the segment that it stands in");
  ElementRow row(segment, layout, element);
  if (!row.look()) {
    return fail(Error(Errc::corrupt, "segment").because("a container's elements cannot stand where it says"));
  }
  return row;
}

// A new block with the first `kept` elements and `count` more; the old one is freed last, for `more` may stand in it.
Result<void> ElementRow::move_to(std::uint64_t capacity, std::uint64_t kept, const void* more, std::uint64_t count) {
  const std::uint64_t bytes =
      capacity <= segment_most_bytes / element_.size ? capacity * element_.size : segment_most_bytes;
  return segment_->with_room(bytes, [&]() -> Result<void> {
    Transaction transaction(segment_->journal());
    Allocator allocator = segment_->allocator();
    auto block = allocator.allocate(bytes, element_.alignment);
    if (!block) {
      return fail(std::move(block.error()));
    }
    std::byte* const fresh = segment_->arena().base() + *block;
    if (kept > 0) {
      std::memcpy(fresh, elements(), kept * element_.size);
    }
    if (count > 0) {
      std::memcpy(fresh + kept * element_.size, more, count * element_.size);
    }
    transaction.put(layout_->elements, *block);
    transaction.put(layout_->size, kept + count);
    transaction.put(layout_->capacity, capacity);
    if (elements_ != 0) {
      if (auto freed = allocator.free(elements_); !freed) {
        return freed;
      }
    }
    transaction.commit();
    elements_ = *block;
    size_ = kept + count;
    capacity_ = capacity;
    return {};
  });
}

std::uint64_t ElementRow::larger(std::uint64_t needed) const noexcept {
  constexpr std::uint64_t least_bytes = 64;
  return std::max({needed, capacity_ * 2, least_bytes / element_.size});
}

Result<void> ElementRow::reserve(std::uint64_t capacity) {
  return capacity <= capacity_ ? Result<void>() : move_to(capacity, size_, nullptr, 0);
}

// What stands behind the last element does not count before this, and does from then on.
void ElementRow::count(std::uint64_t size) noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);  // J3: elements before their count
  // relaxed: J3 stands before it
  std::atomic_ref(layout_->size).store(size, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // J3: and before what comes next
  size_ = size;
}

Result<void> ElementRow::append(const void* elements, std::uint64_t count) {
  if (count > capacity_ - size_) {
    const std::uint64_t needed = size_ + std::min(count, segment_most_bytes);
    return move_to(larger(needed), size_, elements, count);
  }
  if (count > 0) {
    std::memcpy(this->elements() + size_ * element_.size, elements, count * element_.size);
    this->count(size_ + count);
  }
  return {};
}

Result<void> ElementRow::assign(const void* elements, std::uint64_t count) {
  return count == 0 ? clear() : move_to(count, 0, elements, count);
}

Result<void> ElementRow::insert(std::uint64_t index, const void* element) {
  expects(index <= size_, "an element is inserted before an element, or behind the last");
  if (index == size_) {
    return append(element, 1);
  }
  if (size_ == capacity_) {
    if (auto reserved = reserve(larger(size_ + 1)); !reserved) {
      return reserved;
    }
  }
  const ElementRun run{.elements = elements_, .element_size = element_.size, .size_word = &layout_->size};
  segment_->gap().insert(run, index, size_, element);
  ++size_;
  return {};
}

void ElementRow::erase(std::uint64_t index) {
  expects(index < size_, "an element that is removed is there");
  if (index + 1 == size_) {
    count(index);
    return;
  }
  const ElementRun run{.elements = elements_, .element_size = element_.size, .size_word = &layout_->size};
  segment_->gap().erase(run, index, size_);
  --size_;
}

void ElementRow::set(std::uint64_t index, const void* element) {
  expects(index < size_, "an element that is overwritten is there");
  std::byte* const place = elements() + index * element_.size;
  Transaction transaction(segment_->journal());
  transaction.journal().keep_bytes(place, element_.size);
  std::memcpy(place, element, element_.size);
  transaction.commit();
}

Result<void> ElementRow::clear() {
  if (elements_ == 0) {
    return {};
  }
  Transaction transaction(segment_->journal());
  auto freed = segment_->allocator().free(elements_);
  if (freed) {
    transaction.put(layout_->elements, 0);
    transaction.put(layout_->size, 0);
    transaction.put(layout_->capacity, 0);
    transaction.commit();
    elements_ = size_ = capacity_ = 0;
  }
  return freed;
}

}  // namespace tenon

#include <tenon/memory/gap.hpp>

#include <atomic>
#include <cstring>

namespace tenon {

void Gap::begin(const ElementRun& run, std::uint64_t at, std::uint64_t last, std::uint64_t size) noexcept {
  layout_->elements = run.elements;
  layout_->element_size = run.element_size;
  layout_->at = at;
  layout_->last = last;
  layout_->size_word = arena_.offset_of(run.size_word);
  layout_->size = size;
  std::atomic_signal_fence(std::memory_order_seq_cst);  // G1
  // relaxed: G1 stands before it, G2 behind it
  std::atomic_ref(layout_->active).store(1, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // G2
}

void Gap::end(std::uint64_t& size_word, std::uint64_t size) noexcept {
  // relaxed: G4 stands behind it
  std::atomic_ref(size_word).store(size, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // G4
  // relaxed: G4 stands before it
  std::atomic_ref(layout_->active).store(0, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // G1: the next fields are not written before this
}

void Gap::move(std::byte* elements, std::uint64_t element_size, std::uint64_t from, std::uint64_t to) noexcept {
  while (from != to) {
    const std::uint64_t neighbour = from < to ? from + 1 : from - 1;
    std::memcpy(elements + from * element_size, elements + neighbour * element_size, element_size);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // G3
    // relaxed: G3 stands before and behind it
    std::atomic_ref(layout_->at).store(neighbour, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // G3
    from = neighbour;
  }
}

void Gap::insert(const ElementRun& run, std::uint64_t index, std::uint64_t count, const void* element) noexcept {
  std::byte* const elements = arena_.base() + run.elements;
  begin(run, count, count, count);
  move(elements, run.element_size, count, index);
  std::memcpy(elements + index * run.element_size, element, run.element_size);
  end(*run.size_word, count + 1);
}

void Gap::erase(const ElementRun& run, std::uint64_t index, std::uint64_t count) noexcept {
  begin(run, index, count - 1, count - 1);
  move(arena_.base() + run.elements, run.element_size, index, count - 1);
  end(*run.size_word, count - 1);
}

bool Gap::finish() noexcept {
  const std::uint64_t element_size = loaded(layout_->element_size);
  const std::uint64_t at = loaded(layout_->at);
  const std::uint64_t last = loaded(layout_->last);
  const std::uint64_t size = loaded(layout_->size);
  std::uint64_t* const size_word = arena_.at<std::uint64_t>(loaded(layout_->size_word));
  const bool possible = element_size > 0 && at <= last && size <= last + 1 && last < arena_.size() / element_size;
  std::byte* const elements =
      possible ? arena_.bytes(loaded(layout_->elements), (last + 1) * element_size, 1) : nullptr;
  if (elements == nullptr || size_word == nullptr) {
    return false;
  }
  move(elements, element_size, at, last);
  end(*size_word, size);
  return true;
}

}  // namespace tenon

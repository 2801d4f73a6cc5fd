#include <tenon/memory/journal.hpp>

namespace tenon {

void Journal::keep_bytes(const void* place, std::uint64_t length) noexcept {
  const std::uint64_t begin = arena_.offset_of(place) / sizeof(std::uint64_t) * sizeof(std::uint64_t);
  const std::uint64_t end = arena_.offset_of(place) + length;
  for (std::uint64_t offset = begin; offset < end; offset += sizeof(std::uint64_t)) {
    keep(*reinterpret_cast<std::uint64_t*>(arena_.base() + offset));
  }
}

// A word of the header that changes under the lock, or one behind the header.
std::uint64_t* Journal::journalled_word(std::uint64_t offset) const noexcept {
  if (offset >= segment_arena) {
    return arena_.at<std::uint64_t>(offset);
  }
  const bool changes = offset >= offsetof(SegmentHeader, size) && offset < offsetof(SegmentHeader, journal);
  return changes && offset % sizeof(std::uint64_t) == 0 ? reinterpret_cast<std::uint64_t*>(arena_.base() + offset)
                                                        : nullptr;
}

bool Journal::roll_back() noexcept {
  const std::uint64_t count = loaded(layout_->count);
  if (count > JournalLayout::capacity) {
    return false;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    if (journalled_word(loaded(layout_->records[i].offset)) == nullptr) {
      return false;
    }
  }
  // The latest first: of several records of one word the earliest has the value from before.
  for (std::uint64_t i = count; i-- > 0;) {
    if (std::uint64_t* const word = journalled_word(loaded(layout_->records[i].offset))) {
      // relaxed: in program order, and J3 stands behind it
      std::atomic_ref(*word).store(loaded(layout_->records[i].old_value), std::memory_order_relaxed);
    }
  }
  commit();
  return true;
}

}  // namespace tenon

#pragma once
/// The bytes of a segment as far as they may be touched now, and what stands at an offset, if it may stand there.
#include <tenon/memory/segment_layout.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tenon {

/// A word of shared memory, read once: whoever may write it may change it after it was checked.
inline std::uint64_t loaded(const std::uint64_t& word) noexcept {
  // relaxed: the segment's lock orders it
  return std::atomic_ref(const_cast<std::uint64_t&>(word)).load(std::memory_order_relaxed);
}

/// Threads: whoever holds the segment's lock.
class Arena {
 public:
  Arena(std::byte* base, std::uint64_t size) noexcept : base_(base), size_(size) {}

  std::byte* base() const noexcept { return base_; }
  std::uint64_t size() const noexcept { return size_; }

  /// `length` bytes from `offset` on; nullptr unless all of them stand behind the header and before the end, aligned.
  std::byte* bytes(std::uint64_t offset, std::uint64_t length, std::uint64_t alignment) const noexcept {
    const bool inside = offset >= segment_arena && length <= size_ && offset <= size_ - length;
    return inside && offset % alignment == 0 ? base_ + offset : nullptr;
  }
  template <class T>
  T* at(std::uint64_t offset) const noexcept {
    return reinterpret_cast<T*>(bytes(offset, sizeof(T), alignof(T)));
  }

  /// Where `place`, which stands in the segment, stands in it.
  std::uint64_t offset_of(const void* place) const noexcept {
    return static_cast<std::uint64_t>(static_cast<const std::byte*>(place) - base_);
  }
  bool holds(const void* place, std::uint64_t length) const noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(place);
    const auto begin = reinterpret_cast<std::uintptr_t>(base_);
    return address >= begin + segment_arena && address - begin <= size_ && length <= size_ - (address - begin);
  }

 private:
  std::byte* base_;
  std::uint64_t size_;
};

}  // namespace tenon

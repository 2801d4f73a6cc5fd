#pragma once
/// A bare ring of bytes for one sender and one receiver, which copy each message in and out: what a stream can be at
/// best. Nobody sleeps, dies, lies or is told anything.
///
/// Layout: a line of its own each for the head and the tail, then the bytes.
///
///   S1  store-release of the head (write) → load-acquire (read): publishes the bytes up to it.
///   S2  store-release of the tail (read) → load-acquire (write): frees the bytes up to it.
#include <tenon/base/cache_line.hpp>
#include <harness/spin.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace streams {

/// Each end has one, over the same memory. `capacity` is a power of two.
class ByteRing {
  using Word = std::uint64_t;
  using Shared = std::atomic_ref<Word>;

 public:
  static constexpr std::size_t shared_bytes(std::size_t capacity) { return 4 * tenon::cache_line + capacity; }

  ByteRing(std::byte* memory, std::size_t capacity)
      : head_(reinterpret_cast<Word*>(memory)),
        tail_(reinterpret_cast<Word*>(memory + 2 * tenon::cache_line)),
        bytes_(memory + 4 * tenon::cache_line),
        capacity_(capacity),
        piece_(std::min<std::size_t>(std::max<std::size_t>(capacity / 4, 1), std::size_t{64} << 10)) {}

  void write(const std::byte* from, std::size_t size) {
    while (size != 0) {
      const std::size_t count = std::min(size, piece_);
      if (capacity_ - (at_ - known_) < count) [[unlikely]] {
        harness::relaxed_spin_until([&] {
          known_ = Shared(*tail_).load(std::memory_order_acquire);  // S2
          return capacity_ - (at_ - known_) >= count;
        });
      }
      const std::size_t place = at_ & (capacity_ - 1);
      const std::size_t first = std::min(count, capacity_ - place);
      std::memcpy(bytes_ + place, from, first);
      if (first != count) [[unlikely]] {
        std::memcpy(bytes_, from + first, count - first);
      }
      at_ += count;
      Shared(*head_).store(at_, std::memory_order_release);  // S1
      from += count;
      size -= count;
    }
  }
  void read(std::byte* into, std::size_t size) {
    while (size != 0) {
      const std::size_t count = std::min(size, piece_);
      if (known_ - at_ < count) [[unlikely]] {
        harness::relaxed_spin_until([&] {
          known_ = Shared(*head_).load(std::memory_order_acquire);  // S1
          return known_ - at_ >= count;
        });
      }
      const std::size_t place = at_ & (capacity_ - 1);
      const std::size_t first = std::min(count, capacity_ - place);
      std::memcpy(into, bytes_ + place, first);
      if (first != count) [[unlikely]] {
        std::memcpy(into + first, bytes_, count - first);
      }
      at_ += count;
      Shared(*tail_).store(at_, std::memory_order_release);  // S2
      into += count;
      size -= count;
    }
  }

 private:
  Word* head_;
  Word* tail_;
  std::byte* bytes_;
  std::size_t capacity_;
  std::size_t piece_;
  Word at_ = 0;     // each end's own
  Word known_ = 0;  // of the other's
};

}  // namespace streams

#pragma once
/// A bare ring for one sender and one receiver, whose slots say themselves that they are full: the least latency.
///
/// Layout: a line of its own for the receiver's count, then the slots. A slot's first word is the number of its message
/// plus one, the rest is the payload. A slot of 8 bytes has no rest: its number is the message.
///
///   S1  store-release of a slot's number (put) → load-acquire (take): publishes the payload.
///   S2  store-release of the receiver's count (take) → load-acquire (put): frees slots.
#include <tenon/base/cache_line.hpp>
#include <harness/payload.hpp>
#include <harness/spin.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace limits {

template <std::size_t slot_bytes>
class SequencedRing {
  using Word = std::uint64_t;
  using Shared = std::atomic_ref<Word>;

 public:
  static constexpr const char* family = "sequenced ring";
  static constexpr std::size_t payload_words = slot_bytes / 8 - 1;
  static constexpr std::size_t shared_bytes(std::size_t slots) { return tenon::cache_line + slots * slot_bytes; }

  /// `slots` must be a power of two.
  SequencedRing(std::byte* memory, std::size_t slots)
      : taken_(reinterpret_cast<Word*>(memory)),
        slots_(reinterpret_cast<Word*>(memory + tenon::cache_line)),
        count_(slots),
        freed_at_once_(std::max<Word>(slots / 8, 1)) {}

  void put() {
    if (at_ - known_taken_ == count_) {
      harness::spin_until([&] {
        known_taken_ = Shared(*taken_).load(std::memory_order_acquire);  // S2
        return at_ - known_taken_ != count_;
      });
    }
    Word* slot = slot_at();
    harness::write_words<payload_words>(slot + 1, at_);
    ++at_;
    Shared(*slot).store(at_, std::memory_order_release);  // S1
  }

  void take() {
    Word* slot = slot_at();
    harness::spin_until([&] { return Shared(*slot).load(std::memory_order_acquire) == at_ + 1; });  // S1
    harness::check_words<payload_words>(slot + 1, at_);
    ++at_;
    // The count's line goes to and fro each time it is looked at, so slots are freed many at once.
    if (at_ % freed_at_once_ == 0) {
      Shared(*taken_).store(at_, std::memory_order_release);  // S2
    }
  }

 private:
  Word* slot_at() const { return slots_ + (at_ & (count_ - 1)) * (slot_bytes / 8); }

  Word* taken_;
  Word* slots_;
  Word count_;
  Word freed_at_once_;
  Word at_ = 0;           // each end's own
  Word known_taken_ = 0;  // the sender's
};

}  // namespace limits

#pragma once
/// A bare ring for one sender and one receiver with a shared head, which the receiver looks at only when it has drained
/// what it knew of: the highest rate, since it does not chase the sender from slot to slot.
///
/// Layout: a line of its own each for the head and the tail, then the slots, which are payload and nothing else.
///
///   S1  store-release of the head (put) → load-acquire (take): publishes the payloads up to it.
///   S2  store-release of the tail (take) → load-acquire (put): frees the slots up to it.
#include <tenon/base/cache_line.hpp>
#include <harness/payload.hpp>
#include <harness/spin.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace limits {

template <std::size_t slot_bytes>
class DrainingRing {
  using Word = std::uint64_t;
  using Shared = std::atomic_ref<Word>;

 public:
  static constexpr const char* family = "draining ring";
  static constexpr std::size_t payload_words = slot_bytes / 8;
  static constexpr std::size_t shared_bytes(std::size_t slots) { return 2 * tenon::cache_line + slots * slot_bytes; }

  /// `slots` must be a power of two. A receiver that found the ring empty goes on when it holds `gathered` messages, or
  /// the sender has stopped.
  DrainingRing(std::byte* memory, std::size_t slots, std::size_t gathered)
      : head_(reinterpret_cast<Word*>(memory)),
        tail_(reinterpret_cast<Word*>(memory + tenon::cache_line)),
        slots_(reinterpret_cast<Word*>(memory + 2 * tenon::cache_line)),
        count_(slots),
        gathered_(gathered),
        published_at_once_(gathered > 1 ? 16 : 1),
        freed_at_once_(std::max<Word>(slots / 8, 1)) {}

  void put() {
    if (at_ == known_) [[unlikely]] {
      harness::relaxed_spin_until([&] {
        known_ = Shared(*tail_).load(std::memory_order_acquire) + count_;  // S2
        return at_ != known_;
      });
    }
    harness::write_words<payload_words>(slot_at(), at_);
    ++at_;
    if (at_ % published_at_once_ == 0) {
      publish();
    }
  }
  /// Publishes what has been put since the last batch was full.
  void publish() {
    Shared(*head_).store(at_, std::memory_order_release);  // S1
  }

  void take() {
    if (at_ == known_) [[unlikely]] {
      look_at_head();
    }
    harness::check_words<payload_words>(slot_at(), at_);
    ++at_;
    if (at_ % freed_at_once_ == 0) {
      Shared(*tail_).store(at_, std::memory_order_release);  // S2
    }
  }

 private:
  // A receiver as fast as the sender would stay right behind it, and take each line out of the sender's first cache at
  // the cost of a bounce. Further behind, it finds them in the last-level cache.
  void look_at_head() {
    constexpr int pauses_between_looks = 16;
    Word before = 0;
    harness::relaxed_spin_until([&] {
      before = known_;
      known_ = Shared(*head_).load(std::memory_order_acquire);  // S1
      if (known_ - at_ >= gathered_ || (known_ != at_ && known_ == before)) {
        return true;
      }
      for (int i = 0; i < pauses_between_looks && gathered_ > 1; ++i) {
        harness::relax();
      }
      return false;
    });
  }

  Word* slot_at() const { return slots_ + (at_ & (count_ - 1)) * payload_words; }

  Word* head_;
  Word* tail_;
  Word* slots_;
  Word count_;
  Word gathered_;
  Word published_at_once_;
  Word freed_at_once_;
  Word at_ = 0;     // each end's own
  Word known_ = 0;  // up to where this end may go: the head for the receiver, tail + count for the sender
};

}  // namespace limits

#pragma once
/// When it pays to give the processor to whoever else is to run there, while one waits. sched_yield(2)
///
/// With more processes than processors, who waits may keep from running whom it waits for. In a turn of theirs they do
/// much, where a sleeper costs them a wake, and the processor two switches, for every message. But the turn may be
/// taken by somebody who computes for as long as the kernel lets him, and then all that one message more or less is
/// late by milliseconds. So turns that lasted long are judged by what had come when they were over: much, or not. After
/// some that brought little, none are given for a while, each time for twice as long.
///
/// Threads: all calls from several at once; they share what they have learned, and lose some of it.
#include <tenon/os/clock.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <sched.h>

namespace tenon {

class Turns {
 public:
  bool pay(std::int64_t now = monotonic_now()) const noexcept {
    return now >= not_before_.load(std::memory_order_relaxed);  // a guess
  }

  /// Gives one; `was_used` says whether much was done meanwhile that this one waits for, or for its like.
  template <class WasUsed>
  void give(WasUsed was_used) noexcept {
    const std::int64_t begun = monotonic_now();
    ::sched_yield();
    const std::int64_t now = monotonic_now();
    if (now - begun >= long_turn) {
      judge(was_used(), now);
    }
  }
  /// Of a long turn that is over at `now`.
  void judge(bool was_used, std::int64_t now) noexcept {
    const int trust = trust_.load(std::memory_order_relaxed);  // a guess, which this process's threads share
    if (was_used) {
      trust_.store(std::min(trust + 1, most_trust), std::memory_order_relaxed);  // as above
      pause_.store(first_pause, std::memory_order_relaxed);                      // as above
    } else if (trust > 1) {
      trust_.store(trust - 1, std::memory_order_relaxed);  // as above
    } else {
      const std::int64_t pause = pause_.load(std::memory_order_relaxed);            // as above
      not_before_.store(now + pause, std::memory_order_relaxed);                    // as above
      pause_.store(std::min(2 * pause, longest_pause), std::memory_order_relaxed);  // as above
    }
  }

 private:
  static constexpr std::int64_t long_turn = 200'000;  // nanoseconds
  static constexpr std::int64_t first_pause = 50'000'000;
  static constexpr std::int64_t longest_pause = 3'200'000'000;
  static constexpr int most_trust = 4;

  std::atomic<std::int64_t> not_before_ = 0;
  std::atomic<std::int64_t> pause_ = first_pause;
  std::atomic<int> trust_ = 2;
};

}  // namespace tenon

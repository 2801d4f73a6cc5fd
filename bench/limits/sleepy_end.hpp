#pragma once
/// One end of two that wake each other, and that are sure to be asleep when they are woken.
///
/// Two ends that only answer each other sometimes fall into step: each finds the other's signal just before it would
/// sleep, and nobody ever does. So across cores an end lets the other fall asleep before it tells; that time is told
/// and left out. On one core the other sleeps as soon as this one runs.
///
///   S1  store-release of the time that the answerer waited (before it tells) → load-acquire (the asker, told).
#include <tenon/os/clock.hpp>
#include <harness/subject.hpp>
#include <limits/limit.hpp>

#include <atomic>
#include <cstdint>

namespace limits {

/// `Signal` has `void tell()` and `void await()`.
template <class Signal>
struct SleepyEnd {
  static constexpr std::int64_t falls_asleep_within = 40'000;  // nanoseconds

  Signal signal;
  std::int64_t* answerers_wait;
  bool begins;
  bool lets_sleep;

  void step(harness::Round& round) {
    std::atomic_ref<std::int64_t> waited(*answerers_wait);
    if (begins) {
      const std::int64_t own = let_sleep();
      signal.tell();
      signal.await();
      round.leave_out(static_cast<double>(own + waited.load(std::memory_order_acquire)));  // S1
    } else {
      signal.await();
      waited.store(let_sleep(), std::memory_order_release);  // S1
      signal.tell();
    }
  }

 private:
  std::int64_t let_sleep() const {
    if (!lets_sleep) {
      return 0;
    }
    const std::int64_t start = tenon::monotonic_now();
    std::int64_t now = start;
    while (now - start < falls_asleep_within) {
      now = tenon::monotonic_now();
    }
    return now - start;
  }
};

}  // namespace limits

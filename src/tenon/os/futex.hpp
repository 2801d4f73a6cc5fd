#pragma once
/// Sleeping on a 32-bit word. futex(2)
///
/// A wake-up can be lost for good when the waker is killed between its store and its wake. So no wait here is
/// unbounded: it returns after at most `recheck_interval`, and the caller looks at its condition again. The words
/// may lie in shared memory, also in memory mapped read-only.
///
/// Edges: W1 store-release word (a waker, before futex_wake) → load-acquire word (futex_wait_until): publishes what the
/// condition reads.
#include <tenon/base/deadline.hpp>
#include <tenon/base/result.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace tenon {

inline constexpr std::chrono::milliseconds recheck_interval{50};

/// Sleeps while `word` holds `expected`. Returns without error whenever the caller should look again: woken, the
/// value differs, or the recheck interval is over. Outcomes: timed_out, stopped.
Result<void> futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline);

/// Wakes up to `count` waiters; returns how many were woken. Async-signal-safe.
std::uint32_t futex_wake(const std::atomic<std::uint32_t>& word, std::uint32_t count) noexcept;
std::uint32_t futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept;

/// Sleeps until `condition()` holds, which is looked at again after each wake of `word` and each recheck interval;
/// `condition` is given a chance before the deadline is. Outcomes: timed_out, stopped.
template <class Condition>
Result<void> futex_wait_until(const std::atomic<std::uint32_t>& word, Condition condition, Deadline deadline) {
  while (true) {
    const std::uint32_t seen = word.load(std::memory_order_acquire);  // W1
    if (condition()) {
      return {};
    }
    if (auto slept = futex_wait(word, seen, deadline); !slept) {
      return condition() ? Result<void>() : slept;
    }
  }
}

}  // namespace tenon

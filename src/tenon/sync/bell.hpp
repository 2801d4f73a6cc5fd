#pragma once
/// What Condition, Event, Semaphore and Barrier sleep on: a word that changes whenever there is news. futex(2)
///
/// 1. Roles. Any thread of any process that maps it for writing rings and sleeps.
/// 2. Layout. Two 32-bit words. How often it was rung, from any number on: it wraps, and only whether it changed
/// counts.
///    How many sleep: a hint, by which ringing where nobody sleeps makes no system call.
///
///      0               4               8
///     +---------------+---------------+
///     | rung          | sleepers      |
///     +---------------+---------------+
///
/// 3. Invariants. I1: who calls seen(), then finds that there is no news, then sleeps, is woken by what rings after
///    seen(), or after recheck_interval. I2: sleepers is never below the number of those who sleep.
/// 4. Edges.
///    B1  add-release rung (ring) → load-acquire rung (seen): the news is seen by who has seen the ringing.
///    B2  add sleepers, then the kernel compares rung (sleep) ↔ add rung, then load sleepers (ring), all sequentially
///        consistent: of a sleeper and a ringer at least one sees the other. With weaker orders both may look too
///        early, and the sleeper sleeps until its recheck.
/// 5. Progress. ring() is wait-free, and makes a system call if somebody sleeps. sleep() blocks; before, it lets others
///    run twice, sched_yield(2), which is all that two processes on one processor need. Where that was in vain the last
///    times of this thread, it sleeps at once, and tries it each sixteenth time.
/// 6. If a process dies here. A sleeper: sleepers stays one too high, which costs each later ring a system call. A
/// ringer
///    between its news and its wake: nobody is woken by it, and who sleeps looks again within recheck_interval.
/// 7. Use instead. Condition, Event: this is what they are made of.
#include <tenon/base/deadline.hpp>
#include <tenon/base/result.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/stop.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <sched.h>
#include <type_traits>

namespace tenon {

class Bell {
 public:
  /// What to sleep by, asked before looking whether there is news.
  std::uint32_t seen() const noexcept { return rung_.load(std::memory_order_acquire); }  // B1

  /// Tells that there is news to `most` of those who sleep.
  void ring(std::uint32_t most) noexcept {
    rung_.fetch_add(1, std::memory_order_seq_cst);         // B1 B2
    if (sleepers_.load(std::memory_order_seq_cst) != 0) {  // B2
      futex_wake(rung_, most);
    }
  }
  void ring_for_all() noexcept { ring(UINT32_MAX); }

  /// Sleeps until it is rung after `seen`. Returns without error whenever the caller should look for news again: rung,
  /// or recheck_interval is over. Outcomes: timed_out, stopped.
  Result<void> sleep(std::uint32_t seen, Deadline deadline) {
    if (rings_while_others_run(seen) && !deadline.passed() && !stop_requested(deadline)) {
      return {};
    }
    sleepers_.fetch_add(1, std::memory_order_seq_cst);  // B2
    Result<void> slept = futex_wait(rung_, seen, deadline);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);  // a hint that is too high for a moment costs one system call
    return slept;
  }

 private:
  // A sleep has a timer, so that it is bounded, and that alone costs a tenth of a sleep and a wake. One who is about to
  // ring, and waits for this very processor, is given the chance first.
  bool rings_while_others_run(std::uint32_t seen) const noexcept {
    const bool may_help = in_vain_ < 4 || in_vain_ % 16 == 0;
    for (int look = 0; may_help && look < looks_before_sleep; ++look) {
      ::sched_yield();
      if (rung_.load(std::memory_order_acquire) != seen) {  // B1
        in_vain_ = 0;
        return true;
      }
    }
    ++in_vain_;
    return false;
  }
  static constexpr int looks_before_sleep = 2;
  // How many sleeps of this thread have begun since it last helped.
  static inline constinit thread_local std::uint32_t in_vain_ = 0;

  std::atomic<std::uint32_t> rung_ = 0;
  std::atomic<std::uint32_t> sleepers_ = 0;
};

static_assert(sizeof(Bell) == 8 && alignof(Bell) == 4 && std::is_standard_layout_v<Bell>);
static_assert(std::is_trivially_destructible_v<Bell> && std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace tenon

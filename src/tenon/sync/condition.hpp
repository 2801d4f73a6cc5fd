#pragma once
/// To wait, in shared memory, until what a Mutex guards has become as one wants it; whoever dies meanwhile.
///
/// 1. Roles. Who holds the mutex waits; any thread of any process that maps the condition for writing notifies, with
///    the mutex held or, cheaper, just after it was unlocked. All who wait at once use the same mutex.
/// 2. Layout. A Bell: 8 bytes.
/// 3. Invariants. I1: whoever waits when it is notified returns, or will have looked again within recheck_interval.
///    I2: whatever wait() returns, the mutex is held again, unless it is not_recoverable.
/// 4. Edges. Those of the mutex; the Bell's for who notifies without it.
/// 5. Progress. Notifying never waits, and makes no system call while nobody waits. Waiting blocks.
/// 6. If a process dies here. Waiting: nobody else is affected, and no later notification, in contrast to
///    pthread_cond_t, which hangs for good. Notifying: who waits looks again within recheck_interval, 50 ms. Holding
///    the mutex: wait() returns owner_died to whoever locks it next.
/// 7. Use instead. For a state that is one bit, Event. To count, Semaphore. Never pthread_cond_t in shared memory.
///
/// The deadline bounds the sleep. To lock again takes as long as others hold the mutex, since a caller that timed out
/// still looks at what it guards.
#include <tenon/sync/bell.hpp>
#include <tenon/sync/mutex.hpp>

#include <concepts>

namespace tenon {

class Condition {
 public:
  /// Unlocks, sleeps, and locks again. Returns without error whenever the caller should look again, woken or not.
  /// Outcomes: timed_out, stopped; owner_died (the mutex is held, and the guard says so too: repair what it guards and
  /// say mark_consistent()); not_recoverable (the guard holds nothing). A guard that owner_died() must be marked
  /// before.
  /// Failures: in checked builds deadlock: the mutex may not be locked again while another lock is held that is taken
  /// under it; nothing has been unlocked.
  Result<void> wait(MutexGuard& guard, Deadline deadline, TakenAt at = TakenAt::current());

  /// Waits until `holds()`, which is called with the mutex held, and once more when the deadline has passed.
  /// Outcomes: as of wait(), which may have come before holds() did.
  template <std::predicate Holds>
  Result<void> wait_until(MutexGuard& guard, Holds holds, Deadline deadline, TakenAt at = TakenAt::current()) {
    while (!holds()) {
      if (auto waited = wait(guard, deadline, at); !waited) {
        const bool in_order = guard.holds() && !guard.owner_died();
        return in_order && holds() ? Result<void>() : waited;
      }
    }
    return {};
  }

  void notify_one() noexcept { bell_.ring(1); }
  void notify_all() noexcept { bell_.ring_for_all(); }

 private:
  Bell bell_;
};

static_assert(sizeof(Condition) == 8 && std::is_standard_layout_v<Condition>);

}  // namespace tenon

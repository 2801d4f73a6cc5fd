#include <tenon/sync/condition.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/stop.hpp>

namespace tenon {

Result<void> Condition::wait(MutexGuard& guard, Deadline deadline, [[maybe_unused]] TakenAt at) {
  expects(guard.holds(), "who waits for a condition holds the mutex");
  expects(!guard.owner_died(), "what a dead owner left is repaired and marked before anybody waits for more");
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "futex");
  }
  // Asked while the mutex is held: what is changed under it later rings later.
  const std::uint32_t seen = bell_.seen();
  Mutex& mutex = guard.mutex();
  if constexpr (is_checked) {
    if (auto in_order = LockOrder::wanted_again(mutex.lock_ref(), LockPlace(at)); !in_order) {
      return in_order;
    }
  }
  std::move(guard).unlock();
  expects(!guard.holds(), "the thread that locked the mutex is the one that waits");
  Result<void> slept = bell_.sleep(seen, deadline);
  // Without the deadline and its Stop: who is told that the time is over still holds what it looks at.
  auto again = mutex.lock_unrecorded(never);
  if (!again) {
    return fail(std::move(again.error()));
  }
  guard = std::move(*again);
  if constexpr (is_checked) {
    LockOrder::taken(mutex.lock_ref());
    guard.recorded_ = RecordedLock::as(mutex.lock_ref());
  }
  return guard.owner_died() ? fail(Errc::owner_died, "pthread_mutex_lock") : slept;
}

}  // namespace tenon

#include <tenon/sync/condition.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/stop.hpp>

namespace tenon {

Result<void> Condition::wait(MutexGuard& guard, Deadline deadline) {
  expects(guard.holds(), "who waits for a condition holds the mutex");
  expects(!guard.owner_died(), "what a dead owner left is repaired and marked before anybody waits for more");
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "futex");
  }
  // Asked while the mutex is held: what is changed under it later rings later.
  const std::uint32_t seen = bell_.seen();
  Mutex& mutex = guard.mutex();
  std::move(guard).unlock();
  expects(!guard.holds(), "the thread that locked the mutex is the one that waits");
  Result<void> slept = bell_.sleep(seen, deadline);
  // Without the deadline and its Stop: who is told that the time is over still holds what it looks at.
  auto again = mutex.lock(never);
  if (!again) {
    return fail(std::move(again.error()));
  }
  guard = std::move(*again);
  return guard.owner_died() ? fail(Errc::owner_died, "pthread_mutex_lock") : slept;
}

}  // namespace tenon

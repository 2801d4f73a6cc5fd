#include <tenon/sync/mutex.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/stop.hpp>

#include <cerrno>
#include <ctime>

namespace tenon {

namespace {

int lock_until(pthread_mutex_t& mutex, const timespec& until) {
  return ::pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until);
}

}  // namespace

Mutex::Mutex(TakenAt) noexcept : Mutex(Unrecorded()) {
  if constexpr (is_checked) {
    LockOrder::made(lock_ref());
  }
}

Mutex::Mutex(Unrecorded) noexcept {
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  // The normal type alone: a recursive or error-checking one compares thread ids, and two processes of different PID
  // namespaces may have the same.
  bool done = ::pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_NORMAL) == 0;
  done = ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 && done;
  done = ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 && done;
  done = ::pthread_mutex_init(&mutex_, &attributes) == 0 && done;
  ::pthread_mutexattr_destroy(&attributes);
  expects(done, "the C library has robust mutexes that processes share");
}

Result<MutexGuard> Mutex::outcome_of(int returned, Errc not_free) {
  if (returned == 0) {
    RobustList::added();
    return MutexGuard(mutex_, false);
  }
  if (returned == EOWNERDEAD) {
    RobustList::added();
    return MutexGuard(mutex_, true);
  }
  return fail(Error(returned == ETIMEDOUT ? not_free : errc_of(returned), "pthread_mutex_lock", returned));
}

Result<MutexGuard> Mutex::after_a_try(int returned, TakenAt) {
  return RobustList::has_room() ? outcome_of(returned, Errc::would_block) : fail(RobustList::no_room());
}

Result<MutexGuard> Mutex::lock_watchfully(Deadline deadline, TakenAt) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "pthread_mutex_lock");
  }
  if (!RobustList::has_room()) {
    return fail(RobustList::no_room());
  }
  return after_a_look(lock_at_once(), deadline);
}

Result<MutexGuard> Mutex::after_a_look(int returned, Deadline deadline) {
  return returned == ETIMEDOUT ? wait(deadline) : outcome_of(returned, Errc::timed_out);
}

// In slices: a waker that dies between its store and its wake wakes nobody, and a Stop has no hold on a futex of the C
// library's.
Result<MutexGuard> Mutex::wait(Deadline deadline) {
  int returned = ETIMEDOUT;
  while (returned == ETIMEDOUT && !deadline.passed()) {
    returned = lock_until(mutex_, timespec_of(deadline.or_sooner(after(recheck_interval)).nanoseconds()));
    if (returned == ETIMEDOUT && stop_requested(deadline)) {
      return fail(Errc::stopped, "pthread_mutex_lock");
    }
  }
  return outcome_of(returned, Errc::timed_out);
}

void MutexGuard::mark_consistent() noexcept {
  expects(mutex_ != nullptr, "a guard that holds nothing marks nothing");
  if (owner_died_ && is_called_by_locker()) {
    ::pthread_mutex_consistent(mutex_);
    owner_died_ = false;
  }
}

}  // namespace tenon

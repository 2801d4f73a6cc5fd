#include <tenon/sync/mutex.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/stop.hpp>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <linux/futex.h>

namespace tenon {

Mutex::Mutex() noexcept {
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

Result<MutexGuard> Mutex::locked(int returned, Errc not_free) {
  if (returned == 0) [[likely]] {
    return MutexGuard(mutex_, false);
  }
  if (returned == EOWNERDEAD) {
    return MutexGuard(mutex_, true);
  }
  return fail(Error(returned == ETIMEDOUT ? not_free : errc_of(returned), "pthread_mutex_lock", returned));
}

// Never pthread_mutex_trylock: what is not recoverable glibc leaves locked by whoever tries it, for good. A timed lock
// whose time is over takes a mutex that is free just as well; one that is held it would ask the kernel about.
Result<MutexGuard> Mutex::try_lock() {
  if (held_by_the_living()) {
    return fail(Errc::would_block, "pthread_mutex_lock");
  }
  return locked(lock_until(timespec{}), Errc::would_block);
}

// In slices: a waker that dies between its store and its wake wakes nobody, and a Stop has no hold on a futex of the C
// library's.
Result<MutexGuard> Mutex::lock(Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "pthread_mutex_lock");
  }
  int returned = lock_until(timespec{});
  while (returned == ETIMEDOUT && !deadline.passed()) {
    returned = lock_until(timespec_of(deadline.or_sooner(after(recheck_interval)).nanoseconds()));
    if (returned == ETIMEDOUT && stop_requested(deadline)) {
      return fail(Errc::stopped, "pthread_mutex_lock");
    }
  }
  return locked(returned, Errc::timed_out);
}

int Mutex::lock_until(const timespec& until) { return ::pthread_mutex_clocklock(&mutex_, CLOCK_MONOTONIC, &until); }

bool Mutex::held_by_the_living() noexcept {
  // relaxed: a look that decides nothing but whether to try; what is not held is then locked, in order.
  const auto word = static_cast<std::uint32_t>(std::atomic_ref(mutex_.__data.__lock).load(std::memory_order_relaxed));
  return (word & FUTEX_TID_MASK) != 0 && (word & FUTEX_OWNER_DIED) == 0;
}

MutexGuard::~MutexGuard() { std::move(*this).unlock(); }

void MutexGuard::mark_consistent() noexcept {
  expects(mutex_ != nullptr, "a guard that holds nothing marks nothing");
  if (owner_died_) {
    ::pthread_mutex_consistent(mutex_);
    owner_died_ = false;
  }
}

// EPERM, from a thread or a forked child that does not hold it, leaves the mutex as it is.
void MutexGuard::unlock() && noexcept {
  if (pthread_mutex_t* const mutex = std::exchange(mutex_, nullptr)) {
    ::pthread_mutex_unlock(mutex);
  }
}

}  // namespace tenon

#include <tenon/ipc/posix_semaphore/posix_semaphore.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/stop.hpp>

#include <climits>
#include <ctime>

namespace tenon {

static_assert(PosixSemaphore::most == SEM_VALUE_MAX);

namespace {

Error too_many(const char* call, std::uint64_t wanted) {
  return Error(Errc::limit_reached, call, EOVERFLOW)
      .with({.name = "SEM_VALUE_MAX",
             .value = PosixSemaphore::most,
             .wanted = wanted,
             .remedy = "somebody posts more often than anybody waits"});
}

}  // namespace

Result<void> PosixSemaphore::check_value(unsigned value, const char* call) {
  return value > most ? Result<void>(fail(too_many(call, value))) : Result<void>();
}

Result<void> PosixSemaphore::post_refused() {
  return errno == EOVERFLOW ? fail(too_many("sem_post", std::uint64_t{most} + 1)) : fail(os_failure("sem_post", errno));
}

// The library sleeps until it is woken, and a wake that never came it would sleep through: so it is never asked to
// sleep for longer than until the next look. An absolute time, so that a signal does not prolong it.
Result<void> PosixSemaphore::wait_on(Deadline deadline) {
  while (true) {
    if (stop_requested(deadline)) {
      return fail(Errc::stopped, "sem_clockwait");
    }
    const timespec until = timespec_of(deadline.or_sooner(after(recheck_interval)).nanoseconds());
    if (::sem_clockwait(native(), CLOCK_MONOTONIC, &until) == 0) {
      return {};
    }
    if (errno != ETIMEDOUT && errno != EINTR) {
      return fail(os_failure("sem_clockwait", errno));
    }
    if (deadline.passed()) {
      break;
    }
  }
  // What was posted before the deadline is there to be taken, even if the wake for it came too late.
  if (!stop_requested(deadline) && ::sem_trywait(native()) == 0) {
    return {};
  }
  return fail(stop_requested(deadline) ? Errc::stopped : Errc::timed_out, "sem_clockwait");
}

unsigned PosixSemaphore::value() const {
  int value = 0;
  ::sem_getvalue(native(), &value);
  return value > 0 ? static_cast<unsigned>(value) : 0;
}

}  // namespace tenon

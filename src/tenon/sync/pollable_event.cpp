#include <tenon/sync/pollable_event.hpp>

#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tenon {

Result<Fd> PollableEvent::make_bell() { return fd_from(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd"); }

Result<PollableEvent> PollableEvent::over(Event& event, FdView bell) {
  const int flags = ::fcntl(bell.raw(), F_GETFL);
  if (flags == -1) {
    return fail(os_failure("fcntl", errno));
  }
  if ((flags & O_NONBLOCK) == 0) {
    return fail(Error(Errc::invalid_argument, "fcntl").because("the bell of an event must not block"));
  }
  return PollableEvent(event, bell);
}

Result<void> PollableEvent::set() {
  event_->set();
  return ring();
}

Result<void> PollableEvent::reset() {
  event_->reset();
  return silence();
}

Result<void> PollableEvent::try_wait() {
  if (auto through = event_->try_wait(); !through) {
    const auto silenced = silence();
    return silenced ? through : silenced;
  }
  // An automatic one was reset by that.
  return event_->is_set() ? Result<void>() : silence();
}

// EAGAIN: the count is at its maximum, and so the bell is ringing.
Result<void> PollableEvent::ring() {
  const std::uint64_t one = 1;
  const auto written = uninterrupted([&] { return ::write(bell_.raw(), &one, sizeof one); });
  return written == sizeof one || errno == EAGAIN ? Result<void>() : fail(os_failure("write", errno));
}

// Silenced first, looked at afterwards: who sets it in between rings, or is seen here.
Result<void> PollableEvent::silence() {
  std::uint64_t count = 0;
  if (uninterrupted([&] { return ::read(bell_.raw(), &count, sizeof count); }) == -1 && errno != EAGAIN) {
    return fail(os_failure("read", errno));
  }
  return event_->is_set() ? ring() : Result<void>();
}

}  // namespace tenon

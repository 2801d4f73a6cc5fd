#include <tenon/ipc/eventfd/eventfd.hpp>

#include <tenon/os/backoff.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/os/system_call.hpp>

#include <sys/eventfd.h>

namespace tenon {

namespace {

// Repeats `transfer`, which moves the eight bytes of a count, until it succeeds. Without a deadline EAGAIN means that
// somebody else made the shared description non-blocking.
template <class Transfer, class Pause>
Result<void> transfer_until(const char* call, Deadline deadline, Transfer transfer, Pause pause) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, call);
  }
  while (uninterrupted(transfer) == -1) {
    if (errno != EAGAIN) {
      return fail(os_failure(call, errno));
    }
    if (auto ready = pause(); !ready) {
      return ready;
    }
  }
  return {};
}

Result<void> wait_for(FdView fd, Ready wanted, Deadline deadline) {
  return wait_ready(fd, wanted, deadline).transform([](Ready) {});
}

template <class Transfer>
Result<void> transfer_now(const char* call, Transfer transfer) {
  return uninterrupted(transfer) == -1 ? fail(os_failure(call, errno)) : Result<void>();
}

}  // namespace

Result<EventFd> EventFd::create(unsigned count, Taking taking) {
  const int flags = EFD_CLOEXEC | (taking == Taking::one ? EFD_SEMAPHORE : 0);
  return fd_from(::eventfd(count, flags), "eventfd").transform([](Fd fd) { return EventFd(std::move(fd)); });
}

Result<std::uint64_t> EventFd::wait_on(Deadline deadline) {
  if (auto set = deadline.is_unconditional() ? Result<void>() : mode_.make_non_blocking(fd()); !set) {
    return fail(std::move(set.error()));
  }
  std::uint64_t count = 0;
  const auto transfer = [&] { return ::read(fd_.raw(), &count, sizeof count); };
  const auto pause = [&] { return wait_for(fd(), Ready::reading, deadline); };
  return transfer_until("read", deadline, transfer, pause).transform([&] { return count; });
}

Result<std::uint64_t> EventFd::try_wait_on() {
  if (auto set = mode_.make_non_blocking(fd()); !set) {
    return fail(std::move(set.error()));
  }
  std::uint64_t count = 0;
  return transfer_now("read", [&] { return ::read(fd_.raw(), &count, sizeof count); }).transform([&] { return count; });
}

Result<void> EventFd::post_on(std::uint64_t count, Deadline deadline) {
  if (auto set = deadline.is_unconditional() ? Result<void>() : mode_.make_non_blocking(fd()); !set) {
    return set;
  }
  Backoff backoff(deadline);
  const auto transfer = [&] { return ::write(fd_.raw(), &count, sizeof count); };
  // The descriptor tells of room for 1; whether there is room for more only another try can tell.
  const auto pause = [&] { return count == 1 ? wait_for(fd(), Ready::writing, deadline) : backoff.sleep(); };
  return transfer_until("write", deadline, transfer, pause);
}

Result<void> EventFd::try_post_on(std::uint64_t count) {
  if (auto set = mode_.make_non_blocking(fd()); !set) {
    return set;
  }
  return transfer_now("write", [&] { return ::write(fd_.raw(), &count, sizeof count); });
}

}  // namespace tenon

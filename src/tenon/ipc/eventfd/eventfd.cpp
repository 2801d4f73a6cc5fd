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

// One read, which waits only if nothing but a post may end the wait. Where the kernel takes no RWF_NOWAIT (before
// Linux 5.8, or in a sandbox) the description's flag must do, and is looked at each time.
ssize_t EventFd::read_once(std::uint64_t& count, Deadline deadline) noexcept {
  if (!deadline.is_unconditional()) {
    const ssize_t got = read_without_waiting(fd_.raw(), mutable_bytes_of_value(count));
    if (got != -1 || !refused_one_call() || !mode_.keep_non_blocking(fd())) {
      return got;
    }
  }
  return ::read(fd_.raw(), &count, sizeof count);
}

Result<std::uint64_t> EventFd::wait_on(Deadline deadline) {
  std::uint64_t count = 0;
  const auto transfer = [&] { return read_once(count, deadline); };
  const auto pause = [&] { return wait_for(fd(), Ready::reading, deadline); };
  return transfer_until("read", deadline, transfer, pause).transform([&] { return count; });
}

Result<std::uint64_t> EventFd::try_wait_on() {
  std::uint64_t count = 0;
  return transfer_now("read", [&] { return read_once(count, immediately); }).transform([&] { return count; });
}

// Writes have no RWF_NOWAIT (EOPNOTSUPP): before each the description's flag is looked at. Somebody who clears it
// between that and the write, while there is no room, makes this wait for room.
Result<void> EventFd::post_on(std::uint64_t count, Deadline deadline) {
  const auto keep = [&] { return deadline.is_unconditional() ? Result<void>() : mode_.keep_non_blocking(fd()); };
  if (auto kept = keep(); !kept) {
    return kept;
  }
  Backoff backoff(deadline);
  const auto transfer = [&] { return ::write(fd_.raw(), &count, sizeof count); };
  // The descriptor tells of room for 1; whether there is room for more only another try can tell.
  const auto room = [&] { return count == 1 ? wait_for(fd(), Ready::writing, deadline) : backoff.sleep(); };
  return transfer_until("write", deadline, transfer, [&] { return room().and_then(keep); });
}

Result<void> EventFd::try_post_on(std::uint64_t count) {
  if (auto kept = mode_.keep_non_blocking(fd()); !kept) {
    return kept;
  }
  return transfer_now("write", [&] { return ::write(fd_.raw(), &count, sizeof count); });
}

}  // namespace tenon

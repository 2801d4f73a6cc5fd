#include <tenon/os/transfer.hpp>

#include <tenon/os/poll.hpp>
#include <tenon/os/sigpipe.hpp>
#include <tenon/os/stop.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>

namespace tenon {

namespace {

// Whether bytes for `to` still have a taker, by what poll says of it. A socket in error tells which; it may also have
// no more than news in its error queue.
Result<void> still_taken(const char* call, FdView to, Ready ready) {
  if (has(ready, Ready::hang_up)) {
    return fail(Errc::closed, call);
  }
  if (!has(ready, Ready::error)) {
    return {};
  }
  int pending = 0;
  socklen_t size = sizeof pending;
  if (::getsockopt(to.raw(), SOL_SOCKET, SO_ERROR, &pending, &size) == -1) {
    return fail(Errc::closed, call);  // a pipe without a reader
  }
  return pending == 0 ? Result<void>() : fail(os_failure(call, pending));
}

// Until `from` has bytes. `to` may not have to wait at all, but its taker may die meanwhile, which the transfer itself
// does not tell as long as there is nothing to be moved.
Result<void> wait_for_bytes(const char* call, FdView from, FdView to, Deadline deadline) {
  std::array<PollItem, 2> items = {PollItem{.fd = from, .wanted = Ready::reading},
                                   PollItem{.fd = to, .wanted = Ready::nothing}};
  if (auto waited = wait_any(items, deadline); !waited) {
    return waited;
  }
  if (items[0].ready != Ready::nothing) {
    return {};
  }
  if (auto taken = still_taken(call, to, items[1].ready); !taken) {
    return taken;
  }
  return wait_ready(from, Ready::reading, deadline).transform([](Ready) {});
}

template <class Transfer>
Result<std::size_t> transfer(const char* call, FdView from, FdView to, std::size_t most, Deadline deadline,
                             Transfer transfer) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, call);
  }
  if (most == 0) {
    return fail(Error(Errc::invalid_argument, call).because("0 bytes asked for; 0 would mean the end of the stream"));
  }
  while (true) {
    const ssize_t moved = without_sigpipe(transfer);
    if (moved >= 0) {
      return static_cast<std::size_t>(moved);
    }
    if (errno != EAGAIN && errno != EINTR) {
      return fail(os_failure(call, errno));
    }
    if (auto readable = wait_for_bytes(call, from, to, deadline); !readable) {
      return fail(std::move(readable.error()));
    }
    if (auto writable = wait_ready(to, Ready::writing, deadline); !writable) {
      return fail(std::move(writable.error()));
    }
  }
}

}  // namespace

Result<std::size_t> splice_between(FdView from, FdView to, std::size_t most, Deadline deadline) {
  return transfer("splice", from, to, most, deadline, [&] {
    return ::splice(from.raw(), nullptr, to.raw(), nullptr, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  });
}

Result<std::size_t> tee_between(FdView from, FdView to, std::size_t most, Deadline deadline) {
  return transfer("tee", from, to, most, deadline,
                  [&] { return ::tee(from.raw(), to.raw(), most, SPLICE_F_NONBLOCK); });
}

}  // namespace tenon

#include <tenon/os/socket_connection.hpp>

#include <tenon/os/backoff.hpp>
#include <tenon/os/credentials.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/socket_name.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>

namespace tenon {

namespace {

// Where to connect: the name itself if it is abstract, else the socket that stands at the path, held.
struct Target {
  UnixAddress address;
  Fd held;
};

Result<Target> look_at(const UnixAddress& name, uid_t owner) {
  if (name.is_abstract()) {
    return Target{.address = name, .held = Fd::adopt(-1)};
  }
  return hold_socket(std::string(name.name()), owner).transform([](Fd held) {
    const UnixAddress address = address_of_held(held.view());
    return Target{.address = address, .held = std::move(held)};
  });
}

Error connect_failure(const UnixAddress& name, SocketKind kind, int os_error) {
  switch (os_error) {
    case ECONNREFUSED:
      // An abstract name that nobody has is refused, a path that nobody has is not found: for the caller it is the
      // same.
      return Error(Errc::no_peer, "connect", os_error).on(name.text()).because("nobody listens there");
    case EAGAIN:
      return Error(Errc::would_block, "connect", os_error)
          .on(name.text())
          .because("as many wait to be accepted as its listener admits");
    case EPROTOTYPE:
      return Error(Errc::wrong_kind, "connect", os_error)
          .on(name.text())
          .because(std::string("what is bound there is not ") + name_of(kind));
    case ENOENT:  // what is held cannot vanish
      return Error(Errc::not_supported, "connect", os_error).on(name.text()).because("/proc is not mounted here");
    default:
      return os_failure("connect", os_error).on(name.text());
  }
}

// An abstract name has no owner that could be looked at before. A datagram socket's peer the kernel does not tell.
Result<void> check_peer(FdView socket, const UnixAddress& name, SocketKind kind, uid_t owner) {
  if (!name.is_abstract() || kind == SocketKind::datagram) {
    return {};
  }
  auto peer = peer_credentials(socket);
  if (!peer) {
    return fail(std::move(peer.error()).on(name.text()));
  }
  if (peer->uid != owner) {
    return fail(
        Error(Errc::permission_denied, "connect")
            .on(name.text())
            .because("it belongs to uid " + std::to_string(peer->uid) + ", not to uid " + std::to_string(owner)));
  }
  return {};
}

// One attempt; `connect` makes the call.
template <class Connect>
Result<void> attempt(FdView socket, const UnixAddress& name, SocketKind kind, uid_t owner, Connect connect) {
  return look_at(name, owner).and_then([&](const Target& target) -> Result<void> {
    if (connect(target.address) == -1) {
      return fail(connect_failure(name, kind, errno));
    }
    return check_peer(socket, name, kind, owner);
  });
}

Result<void> set_send_timeout(FdView socket, Deadline::Nanoseconds most) {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  using std::chrono::seconds;
  const auto whole = duration_cast<seconds>(most);
  const timeval timeout{.tv_sec = whole.count(), .tv_usec = duration_cast<microseconds>(most - whole).count()};
  if (::setsockopt(socket.raw(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == -1) {
    return fail(os_failure("setsockopt", errno));
  }
  return {};
}

// For how long the kernel may wait for room in the backlog. connect(2) has no readiness that could be polled for, but
// SO_SNDTIMEO bounds its own wait, on the kernel's clock; a Stop cannot end it, so with one it is cut into pieces.
Deadline::Nanoseconds admission_wait(Deadline deadline) {
  constexpr Deadline::Nanoseconds shortest = std::chrono::microseconds(1);  // 0 would be without limit
  constexpr Deadline::Nanoseconds longest = std::chrono::hours(1);
  const Deadline::Nanoseconds most = deadline.stop() != nullptr ? recheck_interval : longest;
  return std::clamp(deadline.left(), shortest, most);
}

bool may_come_yet(const Result<void>& attempted) {
  return attempted.failed_with(Errc::not_found) || attempted.failed_with(Errc::no_peer);
}

Result<void> connect_until(FdView socket, const UnixAddress& name, SocketKind kind, uid_t owner, Deadline deadline) {
  Backoff backoff(deadline);
  while (true) {
    auto attempted = attempt(socket, name, kind, owner, [&](const UnixAddress& address) {
      if (auto set = set_send_timeout(socket, admission_wait(deadline)); !set) {
        return -1;
      }
      return ::connect(socket.raw(), address.raw(), address.length());
    });
    const bool interrupted = !attempted && attempted.error().os_error() == EINTR;
    if (!may_come_yet(attempted) && !attempted.failed_with(Errc::would_block) && !interrupted) {
      return attempted ? set_send_timeout(socket, Deadline::Nanoseconds::zero()) : std::move(attempted);
    }
    if (stop_requested(deadline)) {
      return fail(Error(Errc::stopped, "connect").on(name.text()));
    }
    if (deadline.passed()) {
      return fail(Error(Errc::timed_out, "connect")
                      .on(name.text())
                      .because(attempted.failed_with(Errc::not_found) ? "nobody has made the name"
                                                                      : attempted.error().detail()));
    }
    if (may_come_yet(attempted)) {
      [[maybe_unused]] const auto slept = backoff.sleep();  // what ended it is looked at next
    }
  }
}

// Without what only the wait for admission needs.
Result<void> make_blocking(FdView socket) {
  const int flags = ::fcntl(socket.raw(), F_GETFL);
  if (flags == -1 || ::fcntl(socket.raw(), F_SETFL, flags & ~O_NONBLOCK) == -1) {
    return fail(os_failure("fcntl", errno));
  }
  return {};
}

Result<void> check_backlog(int backlog) {
  const auto most = procfs::number("/proc/sys/net/core/somaxconn");
  if (backlog < 0 || !most || static_cast<std::uint64_t>(backlog) <= *most) {
    return {};
  }
  return fail(Error(Errc::limit_reached, "listen")
                  .with({.name = "net.core.somaxconn",
                         .value = *most,
                         .wanted = static_cast<std::uint64_t>(backlog),
                         .remedy = "raise it with: sysctl -w net.core.somaxconn=N"}));
}

// A connection that was given up before it was accepted is none.
bool look_again(int os_error) { return os_error == EINTR || os_error == ECONNABORTED; }

Result<Fd> accept_once(FdView listener) {
  while (true) {
    const int accepted = ::accept4(listener.raw(), nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted != -1 || !look_again(errno)) {
      return fd_from(accepted, "accept");
    }
  }
}

}  // namespace

Result<Fd> try_connect_socket(SocketKind kind, std::string_view name, uid_t owner) {
  auto address = UnixAddress::parse(name);
  auto socket = address ? make_socket(kind) : Result<Fd>(fail(std::move(address.error())));
  if (!socket) {
    return socket;
  }
  BlockingMode mode;
  auto connected =
      mode.make_non_blocking(socket->view())
          .and_then([&] {
            return attempt(socket->view(), *address, kind, owner, [&](const UnixAddress& target) {
              return uninterrupted([&] { return ::connect(socket->raw(), target.raw(), target.length()); });
            });
          })
          .and_then([&] { return make_blocking(socket->view()); });
  return connected ? std::move(socket) : fail(std::move(connected.error()));
}

Result<Fd> connect_socket(SocketKind kind, std::string_view name, uid_t owner, Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Error(Errc::stopped, "connect").on(name));
  }
  if (deadline.is_immediate()) {
    return try_connect_socket(kind, name, owner);
  }
  auto address = UnixAddress::parse(name);
  auto socket = address ? make_socket(kind) : Result<Fd>(fail(std::move(address.error())));
  if (!socket) {
    return socket;
  }
  auto connected = connect_until(socket->view(), *address, kind, owner, deadline);
  return connected ? std::move(socket) : fail(std::move(connected.error()));
}

Result<Fd> listen_at(SocketKind kind, std::string_view name, Permissions permissions, int backlog) {
  auto address = UnixAddress::parse(name);
  if (!address) {
    return fail(std::move(address.error()));
  }
  if (auto fits = check_backlog(backlog); !fits) {
    return fail(std::move(fits.error()).on(name));
  }
  return make_socket(kind).and_then([&](Fd socket) -> Result<Fd> {
    if (auto bound = bind_socket(socket.view(), *address, permissions); !bound) {
      return fail(std::move(bound.error()));
    }
    if (::listen(socket.raw(), backlog) == -1) {
      Error refused = os_failure("listen", errno);
      [[maybe_unused]] const auto unmade = unlink_socket(name);
      return fail(std::move(refused).on(name));
    }
    return socket;
  });
}

Result<Fd> accept_from(FdView listener, BlockingMode& mode, Deadline deadline) {
  if (!deadline.is_unconditional()) {
    if (stop_requested(deadline)) {
      return fail(Errc::stopped, "accept");
    }
    if (auto set = mode.make_non_blocking(listener); !set) {
      return fail(std::move(set.error()));
    }
  }
  while (true) {
    auto accepted = accept_once(listener);
    if (!accepted.failed_with(Errc::would_block)) {
      return accepted;
    }
    if (auto ready = wait_ready(listener, Ready::reading, deadline); !ready) {
      return fail(std::move(ready.error()));
    }
  }
}

Result<Fd> try_accept_from(FdView listener, BlockingMode& mode) {
  return mode.make_non_blocking(listener).and_then([&] { return accept_once(listener); });
}

Result<UnixAddress> address_of(FdView socket) {
  sockaddr_un address{};
  socklen_t length = sizeof address;
  if (::getsockname(socket.raw(), reinterpret_cast<sockaddr*>(&address), &length) == -1) {
    return fail(os_failure("getsockname", errno));
  }
  return UnixAddress::from_kernel(address, length);
}

}  // namespace tenon

#pragma once
/// The place where connections of stream sockets are made: a path, or an abstract name. unix(7), listen(2)
#include <tenon/base/deadline.hpp>
#include <tenon/base/permissions.hpp>
#include <tenon/ipc/unix_stream/unix_stream.hpp>
#include <tenon/os/blocking_mode.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/socket_connection.hpp>
#include <tenon/os/unix_address.hpp>

#include <string_view>

namespace tenon {

/// Threads: accept from several at once; each connection goes to one of them. fork: works in the child, and whoever
/// accepts first gets the connection. The first call with try_, a deadline or a stop makes the open file description
/// non-blocking, which whoever shares it sees too.
class UnixListener {
 public:
  /// Listens at a path, with exactly these permissions whatever the umask (the owner's right to write among them): who
  /// may write it may connect. Or at "@NAME", where everybody in the network namespace may: look at UnixStream::peer().
  /// A path that a dead socket has left behind is taken over; of several who try exactly one gets it. At most `backlog`
  /// connections wait to be accepted. Outcomes: already_exists (a living socket has the name), stale and would_block
  /// (as bind_socket). Failures: invalid_name (over 107 bytes), permission_denied (what stands there is a symlink, a
  /// file …, another user's, or has a second hard link), not_found (the directory), no_space, invalid_argument,
  /// limit_reached (descriptors, or net.core.somaxconn). bind(2), listen(2)
  static Result<UnixListener> create(std::string_view name, Permissions permissions = owner_only,
                                     int backlog = longest_backlog);
  /// Takes over a listening stream socket, such as a service manager hands over.
  static UnixListener adopt(Fd fd) noexcept { return UnixListener(std::move(fd)); }

  /// The next connection. Outcomes: timed_out, stopped. Failures: limit_reached (descriptors: the connection waits on).
  /// accept(2)
  Result<UnixStream> accept(Deadline deadline) {
    return accept_from(fd(), mode_, deadline).transform(UnixStream::adopt);
  }
  /// Outcomes: would_block (nobody waits).
  Result<UnixStream> try_accept() { return try_accept_from(fd(), mode_).transform(UnixStream::adopt); }

  /// Where it listens, as it was told.
  Result<UnixAddress> address() const { return address_of(fd()); }

  /// Readable when somebody waits to be accepted.
  FdView fd() const noexcept { return fd_.view(); }
  Fd into_fd() && noexcept { return std::move(fd_); }
  /// The name stays, and refuses who comes.
  Result<void> close() && { return std::move(fd_).close(); }

  /// Removes the path; connections go on. Outcomes: not_found. Failures: wrong_kind (no socket stands there, or the
  /// name is abstract and goes with its socket), permission_denied.
  static Result<void> unlink(std::string_view path);

 private:
  explicit UnixListener(Fd fd) noexcept : fd_(std::move(fd)) {}

  Fd fd_;
  BlockingMode mode_;
};

}  // namespace tenon

#pragma once
/// The place where connections of seqpacket sockets are made: a path, or an abstract name. unix(7), listen(2)
#include <tenon/base/deadline.hpp>
#include <tenon/base/permissions.hpp>
#include <tenon/ipc/unix_seqpacket/unix_seqpacket.hpp>
#include <tenon/os/blocking_mode.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/socket_connection.hpp>
#include <tenon/os/unix_address.hpp>

#include <string_view>

namespace tenon {

/// As UnixListener in everything, for connections that keep message boundaries.
class UnixSeqpacketListener {
 public:
  /// As UnixListener::create.
  static Result<UnixSeqpacketListener> create(std::string_view name, Permissions permissions = owner_only,
                                              int backlog = longest_backlog);
  /// Takes over a listening seqpacket socket.
  static UnixSeqpacketListener adopt(Fd fd) noexcept;

  /// The next connection. Outcomes: timed_out, stopped. Failures: limit_reached (descriptors: the connection waits on).
  Result<UnixSeqpacket> accept(Deadline deadline) {
    return accept_from(fd(), mode_, deadline).transform(UnixSeqpacket::adopt);
  }
  /// Outcomes: would_block (nobody waits).
  Result<UnixSeqpacket> try_accept() { return try_accept_from(fd(), mode_).transform(UnixSeqpacket::adopt); }

  Result<UnixAddress> address() const { return address_of(fd()); }

  /// Readable when somebody waits to be accepted.
  FdView fd() const noexcept { return fd_.view(); }
  Fd into_fd() && noexcept { return std::move(fd_); }
  Result<void> close() && { return std::move(fd_).close(); }

  /// As UnixListener::unlink.
  static Result<void> unlink(std::string_view path);

 private:
  explicit UnixSeqpacketListener(Fd fd) noexcept : fd_(std::move(fd)) {}

  Fd fd_;
  BlockingMode mode_;
};

}  // namespace tenon

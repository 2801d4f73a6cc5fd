#pragma once
/// A byte stream both ways between two processes of one machine. unix(7)
#include <tenon/base/bytes.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/os/credentials.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/socket_transfer.hpp>

#include <cerrno>
#include <span>
#include <string_view>
#include <sys/socket.h>
#include <sys/types.h>
#include <utility>

namespace tenon {

/// One end of a connection. No call raises SIGPIPE, none changes the open file description. Descriptors that come along
/// with bytes are closed by the kernel, unseen; whoever expects some takes receive_descriptors() (descriptor_passing).
///
/// Threads: any call but close, into_fd and moves may be made by several at once; each byte goes to one of them, and
/// what several write at once may be mixed. fork: works in the child.
class UnixStream {
 public:
  /// Connects to the UnixListener at `name`, a path or "@NAME" for an abstract one, and waits until somebody listens
  /// there and admits it. What stands at the path must be a socket of this user's (or of `owner`'s), no symlink, and
  /// without a second hard link; an abstract name must be held by that user. Outcomes: timed_out, stopped; with
  /// `immediately` those of try_connect. Failures: invalid_name, permission_denied (which says why), wrong_kind (it is
  /// no stream socket), limit_reached. connect(2)
  static Result<UnixStream> connect(std::string_view name, Deadline deadline);
  static Result<UnixStream> connect(std::string_view name, uid_t owner, Deadline deadline);
  /// Outcomes: not_found (nobody has made the name), no_peer (nobody listens there), would_block (as many wait to be
  /// accepted as the listener admits).
  static Result<UnixStream> try_connect(std::string_view name);
  static Result<UnixStream> try_connect(std::string_view name, uid_t owner);

  /// Two ends that are connected to each other. Failures: limit_reached. socketpair(2)
  static Result<std::pair<UnixStream, UnixStream>> pair();
  /// Takes over a connected stream socket.
  static UnixStream adopt(Fd fd) noexcept { return UnixStream(std::move(fd)); }

  /// Takes the bytes that are there, at least one, at most into.size(). 0 is the end: the other side has closed or
  /// died, or sends no more. Outcomes: timed_out, stopped, closed (it went without reading all that was sent to it).
  /// Failures: invalid_argument (`into` is empty). recv(2)
  Result<std::size_t> read(MutableBytes into, Deadline deadline) {
    if (!deadline.is_unconditional()) {
      return read_stream_until(fd(), into, deadline);
    }
    const ssize_t got = ::recv(fd_.raw(), into.data(), into.size(), 0);
    if (got > 0) [[likely]] {
      return static_cast<std::size_t>(got);
    }
    return read_stream_on(fd(), into, got, deadline);
  }
  /// Outcomes: would_block (nothing is there, but something may still come).
  Result<std::size_t> try_read(MutableBytes into) {
    const ssize_t got = ::recv(fd_.raw(), into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0) [[likely]] {
      return static_cast<std::size_t>(got);
    }
    if (got == -1 && errno == EAGAIN) {
      return Result<std::size_t>(std::unexpect, Errc::would_block, "recv", EAGAIN);
    }
    return try_read_stream_on(fd(), into, got);
  }
  /// Fills the pieces one after another, at most 64, as read does with one.
  Result<std::size_t> read_scattered(std::span<const MutableBytes> pieces, Deadline deadline) {
    return read_stream_scattered(fd(), pieces, deadline);
  }

  /// Writes all of it; returns fewer than from.size() only if something went wrong after the first bytes, and then the
  /// next call tells what. Outcomes: timed_out, stopped, closed (the other side has closed or died, or reads no more).
  /// send(2)
  Result<std::size_t> write(Bytes from, Deadline deadline) {
    if (!deadline.is_unconditional()) {
      return write_stream_until(fd(), from, deadline);
    }
    const ssize_t sent = ::send(fd_.raw(), from.data(), from.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(from.size())) [[likely]] {
      return from.size();
    }
    return write_stream_on(fd(), from, sent, deadline);
  }
  /// Writes what there is room for. Outcomes: would_block, closed.
  Result<std::size_t> try_write(Bytes from) {
    const ssize_t sent = ::send(fd_.raw(), from.data(), from.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) [[likely]] {
      return static_cast<std::size_t>(sent);
    }
    if (errno == EAGAIN) {
      return Result<std::size_t>(std::unexpect, Errc::would_block, "send", EAGAIN);
    }
    return try_write_stream_on(fd(), from);
  }
  /// Writes the pieces one after another, at most 64, as write does with one.
  Result<std::size_t> write_gathered(std::span<const Bytes> pieces, Deadline deadline) {
    return write_stream_gathered(fd(), pieces, deadline);
  }

  /// Says that no more will be written: the other side reads to the end, and may go on writing. shutdown(2)
  Result<void> finish_writing();
  /// Says that no more will be read: what comes is dropped, and the other side's writes are `closed`.
  Result<void> finish_reading();
  /// Waits until the other side has closed or died. Outcomes: timed_out, stopped.
  Result<void> wait_closed(Deadline deadline) const { return wait_hung_up(fd(), deadline); }

  /// Who made the connection at the other end, as the kernel says: who called connect(), create() or pair(), not who
  /// holds that end now. Outcomes: no_peer. unix(7), SO_PEERCRED
  Result<Credentials> peer() const { return peer_credentials(fd()); }
  /// That process itself, as a pidfd. Outcomes: not_found (it has ended). Failures: not_supported (before Linux 6.5),
  /// limit_reached.
  Result<Fd> peer_process() const { return tenon::peer_process(fd()); }

  /// Bytes on their way before a writer waits, the kernel's own records included.
  Result<std::size_t> send_buffer() const;
  /// At least `bytes`. Failures: limit_reached (net.core.wmem_max).
  Result<std::size_t> set_send_buffer(std::size_t bytes);

  /// Readable when bytes or the end are there, writable when there is room.
  FdView fd() const noexcept { return fd_.view(); }
  Fd into_fd() && noexcept { return std::move(fd_); }
  Result<void> close() && { return std::move(fd_).close(); }

 private:
  explicit UnixStream(Fd fd) noexcept : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace tenon

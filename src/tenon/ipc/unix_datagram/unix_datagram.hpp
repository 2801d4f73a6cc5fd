#pragma once
/// Messages between processes of one machine, without a connection: whole, in order, none lost. unix(7)
#include <tenon/base/bytes.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/base/permissions.hpp>
#include <tenon/os/credentials.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/socket_transfer.hpp>
#include <tenon/os/unix_address.hpp>

#include <cerrno>
#include <optional>
#include <span>
#include <string_view>
#include <sys/socket.h>
#include <sys/types.h>
#include <utility>

namespace tenon {

/// A datagram socket. One that was created at a name receives from everybody who may write there; one that is connected
/// sends to one name. A message may have 0 bytes. No call raises SIGPIPE, none changes the open file description.
/// Descriptors that come along are closed; whoever expects some takes receive_descriptors() (descriptor_passing).
///
/// A receiver is not told that its senders have gone, not even by pair(): there is no end. A sender learns that its
/// receiver has when it sends next.
///
/// Threads: any call but close, into_fd and moves may be made by several at once; each message goes to one of them.
/// fork: works in the child.
class UnixDatagram {
 public:
  /// Receives at a path, with exactly these permissions whatever the umask (the owner's right to write among them), or
  /// at "@NAME", where everybody in the network namespace may send. A path that a dead socket has left behind is taken
  /// over; of several who try exactly one gets it. Outcomes and failures: as UnixListener::create. bind(2)
  static Result<UnixDatagram> create(std::string_view name, Permissions permissions = owner_only);

  /// Sends to who receives at `name`, and waits until somebody does. What stands at the path must be a socket of this
  /// user's (or of `owner`'s), no symlink, and without a second hard link; whose an abstract name is the kernel does
  /// not tell. Nobody can answer: the socket has no name. Outcomes: timed_out, stopped; with `immediately` those of
  /// try_connect. Failures: invalid_name, permission_denied, wrong_kind (it is no datagram socket), limit_reached.
  static Result<UnixDatagram> connect(std::string_view name, Deadline deadline);
  static Result<UnixDatagram> connect(std::string_view name, uid_t owner, Deadline deadline);
  /// Outcomes: not_found (nobody has made the name), no_peer (its socket is dead).
  static Result<UnixDatagram> try_connect(std::string_view name);
  static Result<UnixDatagram> try_connect(std::string_view name, uid_t owner);

  /// Two that send to each other. Failures: limit_reached. socketpair(2)
  static Result<std::pair<UnixDatagram, UnixDatagram>> pair();
  /// Takes over a datagram socket.
  static UnixDatagram adopt(Fd fd) noexcept { return UnixDatagram(std::move(fd)); }

  /// Sends one message to where it is connected, and waits while the receiver's queue is full
  /// (net.unix.max_dgram_qlen). Outcomes: timed_out, stopped, closed (the receiver has gone, for good),
  /// message_too_long (which names the limit). Failures: no_memory. send(2)
  Result<void> send(Bytes message, Deadline deadline) {
    if (!deadline.is_unconditional()) {
      return send_message_until(fd(), message, deadline);
    }
    if (::send(fd_.raw(), message.data(), message.size(), MSG_NOSIGNAL) >= 0) [[likely]] {
      return {};
    }
    return send_message_on(fd(), message, deadline);
  }
  /// Outcomes: would_block, closed, message_too_long.
  Result<void> try_send(Bytes message) {
    if (::send(fd_.raw(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) [[likely]] {
      return {};
    }
    if (errno == EAGAIN) {
      return Result<void>(std::unexpect, Errc::would_block, "send", EAGAIN);
    }
    return try_send_message_on(fd(), message);
  }
  /// The pieces, at most 64, are one message.
  Result<void> send_gathered(std::span<const Bytes> pieces, Deadline deadline) {
    return send_message_gathered(fd(), pieces, deadline);
  }
  /// Sends one message to whoever receives at an address, which is looked at each time as connect does: four system
  /// calls for a path, one for an abstract name. While the receiver's queue is full it is looked with a Backoff, for
  /// the kernel gives no readiness. Outcomes: as send, not_found, no_peer (nobody receives there).
  Result<void> send_to(const UnixAddress& address, Bytes message, Deadline deadline);
  Result<void> send_to(const UnixAddress& address, uid_t owner, Bytes message, Deadline deadline);

  /// Takes the next message into the beginning of `into`; returns its size, which may be 0. Outcomes: timed_out,
  /// stopped, message_too_long (with the message's size: what fits is in `into`, the kernel has dropped the rest;
  /// next_size() tells beforehand). recv(2)
  Result<std::size_t> receive(MutableBytes into, Deadline deadline) {
    if (!deadline.is_unconditional()) {
      return receive_until(into, deadline);
    }
    const ssize_t got = ::recv(fd_.raw(), into.data(), into.size(), MSG_TRUNC);
    if (got >= 0 && static_cast<std::size_t>(got) <= into.size()) [[likely]] {
      return static_cast<std::size_t>(got);
    }
    return receive_on(into, got, deadline);
  }
  /// Outcomes: would_block, message_too_long.
  Result<std::size_t> try_receive(MutableBytes into) {
    const ssize_t got = ::recv(fd_.raw(), into.data(), into.size(), MSG_TRUNC | MSG_DONTWAIT);
    if (got >= 0 && static_cast<std::size_t>(got) <= into.size()) [[likely]] {
      return static_cast<std::size_t>(got);
    }
    if (got == -1 && errno == EAGAIN) {
      return Result<std::size_t>(std::unexpect, Errc::would_block, "recv", EAGAIN);
    }
    return try_receive_on(into, got);
  }

  struct Received {
    std::size_t size;
    std::optional<UnixAddress> from;    ///< where to answer; nothing if the sender's socket has no name
    std::optional<Credentials> sender;  ///< who sent it, as the kernel says; nothing if it was not asked then
    bool dropped_descriptors;           ///< descriptors came along, which were closed
  };
  /// As receive, and who sent it. recvmsg(2)
  Result<Received> receive_from(MutableBytes into, Deadline deadline);
  /// From the next message on that is sent, receive_from() tells each one's sender; what create() made does so from the
  /// first one on. unix(7), SO_PASSCRED
  Result<void> tell_senders();
  /// The size of the next message, which stays. Outcomes: timed_out, stopped.
  Result<std::size_t> next_size(Deadline deadline);

  /// The longest message that can be sent.
  Result<std::size_t> longest_message() const;
  /// Makes longer messages possible: at least `bytes`, the kernel's own records included. Failures: limit_reached
  /// (net.core.wmem_max).
  Result<std::size_t> set_send_buffer(std::size_t bytes);

  /// Where it receives; unnamed if it does not.
  Result<UnixAddress> address() const;
  /// Readable when a message is there; writable when there is room for one, with the receiver as well if connected.
  FdView fd() const noexcept { return fd_.view(); }
  Fd into_fd() && noexcept { return std::move(fd_); }
  /// The name stays, and refuses who comes.
  Result<void> close() && { return std::move(fd_).close(); }

  /// Removes the path. Outcomes: not_found. Failures: wrong_kind (no socket stands there, or the name is abstract and
  /// goes with its socket), permission_denied.
  static Result<void> unlink(std::string_view path);

 private:
  explicit UnixDatagram(Fd fd) noexcept : fd_(std::move(fd)) {}
  Result<std::size_t> receive_until(MutableBytes into, Deadline deadline);
  Result<std::size_t> receive_on(MutableBytes into, ssize_t got, Deadline deadline);
  Result<std::size_t> try_receive_on(MutableBytes into, ssize_t got);

  Fd fd_;
};

}  // namespace tenon

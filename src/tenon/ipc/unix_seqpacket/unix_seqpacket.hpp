#pragma once
/// Messages both ways over a connection between two processes of one machine: whole, in order, with an end. unix(7)
#include <tenon/base/bytes.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/os/credentials.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/socket_transfer.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <utility>

namespace tenon {

/// One end of a connection. A message may have 0 bytes: recv(2) returns 0 for it and for the end alike, so the kernel
/// is asked to send its sender's credentials along with each message, which the end has not (SO_PASSCRED). For that the
/// kernel gives a socket without a name an abstract one when it first sends. No call raises SIGPIPE, none changes the
/// open file description. Descriptors that come along are closed; whoever expects some takes receive_descriptors().
///
/// Threads: any call but close, into_fd and moves may be made by several at once; each message goes to one of them.
/// fork: works in the child.
class UnixSeqpacket {
 public:
  /// Connects to the UnixSeqpacketListener at `name`. As UnixStream::connect.
  static Result<UnixSeqpacket> connect(std::string_view name, Deadline deadline);
  static Result<UnixSeqpacket> connect(std::string_view name, uid_t owner, Deadline deadline);
  /// Outcomes: not_found, no_peer, would_block.
  static Result<UnixSeqpacket> try_connect(std::string_view name);
  static Result<UnixSeqpacket> try_connect(std::string_view name, uid_t owner);

  /// Two ends that are connected to each other. Failures: limit_reached. socketpair(2)
  static Result<std::pair<UnixSeqpacket, UnixSeqpacket>> pair();
  /// Takes over a connected seqpacket socket.
  static UnixSeqpacket adopt(Fd fd) noexcept;

  /// Sends one message, and waits while there is no room for it. Outcomes: timed_out, stopped, closed (the other side
  /// has closed or died, or receives no more), message_too_long (which names the limit). Failures: no_memory. send(2)
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

  /// Takes the next message into the beginning of `into`; returns its size, which may be 0. Outcomes: timed_out,
  /// stopped, closed (the end: the other side has closed or died, or sends no more), message_too_long (with the
  /// message's size: what fits is in `into`, the kernel has dropped the rest; next_size() tells beforehand). recvmsg(2)
  [[gnu::always_inline]] Result<std::size_t> receive(MutableBytes into, Deadline deadline) {
    if (!deadline.is_unconditional()) {
      return receive_until(into, deadline);
    }
    Envelope envelope(into);
    const ssize_t got = envelope.receive(fd_.raw(), 0);
    if (envelope.came_whole(got)) [[likely]] {
      return static_cast<std::size_t>(got);
    }
    return receive_on(envelope, got, deadline);
  }
  /// Outcomes: would_block, closed, message_too_long.
  [[gnu::always_inline]] Result<std::size_t> try_receive(MutableBytes into) {
    Envelope envelope(into);
    const ssize_t got = envelope.receive(fd_.raw(), MSG_DONTWAIT);
    if (envelope.came_whole(got)) [[likely]] {
      return static_cast<std::size_t>(got);
    }
    if (got == -1 && errno == EAGAIN) {
      return Result<std::size_t>(std::unexpect, Errc::would_block, "recvmsg", EAGAIN);
    }
    return try_receive_on(envelope, got);
  }

  struct Received {
    std::size_t size;
    std::optional<Credentials>
        sender;                ///< who sent it, as the kernel says; nothing for what was sent before this end was
    bool dropped_descriptors;  ///< descriptors came along, which were closed
  };
  /// As receive, and who sent it: each message's own sender, where peer() tells who connected.
  Result<Received> receive_from(MutableBytes into, Deadline deadline);
  /// The size of the next message, which stays. Outcomes: timed_out, stopped, closed.
  Result<std::size_t> next_size(Deadline deadline);

  /// Says that no more will be sent: the other side receives to the end, and may go on sending. shutdown(2)
  Result<void> finish_sending();
  /// Says that no more will be received: the other side's sends are `closed`.
  Result<void> finish_receiving();
  /// Waits until the other side has closed or died. Outcomes: timed_out, stopped.
  Result<void> wait_closed(Deadline deadline) const { return wait_hung_up(fd(), deadline); }

  /// As UnixStream has them.
  Result<Credentials> peer() const { return peer_credentials(fd()); }
  Result<Fd> peer_process() const { return tenon::peer_process(fd()); }

  /// The longest message that can be sent.
  Result<std::size_t> longest_message() const;
  /// Makes longer messages possible: at least `bytes`, the kernel's own records included. Failures: limit_reached
  /// (net.core.wmem_max).
  Result<std::size_t> set_send_buffer(std::size_t bytes);

  /// Readable when a message or the end is there, writable when there is room.
  FdView fd() const noexcept { return fd_.view(); }
  Fd into_fd() && noexcept { return std::move(fd_); }
  Result<void> close() && { return std::move(fd_).close(); }

 private:
  // What one recvmsg(2) is given: where the message goes, and room for its sender's credentials and nothing else.
  struct Envelope {
    explicit Envelope(MutableBytes into) noexcept : text{.iov_base = into.data(), .iov_len = into.size()} {
      message.msg_iov = &text;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
    }
    Envelope(const Envelope&) = delete;
    Envelope& operator=(const Envelope&) = delete;
    ~Envelope() = default;

    ssize_t receive(int socket, int flags) noexcept {
      return ::recvmsg(socket, &message, flags | MSG_TRUNC | MSG_CMSG_CLOEXEC);
    }
    // Whether `got` tells of a message, of 0 bytes too, that fits and has nothing in it but credentials.
    bool came_whole(ssize_t got) const noexcept {
      return got >= 0 && static_cast<std::size_t>(got) <= text.iov_len && message.msg_controllen >= sizeof(cmsghdr) &&
             reinterpret_cast<const cmsghdr*>(control.data())->cmsg_type == SCM_CREDENTIALS;
    }

    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(ucred))> control;  // left as it is: the kernel fills it
    iovec text;
    msghdr message{};
  };
  struct Record;

  explicit UnixSeqpacket(Fd fd) noexcept : fd_(std::move(fd)) {}
  Result<std::size_t> receive_until(MutableBytes into, Deadline deadline);
  Result<std::size_t> receive_on(Envelope& envelope, ssize_t got, Deadline deadline);
  Result<std::size_t> try_receive_on(Envelope& envelope, ssize_t got);
  Result<Record> record_until(MutableBytes into, int more_flags, Deadline deadline);

  Fd fd_;
};

}  // namespace tenon

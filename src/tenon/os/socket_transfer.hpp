#pragma once
/// Sending and receiving over Unix sockets until a deadline. send(2), recv(2), sendmsg(2), recvmsg(2)
///
/// No call raises SIGPIPE (MSG_NOSIGNAL), and none changes the open file description: what must not block says so at
/// each call (MSG_DONTWAIT). A handle's first call stands inline in its class; what is here goes on when that did not
/// do it all, and is given the errno that it left.
#include <tenon/base/bytes.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/stop.hpp>

#include <cerrno>
#include <cstddef>
#include <span>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

namespace tenon {

/// Flags of a call that may wait as long as this: with a deadline or a stop it must not block in the kernel.
constexpr int flags_until(Deadline deadline) noexcept { return deadline.is_unconditional() ? 0 : MSG_DONTWAIT; }

/// Makes `call(flags)`, which returns as recv(2) and send(2) do, until it neither would block nor was interrupted, and
/// waits in between until the socket is ready for `wanted`. Outcomes: timed_out, stopped. Returns -1 with errno for any
/// other failure of the call.
template <class Call>
Result<ssize_t> transfer_until(const char* name, FdView socket, Ready wanted, Deadline deadline, Call call) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, name);
  }
  while (true) {
    const ssize_t done = call(flags_until(deadline));
    if (done >= 0 || (errno != EAGAIN && errno != EINTR)) {
      return done;
    }
    // EAGAIN without a deadline: whoever made the description has made it non-blocking.
    if (errno == EAGAIN) {
      if (auto ready = wait_ready(socket, wanted, deadline); !ready) {
        return fail(std::move(ready.error()));
      }
    }
  }
}

/// A stream's bytes, with a deadline or after a first recv(2) that returned `got`, 0 or -1. Returns as ReadEnd::read:
/// 0 is the end. Outcomes: also closed (the other side went without reading all that was sent to it).
Result<std::size_t> read_stream_until(FdView socket, MutableBytes into, Deadline deadline);
Result<std::size_t> read_stream_on(FdView socket, MutableBytes into, ssize_t got, Deadline deadline);
Result<std::size_t> try_read_stream_on(FdView socket, MutableBytes into, ssize_t got);

/// Likewise after a first send(2) that took less than all, or -1. Returns as WriteEnd::write.
Result<std::size_t> write_stream_until(FdView socket, Bytes from, Deadline deadline);
Result<std::size_t> write_stream_on(FdView socket, Bytes from, ssize_t sent, Deadline deadline);
Result<std::size_t> try_write_stream_on(FdView socket, Bytes from);

/// A message is sent whole or not at all. Outcomes: timed_out, stopped, closed (nobody will receive it),
/// message_too_long (naming the send buffer).
Result<void> send_message_until(FdView socket, Bytes message, Deadline deadline);
Result<void> send_message_on(FdView socket, Bytes message, Deadline deadline);
Result<void> try_send_message_on(FdView socket, Bytes message);

/// Pieces that go, or are filled, one after another as if they were one. At most 64: more is a broken contract.
class Pieces {
 public:
  static constexpr std::size_t most = 64;
  explicit Pieces(std::span<const Bytes> pieces);
  explicit Pieces(std::span<const MutableBytes> pieces);
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;

  std::size_t bytes() const noexcept;
  /// Leaves out the first bytes.
  void advance(std::size_t bytes) noexcept;
  iovec* data() noexcept { return first_; }
  std::size_t count() const noexcept { return count_; }

 private:
  iovec all_[most];
  iovec* first_ = all_;
  std::size_t count_;
};

Result<std::size_t> write_stream_gathered(FdView socket, std::span<const Bytes> pieces, Deadline deadline);
Result<std::size_t> read_stream_scattered(FdView socket, std::span<const MutableBytes> pieces, Deadline deadline);
Result<void> send_message_gathered(FdView socket, std::span<const Bytes> pieces, Deadline deadline);

/// What errno means after a send of `wanted` bytes over a connected socket.
Error send_failure(const char* call, FdView socket, int os_error, std::size_t wanted);
/// The failure of a receive whose buffer was too small for the message: the kernel has dropped what did not fit.
Error cut_short(const char* call, std::size_t room, std::size_t size);

/// Waits until the other side has closed, or has died. Outcomes: timed_out, stopped.
Result<void> wait_hung_up(FdView socket, Deadline deadline);

}  // namespace tenon

#pragma once
/// A kernel queue that keeps message boundaries and hands out the highest priority first. mq_overview(7)
#include <tenon/base/bytes.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/base/permissions.hpp>
#include <tenon/os/fd.hpp>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <mqueue.h>
#include <string_view>
#include <sys/types.h>

namespace tenon {

/// The name belongs to the kernel and outlives all processes until it is unlinked; the messages stay with it.
///
/// Threads: all calls but close, into_fd and moves from several at once; each message goes to one receiver. fork: works
/// in the child. The descriptor stays as it is: no call makes it non-blocking.
class PosixQueue {
 public:
  /// The highest priority; 0 is the lowest.
  static constexpr std::uint32_t most_priority = 32767;

  enum class Use : std::uint8_t { receiving, sending, both };

  /// Fixed when the queue is made.
  struct Limits {
    std::size_t messages = 10;         ///< so many wait before a sender does
    std::size_t message_bytes = 8192;  ///< of the longest message
  };

  /// What mq_getattr(3) tells.
  struct Attributes {
    std::size_t messages;       ///< mq_maxmsg
    std::size_t message_bytes;  ///< mq_msgsize
    std::size_t waiting;        ///< mq_curmsgs: how many are in the queue now
    bool non_blocking;          ///< of mq_flags: this descriptor's O_NONBLOCK, which the calls here do not heed
  };

  struct Received {
    std::size_t bytes;
    std::uint32_t priority;
  };

  /// Makes a new one, for both uses, with exactly these permissions whatever the umask. `name` is "/jobs": a slash,
  /// then 1 to 255 bytes without another. Outcomes: already_exists. Failures: invalid_name, invalid_argument,
  /// limit_reached (fs.mqueue.msg_max, msgsize_max or queues_max, RLIMIT_MSGQUEUE, RLIMIT_NOFILE, each with its
  /// figures), permission_denied, no_memory. mq_open(3)
  static Result<PosixQueue> create(std::string_view name, Limits limits, Permissions permissions = owner_only);

  /// Opens one that exists. Outcomes: not_found. Failures: permission_denied, which names the user it belongs to, if
  /// that is not `owner` (by default the caller).
  static Result<PosixQueue> open(std::string_view name, Use use = Use::both);
  static Result<PosixQueue> open(std::string_view name, Use use, uid_t owner);

  /// Opens it, or makes it. An existing one keeps its limits and permissions: attributes() tells them.
  static Result<PosixQueue> open_or_create(std::string_view name, Limits limits, Permissions permissions = owner_only);

  /// Takes over an open message queue descriptor (mqd_t), blocking or not.
  static PosixQueue adopt(Fd fd) noexcept { return PosixQueue(std::move(fd)); }

  /// Sends one message, wholly or not at all. Outcomes: timed_out, stopped, message_too_long (with the queue's limit).
  /// Failures: invalid_argument (priority), permission_denied (opened for receiving). mq_send(3)
  Result<void> send(Bytes message, std::uint32_t priority, Deadline deadline) {
    if (!deadline.is_unconditional()) {
      return send_until(message, priority, deadline);
    }
    if (::mq_send(fd_.raw(), text_of(message).data(), message.size(), priority) == 0) [[likely]] {
      return {};
    }
    return send_on(message, priority, deadline);
  }
  /// Outcomes: would_block (full).
  Result<void> try_send(Bytes message, std::uint32_t priority) {
    if (::mq_timedsend(fd_.raw(), text_of(message).data(), message.size(), priority, &past) == 0) [[likely]] {
      return {};
    }
    return has_no_room() ? Result<void>(std::unexpect, Errc::would_block, "mq_send", EAGAIN)
                         : try_send_on(message, priority);
  }

  /// Takes the oldest message of the highest priority. Outcomes: timed_out, stopped, message_too_long (`into` is
  /// smaller than the queue's messages may be: none was taken, and the error tells how much is needed). Failures:
  /// permission_denied (opened for sending). mq_receive(3)
  Result<Received> receive(MutableBytes into, Deadline deadline) {
    if (!deadline.is_unconditional()) {
      return receive_until(into, deadline);
    }
    unsigned priority = 0;
    const ssize_t got = ::mq_receive(fd_.raw(), reinterpret_cast<char*>(into.data()), into.size(), &priority);
    if (got >= 0) [[likely]] {
      return Received{.bytes = static_cast<std::size_t>(got), .priority = priority};
    }
    return receive_on(into, deadline);
  }
  /// Outcomes: would_block (empty).
  Result<Received> try_receive(MutableBytes into) {
    unsigned priority = 0;
    const ssize_t got =
        ::mq_timedreceive(fd_.raw(), reinterpret_cast<char*>(into.data()), into.size(), &priority, &past);
    if (got >= 0) [[likely]] {
      return Received{.bytes = static_cast<std::size_t>(got), .priority = priority};
    }
    return has_no_room() ? Result<Received>(std::unexpect, Errc::would_block, "mq_receive", EAGAIN)
                         : try_receive_on(into);
  }

  /// mq_getattr(3)
  Result<Attributes> attributes() const;
  /// The bytes of all messages in it.
  Result<std::size_t> buffered() const;
  /// Whether its name has been removed: those who have it open go on, nobody else will come.
  Result<bool> is_unlinked() const;

  /// The next message that comes into the empty queue, and that no receive() is waiting for, sends this process
  /// `signal` (si_code SI_MESGQ, si_pid the sender), once. One process can be told of a queue; the kernel forgets it
  /// when that process closes the queue or dies. Who can poll waits on fd() instead. Outcomes: already_exists (another
  /// process, or this one already). mq_notify(3)
  Result<void> notify(int signal);
  /// Takes that back; does nothing if this process is not the one to be told.
  Result<void> cancel_notification();

  /// Readable when a message is there, writable when there is room for one.
  FdView fd() const noexcept { return fd_.view(); }
  Fd into_fd() && noexcept { return std::move(fd_); }
  Result<void> close() && { return std::move(fd_).close(); }

  /// Removes the name; those who have the queue open go on. Outcomes: not_found. Failures: invalid_name,
  /// permission_denied. mq_unlink(3)
  static Result<void> unlink(std::string_view name);

 private:
  explicit PosixQueue(Fd fd) noexcept : fd_(std::move(fd)) {}
  Result<void> send_until(Bytes message, std::uint32_t priority, Deadline deadline);
  Result<void> send_on(Bytes message, std::uint32_t priority, Deadline deadline);
  Result<void> try_send_on(Bytes message, std::uint32_t priority);
  Result<Received> receive_until(MutableBytes into, Deadline deadline);
  Result<Received> receive_on(MutableBytes into, Deadline deadline);
  Result<Received> try_receive_on(MutableBytes into);
  Error send_failure(int os_error, Bytes message, std::uint32_t priority) const;
  Error receive_failure(int os_error, MutableBytes into) const;

  // A blocking descriptor says ETIMEDOUT to a time that has passed, a non-blocking one EAGAIN.
  static bool has_no_room() noexcept { return errno == ETIMEDOUT || errno == EAGAIN; }

  static constexpr timespec past{};  // 1970: the kernel looks once and does not sleep
  Fd fd_;
};

}  // namespace tenon

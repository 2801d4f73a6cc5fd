#pragma once
/// A kernel queue whose messages have types, by which a receiver chooses. sysvipc(7), msgget(2)
#include <tenon/base/bytes.hpp>
#include <tenon/base/contract.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/base/permissions.hpp>
#include <tenon/base/result.hpp>
#include <tenon/os/sysv_key.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/types.h>

namespace tenon {

/// The queue belongs to the kernel and lives until it is removed; the handle holds its identifier and nothing else, so
/// there is no descriptor, and nothing to close.
///
/// A queue that is removed is `closed` to all who use it, those who wait included. Threads: all calls from several at
/// once; each message goes to one receiver. fork: works in the child.
class SysvQueue {
 public:
  /// Which messages a receiver wants.
  class Types {
   public:
    /// The oldest message, whatever its type.
    static constexpr Types any() noexcept { return {0, 0}; }
    /// The oldest of this type, at least 1.
    static constexpr Types exactly(long type) { return {checked(type), 0}; }
    /// The oldest of the lowest type there is, if that is at most `most`.
    static constexpr Types lowest_up_to(long most) { return {-checked(most), 0}; }
    /// The oldest of any other type.
    static constexpr Types except(long type) { return {checked(type), all_but}; }

   private:
    friend class SysvQueue;
    static constexpr int all_but = 020000;  // MSG_EXCEPT
    static constexpr long checked(long type) {
      expects(type > 0, "the type of a message is at least 1");
      return type;
    }
    constexpr Types(long type, int flag) noexcept : type_(type), flag_(flag) {}
    long type_;
    int flag_;
  };

  struct Received {
    std::size_t bytes;
    long type;
  };

  /// What msgctl(2) tells.
  struct Status {
    SysvKey key;
    uid_t owner;
    uid_t creator;
    Permissions permissions;
    std::size_t messages;   ///< that wait
    std::size_t bytes;      ///< of all of them
    std::size_t capacity;   ///< bytes that it holds before a sender waits (msg_qbytes)
    pid_t last_sender;      ///< 0 for nobody yet
    pid_t last_receiver;    ///< likewise
    std::time_t last_send;  ///< by the wall clock, 0 for never
    std::time_t last_receive;
  };

  /// Makes a new one with exactly these permissions: the umask has no part in it. Outcomes: already_exists. Failures:
  /// limit_reached (kernel.msgmni), no_memory. msgget(2)
  static Result<SysvQueue> create(SysvKey key, Permissions permissions = owner_only);

  /// Opens one that exists. Outcomes: not_found. Failures: permission_denied, which names the user it belongs to, if
  /// that is not `owner` (by default the caller), invalid_argument (a key that nobody shares).
  static Result<SysvQueue> open(SysvKey key);
  static Result<SysvQueue> open(SysvKey key, uid_t owner);

  /// Opens it, or makes it. An existing one keeps its permissions.
  static Result<SysvQueue> open_or_create(SysvKey key, Permissions permissions = owner_only);

  /// Takes over an identifier, as another process has told it.
  static SysvQueue adopt(int id) noexcept { return SysvQueue(id); }

  /// Sends one message of a type, at least 1, wholly or not at all. Outcomes: timed_out, stopped, closed (the queue was
  /// removed), message_too_long (with the limit: kernel.msgmax, or the queue's capacity, for which the kernel would
  /// wait for ever). Failures: invalid_argument (type), permission_denied. msgsnd(2)
  Result<void> send(Bytes message, long type, Deadline deadline) {
    return deadline.stop() == nullptr && try_short(message, type) ? Result<void>() : send_on(message, type, deadline);
  }
  /// Outcomes: would_block (full), and as send.
  Result<void> try_send(Bytes message, long type) {
    return try_short(message, type) ? Result<void>() : try_send_on(message, type);
  }

  /// Takes a message. Outcomes: timed_out, stopped, closed (the queue was removed), message_too_long (the message that
  /// it would take is longer than `into`; it stays). Failures: permission_denied. msgrcv(2)
  [[gnu::always_inline]] Result<Received> receive(MutableBytes into, Types which, Deadline deadline) {
    if (deadline.is_unconditional()) {
      if (const Received got = take_short(short_of(into), which.type_, which.flag_); got.type != 0) [[likely]] {
        return got;
      }
    }
    return receive_on(into, which, deadline);
  }
  /// Outcomes: would_block (no such message), and as receive.
  [[gnu::always_inline]] Result<Received> try_receive(MutableBytes into, Types which) {
    const Received got = take_short(short_of(into), which.type_, which.flag_ | IPC_NOWAIT);
    if (got.type != 0) [[likely]] {
      return got;
    }
    return errno == ENOMSG ? Result<Received>(std::unexpect, Errc::would_block, "msgrcv", ENOMSG)
                           : try_receive_on(into, which);
  }

  /// Copies the message at a place, 0 for the oldest, and leaves it there. Outcomes: would_block (there is none at that
  /// place), closed, message_too_long. Failures: not_supported (a kernel without CONFIG_CHECKPOINT_RESTORE),
  /// permission_denied. msgrcv(2), MSG_COPY
  Result<Received> peek(MutableBytes into, std::size_t place) const;

  /// Outcomes: closed. Failures: permission_denied (no right to read it).
  Result<Status> status() const;
  /// How many bytes it holds before a sender waits. Outcomes: closed. Failures: limit_reached (beyond kernel.msgmnb
  /// only with CAP_SYS_RESOURCE), permission_denied.
  Result<void> set_capacity(std::size_t bytes);

  /// As ipcs(1) shows it and other processes can adopt() it.
  int id() const noexcept { return id_; }

  SysvQueue(SysvQueue&&) noexcept = default;
  SysvQueue& operator=(SysvQueue&&) noexcept = default;
  SysvQueue(const SysvQueue&) = delete;
  SysvQueue& operator=(const SysvQueue&) = delete;
  ~SysvQueue() = default;

  /// Removes it at once, with what is in it, and wakes all who wait. Outcomes: not_found. Failures: permission_denied,
  /// which names the user it belongs to.
  static Result<void> unlink(SysvKey key);
  /// Likewise, by its identifier.
  static Result<void> remove(int id);

 private:
  // Not inlined: their frame of two pages would be their callers'. The kernel wants the type before the text, so that
  // the text goes through a buffer; as long as kernel.msgmax is what it is by default, that is on the stack.
  static constexpr std::size_t on_stack = 8192;
  struct ShortMessage {
    long type;
    std::array<std::byte, on_stack> text;
  };

  explicit constexpr SysvQueue(int id) noexcept : id_(id) {}
  [[gnu::noinline]] bool try_short(Bytes message, long type) const noexcept {
    ShortMessage whole;  // left as it is beyond the text
    if (message.size() > on_stack) [[unlikely]] {
      return false;
    }
    whole.type = type;
    std::copy(message.begin(), message.end(), whole.text.begin());
    return ::msgsnd(id_, &whole, message.size(), IPC_NOWAIT) == 0;
  }
  // Cut here, and flags joined there, a caller whose buffer and types are known when it is compiled pays nothing.
  static constexpr MutableBytes short_of(MutableBytes into) noexcept {
    return into.first(std::min(into.size(), on_stack));
  }
  // `into` is as long as on_stack at most. A type of 0 says that there was none; errno tells why.
  [[gnu::noinline]] Received take_short(MutableBytes into, long type, int flags) const noexcept {
    ShortMessage whole;  // left as it is
    const ssize_t got = ::msgrcv(id_, &whole, into.size(), type, flags);
    if (got <= 0) [[unlikely]] {
      return {.bytes = 0, .type = got == 0 ? whole.type : 0};
    }
    std::memcpy(into.data(), whole.text.data(), static_cast<std::size_t>(got));
    return {.bytes = static_cast<std::size_t>(got), .type = whole.type};
  }
  Result<void> send_on(Bytes message, long type, Deadline deadline);
  Result<void> try_send_on(Bytes message, long type);
  Result<Received> receive_on(MutableBytes into, Types which, Deadline deadline);
  Result<Received> try_receive_on(MutableBytes into, Types which);

  int id_;
};

}  // namespace tenon

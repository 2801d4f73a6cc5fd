#include <tenon/ipc/sysv_queue/sysv_queue.hpp>

#include <tenon/ipc/sysv_queue/sysv_queue_failures.hpp>
#include <tenon/os/backoff.hpp>
#include <tenon/os/create_or_open.hpp>
#include <tenon/os/stop.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>
#include <vector>

namespace tenon {

namespace {

constexpr std::size_t on_stack = 8192;  // as SysvQueue's

/// What the kernel gives, for messages that fit on the stack.
struct ShortMessage {
  long type;
  std::array<std::byte, on_stack> text;
};

/// A message of any length as msgsnd(2) takes it.
class Envelope {
 public:
  Envelope(Bytes message, long type) : size_(message.size()) {
    if (size_ > on_stack) {
      long_.resize(sizeof type + size_);
    }
    std::byte* const start = long_.empty() ? short_.data() : long_.data();
    std::memcpy(start, &type, sizeof type);
    if (!message.empty()) {
      std::memcpy(start + sizeof type, message.data(), size_);
    }
  }

  bool send(int id, int flags) const noexcept {
    return ::msgsnd(id, long_.empty() ? short_.data() : long_.data(), size_, flags) == 0;
  }
  std::size_t size() const noexcept { return size_; }

 private:
  alignas(long) std::array<std::byte, sizeof(long) + on_stack> short_;  // left as it is beyond the message
  std::vector<std::byte> long_;
  std::size_t size_;
};

/// What one msgrcv(2) gave; errno tells why, if `bytes` is -1.
struct Taken {
  ssize_t bytes;
  long type;
};

Taken take_long(int id, MutableBytes into, long wanted, int flags) {
  const std::size_t room =
      std::min<std::size_t>(into.size(), std::max<std::uint64_t>(sysv_queue_setting("msgmax"), on_stack));
  std::vector<std::byte> buffer(sizeof(long) + room);
  const ssize_t got = ::msgrcv(id, buffer.data(), room, wanted, flags);
  Taken taken{.bytes = got, .type = 0};
  if (got >= 0) {
    std::memcpy(&taken.type, buffer.data(), sizeof taken.type);
    std::memcpy(into.data(), buffer.data() + sizeof taken.type, static_cast<std::size_t>(got));
  }
  return taken;
}

Taken take(int id, MutableBytes into, long wanted, int flags) {
  ShortMessage whole;  // left as it is
  const ssize_t got = ::msgrcv(id, &whole, std::min(into.size(), on_stack), wanted, flags);
  if (got > 0) [[likely]] {
    std::memcpy(into.data(), whole.text.data(), static_cast<std::size_t>(got));
  } else if (got == -1 && into.size() > on_stack && errno == E2BIG) {
    return take_long(id, into, wanted, flags);
  }
  return {.bytes = got, .type = got >= 0 ? whole.type : 0};
}

// One that is longer than the buffer on the stack, or that a signal has interrupted.
Result<void> try_send_envelope(int id, Bytes message, long type) {
  if (message.size() > on_stack && message.size() > sysv_queue_setting("msgmax")) {
    return fail(sysv_queue_send_failure(EINVAL, type, message.size()));  // before it is copied
  }
  const Envelope envelope(message, type);
  while (!envelope.send(id, IPC_NOWAIT)) {
    if (errno == EAGAIN) {
      return Result<void>(std::unexpect, Errc::would_block, "msgsnd", EAGAIN);
    }
    if (errno != EINTR) {
      return fail(sysv_queue_send_failure(errno, type, message.size()));
    }
  }
  return {};
}

Result<int> id_of(SysvKey key) {
  if (key.is_unshared()) {
    return fail(Error(Errc::invalid_argument, "msgget").because("a private queue is found by its identifier alone"));
  }
  const int id = ::msgget(key.value(), 0);
  return id == -1 ? Result<int>(fail(os_failure("msgget", errno).on(key.text()))) : Result<int>(id);
}

}  // namespace

Result<SysvQueue> SysvQueue::create(SysvKey key, Permissions permissions) {
  const int id = ::msgget(key.value(), IPC_CREAT | IPC_EXCL | static_cast<int>(permissions.mode()));
  if (id == -1) {
    return fail(sysv_queue_create_failure(errno, key));
  }
  return SysvQueue(id);
}

Result<SysvQueue> SysvQueue::open(SysvKey key) { return open(key, ::geteuid()); }

Result<SysvQueue> SysvQueue::open(SysvKey key, uid_t owner) {
  return id_of(key).and_then(
      [&](int id) { return sysv_queue_belongs_to(id, key, owner).transform([&] { return SysvQueue(id); }); });
}

Result<SysvQueue> SysvQueue::open_or_create(SysvKey key, Permissions permissions) {
  return create_or_open("msgget", key.text(), [&] { return create(key, permissions); }, [&] { return open(key); });
}

// One that is longer than the buffer on the stack, that a signal has interrupted, or that there was no room for.
Result<void> SysvQueue::try_send_on(Bytes message, long type) {
  if (message.size() <= on_stack && errno == EAGAIN) {
    return Result<void>(std::unexpect, Errc::would_block, "msgsnd", EAGAIN);
  }
  return try_send_envelope(id_, message, type);
}

// The kernel has no deadline for this: without one it is waited in the kernel, else looked again and again.
Result<void> SysvQueue::send_on(Bytes message, long type, Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "msgsnd");
  }
  auto sent = try_send_envelope(id_, message, type);
  if (!sent.failed_with(Errc::would_block)) [[likely]] {
    return sent;
  }
  if (auto fits = sysv_queue_fits(id_, message.size()); !fits) {
    return fits;
  }
  const Envelope envelope(message, type);
  Backoff backoff(deadline);
  const int flags = deadline.is_unconditional() ? 0 : IPC_NOWAIT;
  while (true) {
    if (auto slept = flags == 0 ? Result<void>() : backoff.sleep(); !slept) {
      return fail(slept.error().code(), "msgsnd");
    }
    if (envelope.send(id_, flags)) {
      return {};
    }
    if (errno != EINTR && errno != EAGAIN) {
      return fail(sysv_queue_send_failure(errno, type, message.size()));
    }
  }
}

Result<SysvQueue::Received> SysvQueue::try_receive_on(MutableBytes into, Types which) {
  while (true) {
    const Taken taken = take(id_, into, which.type_, which.flag_ | IPC_NOWAIT);
    if (taken.bytes >= 0) [[likely]] {
      return Received{.bytes = static_cast<std::size_t>(taken.bytes), .type = taken.type};
    }
    const int why = errno;
    if (why == ENOMSG) {
      return Result<Received>(std::unexpect, Errc::would_block, "msgrcv", ENOMSG);
    }
    if (why != EINTR) {
      return fail(sysv_queue_receive_failure(why, into));
    }
  }
}

Result<SysvQueue::Received> SysvQueue::receive_on(MutableBytes into, Types which, Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "msgrcv");
  }
  std::optional<Backoff> backoff;  // a message that is there needs no clock
  const int flags = which.flag_ | (deadline.is_unconditional() ? 0 : IPC_NOWAIT);
  while (true) {
    const Taken taken = take(id_, into, which.type_, flags);
    if (taken.bytes >= 0) [[likely]] {
      return Received{.bytes = static_cast<std::size_t>(taken.bytes), .type = taken.type};
    }
    if (errno == EINTR) {
      continue;
    }
    if (!sysv_queue_would_block(errno)) {
      return fail(sysv_queue_receive_failure(errno, into));
    }
    if (!backoff) {
      backoff.emplace(deadline);
    }
    if (auto slept = backoff->sleep(); !slept) {
      return fail(slept.error().code(), "msgrcv");
    }
  }
}

Result<SysvQueue::Received> SysvQueue::peek(MutableBytes into, std::size_t place) const {
  const Taken taken = take(id_, into, static_cast<long>(place), MSG_COPY | IPC_NOWAIT);
  if (taken.bytes == -1) {
    return fail(sysv_queue_receive_failure(errno, into));
  }
  return Received{.bytes = static_cast<std::size_t>(taken.bytes), .type = taken.type};
}

Result<SysvQueue::Status> SysvQueue::status() const {
  return sysv_queue_status(id_).and_then([](const msqid_ds& kernel) -> Result<Status> {
    constexpr unsigned permission_bits = 0777;
    return Status{.key = SysvKey::number(kernel.msg_perm.__key).value_or(SysvKey::unshared()),
                  .owner = kernel.msg_perm.uid,
                  .creator = kernel.msg_perm.cuid,
                  .permissions = Permissions(kernel.msg_perm.mode & permission_bits),
                  .messages = kernel.msg_qnum,
                  .bytes = kernel.msg_cbytes,
                  .capacity = kernel.msg_qbytes,
                  .last_sender = kernel.msg_lspid,
                  .last_receiver = kernel.msg_lrpid,
                  .last_send = kernel.msg_stime,
                  .last_receive = kernel.msg_rtime};
  });
}

Result<void> SysvQueue::set_capacity(std::size_t bytes) {
  return sysv_queue_status(id_).and_then([&](msqid_ds kernel) -> Result<void> {
    kernel.msg_qbytes = bytes;
    if (::msgctl(id_, IPC_SET, &kernel) == 0) {
      return {};
    }
    const int why = errno;
    if (const auto most = sysv_queue_setting("msgmnb"); why == EPERM && bytes > most) {
      return fail(Error(Errc::limit_reached, "msgctl", why)
                      .with({.name = "kernel.msgmnb",
                             .value = most,
                             .wanted = bytes,
                             .remedy = "raise it with: sysctl -w kernel.msgmnb=N, or have CAP_SYS_RESOURCE"}));
    }
    return fail(os_failure("msgctl", why));
  });
}

Result<void> SysvQueue::unlink(SysvKey key) {
  return id_of(key).and_then([&](int id) -> Result<void> {
    auto gone = remove(id);
    return gone ? gone : fail(std::move(gone.error()).on(key.text()));
  });
}

Result<void> SysvQueue::remove(int id) {
  if (::msgctl(id, IPC_RMID, nullptr) == 0) {
    return {};
  }
  return fail(sysv_queue_remove_failure(errno, id));
}

}  // namespace tenon

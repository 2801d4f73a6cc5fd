#include <tenon/ipc/posix_queue/posix_queue.hpp>

#include <tenon/base/name.hpp>
#include <tenon/ipc/posix_queue/posix_queue_limits.hpp>
#include <tenon/os/create_or_open.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/stop.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

Result<std::string> checked(std::string_view name) {
  if (!name.starts_with('/')) {
    return fail(Error(Errc::invalid_name).on(name).because("a queue's name begins with '/'"));
  }
  auto rest = Name::make(name.substr(1));
  if (!rest) {
    return fail(Error(Errc::invalid_name).on(name).because(rest.error().detail()));
  }
  return std::string(name);
}

int flags_of(PosixQueue::Use use) noexcept {
  return use == PosixQueue::Use::receiving ? O_RDONLY : use == PosixQueue::Use::sending ? O_WRONLY : O_RDWR;
}

Result<struct stat> status_of(FdView queue) {
  struct stat status{};
  if (::fstat(queue.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  return status;
}

// Somebody else may have taken the name first, to read what is sent: names are anybody's.
Result<Fd> open_of(const std::string& name, PosixQueue::Use use, uid_t owner) {
  const int opened = ::mq_open(name.c_str(), flags_of(use) | O_CLOEXEC);
  if (opened == -1) {
    return fail(posix_queue_name_failure("mq_open", errno, name));
  }
  Fd queue = Fd::adopt(opened);
  auto status = status_of(queue.view());
  if (!status) {
    return fail(std::move(status.error()).on(name));
  }
  if (status->st_uid != owner) {
    return fail(
        Error(Errc::permission_denied, "mq_open")
            .on(name)
            .because("it belongs to uid " + std::to_string(status->st_uid) + ", not to uid " + std::to_string(owner)));
  }
  return queue;
}

}  // namespace

Result<PosixQueue> PosixQueue::create(std::string_view name, Limits limits, Permissions permissions) {
  auto path = checked(name);
  if (!path) {
    return fail(std::move(path.error()));
  }
  if (limits.messages == 0 || limits.message_bytes == 0 || limits.messages > LONG_MAX ||
      limits.message_bytes > LONG_MAX) {
    return fail(Error(Errc::invalid_argument, "mq_open").on(name).because("a queue holds 1 message of 1 byte or more"));
  }
  mq_attr attributes{};
  attributes.mq_maxmsg = static_cast<long>(limits.messages);
  attributes.mq_msgsize = static_cast<long>(limits.message_bytes);
  const int made = ::mq_open(path->c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, permissions.mode(), &attributes);
  if (made == -1) {
    return fail(posix_queue_create_failure(errno, *path, limits));
  }
  Fd queue = Fd::adopt(made);
  // Until here the umask may have narrowed it, never widened.
  if (auto set = set_exact_mode(queue.view(), permissions); !set) {
    ::mq_unlink(path->c_str());
    return fail(std::move(set.error()).on(name));
  }
  return PosixQueue(std::move(queue));
}

Result<PosixQueue> PosixQueue::open(std::string_view name, Use use) { return open(name, use, ::geteuid()); }

Result<PosixQueue> PosixQueue::open(std::string_view name, Use use, uid_t owner) {
  return checked(name)
      .and_then([&](const std::string& path) { return open_of(path, use, owner); })
      .transform([](Fd queue) { return PosixQueue(std::move(queue)); });
}

Result<PosixQueue> PosixQueue::open_or_create(std::string_view name, Limits limits, Permissions permissions) {
  return create_or_open("mq_open", name, [&] { return create(name, limits, permissions); }, [&] { return open(name); });
}

Error PosixQueue::send_failure(int os_error, Bytes message, std::uint32_t priority) const {
  if (os_error == EMSGSIZE) {
    const auto limit = attributes().transform([](const Attributes& all) { return all.message_bytes; }).value_or(0);
    return os_failure("mq_send", os_error)
        .with({.name = "mq_msgsize of this queue",
               .value = limit,
               .wanted = message.size(),
               .remedy = "send it in parts, or make the queue with longer messages"});
  }
  if (os_error == EINVAL && priority > most_priority) {
    return os_failure("mq_send", os_error).because("priorities go from 0 to " + std::to_string(most_priority));
  }
  return os_error == EBADF
             ? Error(Errc::permission_denied, "mq_send", os_error).because("the queue was opened for receiving alone")
             : os_failure("mq_send", os_error);
}

Error PosixQueue::receive_failure(int os_error, MutableBytes into) const {
  if (os_error == EMSGSIZE) {
    const auto needed = attributes().transform([](const Attributes& all) { return all.message_bytes; }).value_or(0);
    return os_failure("mq_receive", os_error)
        .because("messages of this queue may have " + std::to_string(needed) + " bytes, the buffer has " +
                 std::to_string(into.size()) + "; nothing was taken");
  }
  return os_error == EBADF
             ? Error(Errc::permission_denied, "mq_receive", os_error).because("the queue was opened for sending alone")
             : os_failure("mq_receive", os_error);
}

Result<void> PosixQueue::send_until(Bytes message, std::uint32_t priority, Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "mq_send");
  }
  if (::mq_timedsend(fd_.raw(), text_of(message).data(), message.size(), priority, &past) == 0) {
    return {};
  }
  return send_on(message, priority, deadline);
}

// After a call that sent nothing; errno is what that left. The kernel's own deadline goes by the wall clock, so it is
// poll that waits; an open-ended wait meets EAGAIN on a descriptor that somebody made non-blocking.
Result<void> PosixQueue::send_on(Bytes message, std::uint32_t priority, Deadline deadline) {
  while (true) {
    const int why = errno;
    if (why != ETIMEDOUT && why != EAGAIN && why != EINTR) {
      return fail(send_failure(why, message, priority));
    }
    if (auto ready = why == EINTR ? Result<Ready>(Ready::nothing) : wait_ready(fd(), Ready::writing, deadline);
        !ready) {
      return fail(std::move(ready.error()));
    }
    const char* const text = text_of(message).data();
    const int sent = deadline.is_unconditional() ? ::mq_send(fd_.raw(), text, message.size(), priority)
                                                 : ::mq_timedsend(fd_.raw(), text, message.size(), priority, &past);
    if (sent == 0) {
      return {};
    }
  }
}

// After a call that failed otherwise than for want of room; errno is what that left.
Result<void> PosixQueue::try_send_on(Bytes message, std::uint32_t priority) {
  while (errno == EINTR) {
    if (::mq_timedsend(fd_.raw(), text_of(message).data(), message.size(), priority, &past) == 0) {
      return {};
    }
  }
  return has_no_room() ? fail(Errc::would_block, "mq_send") : fail(send_failure(errno, message, priority));
}

Result<PosixQueue::Received> PosixQueue::receive_until(MutableBytes into, Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "mq_receive");
  }
  unsigned priority = 0;
  const ssize_t got = ::mq_timedreceive(fd_.raw(), reinterpret_cast<char*>(into.data()), into.size(), &priority, &past);
  if (got >= 0) {
    return Received{.bytes = static_cast<std::size_t>(got), .priority = priority};
  }
  return receive_on(into, deadline);
}

// As send_on.
Result<PosixQueue::Received> PosixQueue::receive_on(MutableBytes into, Deadline deadline) {
  while (true) {
    const int why = errno;
    if (why != ETIMEDOUT && why != EAGAIN && why != EINTR) {
      return fail(receive_failure(why, into));
    }
    if (auto ready = why == EINTR ? Result<Ready>(Ready::nothing) : wait_ready(fd(), Ready::reading, deadline);
        !ready) {
      return fail(std::move(ready.error()));
    }
    unsigned priority = 0;
    auto* const text = reinterpret_cast<char*>(into.data());
    const ssize_t got = deadline.is_unconditional() ? ::mq_receive(fd_.raw(), text, into.size(), &priority)
                                                    : ::mq_timedreceive(fd_.raw(), text, into.size(), &priority, &past);
    if (got >= 0) {
      return Received{.bytes = static_cast<std::size_t>(got), .priority = priority};
    }
  }
}

Result<PosixQueue::Received> PosixQueue::try_receive_on(MutableBytes into) {
  while (errno == EINTR) {
    unsigned priority = 0;
    const ssize_t got =
        ::mq_timedreceive(fd_.raw(), reinterpret_cast<char*>(into.data()), into.size(), &priority, &past);
    if (got >= 0) {
      return Received{.bytes = static_cast<std::size_t>(got), .priority = priority};
    }
  }
  return has_no_room() ? fail(Errc::would_block, "mq_receive") : fail(receive_failure(errno, into));
}

Result<PosixQueue::Attributes> PosixQueue::attributes() const {
  mq_attr kernel{};
  if (::mq_getattr(fd_.raw(), &kernel) == -1) {
    return fail(os_failure("mq_getattr", errno));
  }
  return Attributes{.messages = static_cast<std::size_t>(kernel.mq_maxmsg),
                    .message_bytes = static_cast<std::size_t>(kernel.mq_msgsize),
                    .waiting = static_cast<std::size_t>(kernel.mq_curmsgs),
                    .non_blocking = (kernel.mq_flags & O_NONBLOCK) != 0};
}

// Reading the descriptor as a file tells it: "QSIZE:129   NOTIFY:2 …".
Result<std::size_t> PosixQueue::buffered() const {
  constexpr std::string_view label = "QSIZE:";
  std::array<char, 128> text{};
  const ssize_t got = ::pread(fd_.raw(), text.data(), text.size(), 0);
  if (got == -1) {
    return fail(errno == EBADF
                    ? Error(Errc::permission_denied, "read", errno).because("the queue was opened for sending alone")
                    : os_failure("read", errno));
  }
  const std::string_view line(text.data(), static_cast<std::size_t>(got));
  std::size_t bytes = 0;
  const auto parsed =
      std::from_chars(line.data() + std::min(label.size(), line.size()), line.data() + line.size(), bytes);
  if (!line.starts_with(label) || parsed.ec != std::errc()) {
    return fail(Error(Errc::not_supported, "read").because("the kernel does not tell a queue's size here"));
  }
  return bytes;
}

Result<bool> PosixQueue::is_unlinked() const {
  return status_of(fd()).transform([](const struct stat& status) { return status.st_nlink == 0; });
}

Result<void> PosixQueue::notify(int signal) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = signal;
  if (::mq_notify(fd_.raw(), &event) == 0) {
    return {};
  }
  return errno == EBUSY ? fail(Error(Errc::already_exists, "mq_notify", EBUSY)
                                   .because("a living process that has the queue open is told of it already"))
                        : fail(os_failure("mq_notify", errno));
}

Result<void> PosixQueue::cancel_notification() {
  if (::mq_notify(fd_.raw(), nullptr) == -1) {
    return fail(os_failure("mq_notify", errno));
  }
  return {};
}

Result<void> PosixQueue::unlink(std::string_view name) {
  return checked(name).and_then([](const std::string& path) -> Result<void> {
    if (::mq_unlink(path.c_str()) == -1) {
      return fail(posix_queue_name_failure("mq_unlink", errno, path));
    }
    return {};
  });
}

}  // namespace tenon

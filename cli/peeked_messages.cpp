#include <cli/peeked_messages.hpp>

#include <tenon/base/error.hpp>
#include <tenon/inspect/patterns/queue_messages.hpp>
#include <tenon/inspect/patterns/topic_messages.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <sys/msg.h>

namespace tenon::cli {

namespace {

constexpr std::size_t shown_bytes = 64;

struct KernelMessage {
  long type;
  char bytes[1];
};

std::string why_not(int os_error) {
  switch (os_error) {
    case ENOSYS:
      return "messages cannot be peeked at: this kernel was built without CONFIG_CHECKPOINT_RESTORE";
    case EACCES:
      return "messages cannot be peeked at: this user may not read the queue";
    default:
      return "messages cannot be peeked at: " + os_failure("msgrcv", os_error).message();
  }
}

// A copy changes neither the queue nor what it remembers of its last receiver. Too little room is refused, so there is
// room for all bytes that are there.
PeekedMessages peek_in_kernel(const inspect::Object& object, std::size_t most) {
  PeekedMessages peeked;
  std::vector<char> room(sizeof(KernelMessage) + object.figure("bytes").value_or(0));
  auto* const message = reinterpret_cast<KernelMessage*>(room.data());
  const std::size_t count = std::min<std::size_t>(most, object.figure("messages").value_or(0));
  for (std::size_t i = 0; i < count; ++i) {
    const ssize_t got = ::msgrcv(*object.id, message, room.size() - sizeof(long), static_cast<long>(i),
                                 MSG_COPY | IPC_NOWAIT | MSG_NOERROR);
    if (got == -1 && errno == ENOMSG) {
      break;  // it was received meanwhile
    }
    if (got == -1) {
      peeked.unseen = why_not(errno);
      break;
    }
    const auto bytes = static_cast<std::size_t>(got);
    peeked.messages.push_back({.about = fmt::format("type {}", message->type),
                               .bytes = bytes,
                               .begins = std::string(message->bytes, std::min(bytes, shown_bytes))});
  }
  return peeked;
}

PeekedMessages peek_in_queue(const inspect::Object& object, std::size_t most) {
  PeekedMessages peeked;
  const auto waiting = inspect::waiting_messages(object.domain, object.name, most, shown_bytes);
  if (!waiting) {
    peeked.unseen = "messages cannot be peeked at: " + waiting.error().message();
    return peeked;
  }
  for (const inspect::WaitingMessage& one : *waiting) {
    const std::string again = one.deliveries > 0 ? fmt::format(", taken {} times before", one.deliveries) : "";
    peeked.messages.push_back({.about = fmt::format("priority {}{}, waits {:.1f} s", one.priority, again,
                                                    static_cast<double>(one.waits) / 1e9),
                               .bytes = one.bytes,
                               .begins = one.begins});
  }
  return peeked;
}

PeekedMessages peek_in_topic(const inspect::Object& object, std::size_t most) {
  PeekedMessages peeked;
  const auto newest = inspect::newest_messages(object.domain, object.name, most, shown_bytes);
  if (!newest) {
    peeked.unseen = "messages cannot be peeked at: " + newest.error().message();
    return peeked;
  }
  for (const inspect::PublishedMessage& one : *newest) {
    peeked.messages.push_back({.about = fmt::format("number {} of publisher {}", one.number, one.publisher),
                               .bytes = one.bytes,
                               .begins = one.begins});
  }
  return peeked;
}

}  // namespace

PeekedMessages peek_messages(const inspect::Object& object, std::size_t most) {
  switch (object.kind) {
    case inspect::Kind::sysv_queue:
      return peek_in_kernel(object, most);
    case inspect::Kind::queue:
      return peek_in_queue(object, most);
    case inspect::Kind::topic:
      return peek_in_topic(object, most);
    case inspect::Kind::posix_queue:
      return {.messages = {}, .unseen = "a POSIX queue lets nobody look at a message without taking it"};
    default:
      return {};
  }
}

}  // namespace tenon::cli

// The kernel's message queues. mq_overview(7), sysvipc(7)
#include <cells/lines/message_line.hpp>

#include <tenon/ipc/posix_queue/posix_queue.hpp>
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>
#include <tenon/os/poll.hpp>

#include <algorithm>
#include <memory>
#include <unistd.h>

namespace cells {

namespace {

using tenon::Bytes;
using tenon::MutableBytes;
using tenon::never;
using tenon::PosixQueue;
using tenon::Ready;
using tenon::SysvQueue;

struct PosixEnds {
  PosixQueue queue;
  std::size_t depth;
  std::size_t bytes;
  std::uint32_t priority = 0;

  tenon::Result<void> try_send(Bytes message) { return queue.try_send(message, priority); }
  tenon::Result<void> send(Bytes message) { return queue.send(message, priority, never); }
  tenon::Result<PosixQueue::Received> try_receive(MutableBytes into) { return queue.try_receive(into); }
  tenon::Result<PosixQueue::Received> receive(MutableBytes into) { return queue.receive(into, never); }
  void wait_sendable() { tenon::wait_ready(queue.fd(), Ready::writing, never).or_throw(); }
  void wait_receivable() { tenon::wait_ready(queue.fd(), Ready::reading, never).or_throw(); }
  void urgent(bool now) { priority = now ? 1 : 0; }
  std::size_t memory() const { return depth * bytes; }
};

std::shared_ptr<Line> open_posix(const Cell& cell) {
  static int made = 0;
  const std::size_t depth = cell.room(10);
  const std::string name = "/tenon-bench-" + std::to_string(::getpid()) + "-" + std::to_string(++made);
  auto queue = PosixQueue::create(name, {.messages = depth, .message_bytes = cell.bytes}).or_throw();
  PosixQueue::unlink(name).or_throw();
  return std::make_shared<MessageLine<PosixEnds>>(
      PosixEnds{.queue = std::move(queue), .depth = depth, .bytes = cell.bytes}, cell);
}

// It has no name that could go at once, so it goes with its line, in the process that made it.
class OwnQueue {
 public:
  OwnQueue() : queue_(SysvQueue::create(tenon::SysvKey::unshared()).or_throw()) {}
  ~OwnQueue() {
    if (::getpid() == maker_) {
      (void)SysvQueue::remove(queue_.id());
    }
  }
  OwnQueue(const OwnQueue&) = delete;
  OwnQueue& operator=(const OwnQueue&) = delete;
  SysvQueue& operator*() { return queue_; }

 private:
  SysvQueue queue_;
  pid_t maker_ = ::getpid();
};

// The urgent are of the first type, all others of the second, and the lowest type is taken first.
struct SysvEnds {
  std::unique_ptr<OwnQueue> queue;
  long type = 2;

  static SysvQueue::Types lowest() { return SysvQueue::Types::lowest_up_to(2); }
  tenon::Result<void> try_send(Bytes message) { return (**queue).try_send(message, type); }
  tenon::Result<void> send(Bytes message) { return (**queue).send(message, type, never); }
  tenon::Result<SysvQueue::Received> try_receive(MutableBytes into) { return (**queue).try_receive(into, lowest()); }
  tenon::Result<SysvQueue::Received> receive(MutableBytes into) { return (**queue).receive(into, lowest(), never); }
  void wait_sendable() {}
  void wait_receivable() {}
  void urgent(bool now) { type = now ? 1 : 2; }
  std::optional<std::size_t> memory() const {
    const auto status = (**queue).status();
    return status ? std::optional(status->capacity) : std::nullopt;
  }
};

std::shared_ptr<Line> open_sysv(const Cell& cell) {
  auto queue = std::make_unique<OwnQueue>();
  constexpr std::size_t usual = 16384;  // kernel.msgmnb as it is by default
  if (const std::size_t bytes = cell.room(0) * cell.bytes; cell.depth > 0 || bytes > usual) {
    (**queue).set_capacity(bytes).or_throw();
  }
  return std::make_shared<MessageLine<SysvEnds>>(SysvEnds{.queue = std::move(queue)}, cell);
}

constexpr std::size_t longest_message = 8192;  // fs.mqueue.msgsize_max and kernel.msgmax as they are by default

}  // namespace

LineKind posix_queue_line() {
  return {.name = "posix_queue",
          .family = "kernel",
          .about = "whole messages by priority, 10 of them by default. mq_overview(7)",
          .most_bytes = longest_message,
          .shared_by_senders = true,
          .can_poll = true,
          .open = open_posix};
}

LineKind sysv_queue_line() {
  return {.name = "sysv_queue",
          .family = "kernel",
          .about = "whole messages by type, 16 KiB of them by default. msgop(2)",
          .most_bytes = longest_message,
          .shared_by_senders = true,
          .open = open_sysv};
}

}  // namespace cells

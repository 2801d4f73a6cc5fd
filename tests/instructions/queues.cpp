// The two message queues: a turn sends one message and receives it, where nobody has to wait; and an empty queue.
#include "calls.hpp"

#include <tenon/ipc/posix_queue/posix_queue.hpp>
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/os/token.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <sys/msg.h>

namespace calls {

namespace {

using namespace tenon;

constexpr std::size_t size = 64;
constexpr timespec long_past{};

std::array<char, size> text;
std::array<std::byte, size> bytes;

struct Message {
  long type;
  std::array<char, size> text;
};

void measure_posix(int loops) {
  const std::string name = "/calls-" + Token::random().hex();
  PosixQueue queue = PosixQueue::create(name, {.messages = 2, .message_bytes = size}).or_throw();
  PosixQueue::unlink(name).or_throw();
  const int raw = queue.fd().raw();
  const Deadline deadline = after(std::chrono::hours(1));
  unsigned priority = 0;
  const auto got = [](const Result<PosixQueue::Received>& one) { return one && one->bytes == size; };

  measure("mq-there-back/never/bare", loops, [&] {
    must(::mq_send(raw, text.data(), size, 1) == 0 && ::mq_receive(raw, text.data(), size, &priority) == size);
  });
  measure("mq-there-back/never/wrapped", loops,
          [&] { must(queue.send(bytes, 1, never).has_value() && got(queue.receive(bytes, never))); });
  measure("mq-there-back/try_/bare", loops, [&] {
    must(::mq_timedsend(raw, text.data(), size, 1, &long_past) == 0 &&
         ::mq_timedreceive(raw, text.data(), size, &priority, &long_past) == size);
  });
  measure("mq-there-back/try_/wrapped", loops,
          [&] { must(queue.try_send(bytes, 1).has_value() && got(queue.try_receive(bytes))); });
  measure("mq-there-back/deadline/bare", loops, [&] {
    must(::mq_send(raw, text.data(), size, 1) == 0 && ::mq_receive(raw, text.data(), size, &priority) == size);
  });
  measure("mq-there-back/deadline/wrapped", loops,
          [&] { must(queue.send(bytes, 1, deadline).has_value() && got(queue.receive(bytes, deadline))); });
  measure("mq-receive/empty/bare", loops,
          [&] { must(::mq_timedreceive(raw, text.data(), size, &priority, &long_past) == -1 && errno == ETIMEDOUT); });
  measure("mq-receive/empty/wrapped", loops, [&] { must(queue.try_receive(bytes).failed_with(Errc::would_block)); });
}

// So short that a queue of kernel.msgmnb bytes holds all that a loop sends.
constexpr std::size_t short_size = 16;

void fill(int id, const Message& message, int messages) {
  for (int i = 0; i < messages; ++i) {
    must(::msgsnd(id, &message, short_size, IPC_NOWAIT) == 0);
  }
}

void empty(int id) {
  Message message{};
  while (::msgrcv(id, &message, size, 0, IPC_NOWAIT) != -1) {
  }
}

void measure_system_v(int loops) {
  SysvQueue queue = SysvQueue::create(SysvKey::unshared()).or_throw();
  const RemoveOnExit guard(SysvQueue::remove, queue.id());
  const int id = queue.id();
  const Deadline deadline = after(std::chrono::hours(1));
  Message message{.type = 1, .text = {}};
  const Bytes sent = Bytes(bytes).first(short_size);
  const auto any = SysvQueue::Types::any();
  const auto send = [&](const std::string& name, auto call) {
    empty(id);
    measure("msgsnd/" + name, loops, call);
  };
  const auto receive = [&](const std::string& name, auto call) {
    empty(id);
    fill(id, message, loops + 1);
    measure("msgrcv/" + name, loops, call);
  };
  const auto got = [](const Result<SysvQueue::Received>& one) { return one && one->bytes == short_size; };

  send("never/bare", [&] { must(::msgsnd(id, &message, short_size, 0) == 0); });
  send("never/wrapped", [&] { must(queue.send(sent, 1, never).has_value()); });
  send("try_/bare", [&] { must(::msgsnd(id, &message, short_size, IPC_NOWAIT) == 0); });
  send("try_/wrapped", [&] { must(queue.try_send(sent, 1).has_value()); });
  send("deadline/bare", [&] { must(::msgsnd(id, &message, short_size, 0) == 0); });
  send("deadline/wrapped", [&] { must(queue.send(sent, 1, deadline).has_value()); });
  receive("never/bare", [&] { must(::msgrcv(id, &message, size, 0, 0) == short_size); });
  receive("never/wrapped", [&] { must(got(queue.receive(bytes, any, never))); });
  receive("try_/bare", [&] { must(::msgrcv(id, &message, size, 0, IPC_NOWAIT) == short_size); });
  receive("try_/wrapped", [&] { must(got(queue.try_receive(bytes, any))); });
  receive("deadline/bare", [&] { must(::msgrcv(id, &message, size, 0, 0) == short_size); });
  receive("deadline/wrapped", [&] { must(got(queue.receive(bytes, any, deadline))); });
  empty(id);
  measure("msgrcv/empty/bare", loops,
          [&] { must(::msgrcv(id, &message, size, 0, IPC_NOWAIT) == -1 && errno == ENOMSG); });
  measure("msgrcv/empty/wrapped", loops, [&] { must(queue.try_receive(bytes, any).failed_with(Errc::would_block)); });
}

}  // namespace

void measure_queues(int loops) {
  measure_posix(loops);
  measure_system_v(loops);
}

}  // namespace calls

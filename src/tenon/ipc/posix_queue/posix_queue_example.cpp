/// Child to parent through a message queue: the message waits in the kernel until the parent takes it.
#include <tenon/ipc/posix_queue/posix_queue.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <cstdio>
#include <string>
#include <unistd.h>
#include <vector>

using namespace tenon;

int main(int argc, char** argv) try {
  // A fixed name could be anybody's queue by now; this one is new each time, unless the caller names one.
  const std::string name = argc > 1 ? argv[1] : "/queue-" + std::to_string(::getpid());
  PosixQueue queue = PosixQueue::create(name, {.messages = 10, .message_bytes = 256}).or_throw();
  const UnlinkOnExit guard(PosixQueue::unlink, name);

  Child child = spawn([&] {
                  queue.send(bytes_of("Hello via message queue!"), 1, never).or_throw();
                  return 0;
                }).or_throw();
  const bool sent = child.wait(never).or_throw().success();

  // The buffer must hold the longest message that the queue may have, whatever comes.
  std::vector<std::byte> message(queue.attributes().or_throw().message_bytes);
  const auto got = queue.receive(message, after(std::chrono::seconds(10))).or_throw();
  const std::string text(text_of(Bytes(message).first(got.bytes)));
  std::printf("Received (prio=%u): %s\n", got.priority, text.c_str());

  return sent ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

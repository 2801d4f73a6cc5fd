/// Parent to child through a System V queue: both make the same key of one file.
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/remove_on_exit.hpp>

#include <array>
#include <cstdio>
#include <string>

using namespace tenon;

namespace {

constexpr long greeting = 1;

int receive_greeting(SysvKey key) {
  SysvQueue queue = SysvQueue::open(key).or_throw();
  std::array<std::byte, 256> message;
  const auto got =
      queue.receive(message, SysvQueue::Types::exactly(greeting), after(std::chrono::seconds(10))).or_throw();
  const std::string text(text_of(Bytes(message).first(got.bytes)));
  std::printf("Message received: %s\n", text.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  // Two files may have the same key, so a queue that is there already is somebody else's: create() refuses it.
  const std::string path = argc > 1 ? argv[1] : argv[0];
  const SysvKey key = SysvKey::of_file(path, 'A').or_throw();
  SysvQueue queue = SysvQueue::create(key).or_throw();
  const RemoveOnExit guard(SysvQueue::remove, queue.id());

  Child child = spawn([&] { return receive_greeting(key); }).or_throw();

  const std::string text = "Hello via message queue!";
  queue.send(bytes_of(text), greeting, after(std::chrono::seconds(10))).or_throw();
  std::printf("Message sent: %s\n", text.c_str());
  std::fflush(stdout);

  return child.wait(never).or_throw().success() ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

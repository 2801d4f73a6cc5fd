/// Without waiting: an empty queue and a full one both say so.
#include "queue.hpp"

#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <array>

using namespace tenon;

namespace {

int fill(const std::string& name) {
  PosixQueue queue = PosixQueue::open(name, PosixQueue::Use::sending).or_throw();
  std::size_t held = 0;
  auto sent = queue.try_send(bytes_of("one more"), 0);
  for (; sent; sent = queue.try_send(bytes_of("one more"), 0)) {
    ++held;
  }
  if (!sent.failed_with(Errc::would_block) || held != seeds::document_limits.messages) {
    return 1;
  }
  seeds::say("full: would block after " + std::to_string(held));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = seeds::queue_name_from(argc, argv);
  return seeds::run([&] {
    PosixQueue queue = PosixQueue::create(name, seeds::document_limits).or_throw();
    const UnlinkOnExit guard(PosixQueue::unlink, name);
    std::array<std::byte, seeds::document_limits.message_bytes> room;
    if (!queue.try_receive(room).failed_with(Errc::would_block)) {
      return 1;
    }
    seeds::say("empty: would block");
    Child child = spawn([&] { return fill(name); }).or_throw();
    if (!child.wait(seeds::soon()).or_throw().success()) {
      return 1;
    }
    for (std::size_t i = 0; i < seeds::document_limits.messages; ++i) {
      queue.try_receive(room).or_throw();
    }
    return queue.try_receive(room).failed_with(Errc::would_block) ? 0 : 1;
  });
}

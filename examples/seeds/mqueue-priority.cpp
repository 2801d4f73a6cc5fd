/// A queue hands out the highest priority first, and within one the oldest.
#include "queue.hpp"

#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

using namespace tenon;

int main(int argc, char** argv) {
  const std::string name = seeds::queue_name_from(argc, argv);
  return seeds::run([&] {
    PosixQueue queue = PosixQueue::create(name, seeds::document_limits).or_throw();
    const UnlinkOnExit guard(PosixQueue::unlink, name);
    Child child = spawn([&] {
                    seeds::send_text(queue, "low", 1);
                    seeds::send_text(queue, "high, first", 9);
                    seeds::send_text(queue, "high, second", 9);
                    seeds::send_text(queue, "middle", 5);
                    return 0;
                  }).or_throw();
    if (!child.wait(seeds::soon()).or_throw().success()) {
      return 1;
    }
    for (int i = 0; i < 4; ++i) {
      const seeds::Text got = seeds::receive_text(queue);
      seeds::say(got.text + " (priority: " + std::to_string(got.priority) + ")");
    }
    return 0;
  });
}

/// Prints the message that mqueue_sender leaves, and removes the queue.
#include "queue.hpp"

#include <tenon/os/unlink_on_exit.hpp>

using namespace tenon;

int main(int argc, char** argv) {
  const std::string name = seeds::queue_name_from(argc, argv);
  return seeds::run([&] {
    PosixQueue queue = PosixQueue::open_or_create(name, seeds::document_limits).or_throw();
    const UnlinkOnExit guard(PosixQueue::unlink, name);
    const seeds::Text got = seeds::receive_text(queue);
    seeds::say("Received message: " + got.text + " (priority: " + std::to_string(got.priority) + ")");
    return 0;
  });
}

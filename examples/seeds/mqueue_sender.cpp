/// Leaves one message in a queue and goes. Its partner is mqueue_receiver; either may be started first.
#include "queue.hpp"

using namespace tenon;

int main(int argc, char** argv) {
  const std::string name = seeds::queue_name_from(argc, argv);
  return seeds::run([&] {
    PosixQueue queue = PosixQueue::open_or_create(name, seeds::document_limits).or_throw();
    seeds::send_text(queue, "Test message", 1);
    return 0;
  });
}

// Queues: a message is sent and received.
#include <tenon/messaging/queue/queue.hpp>
#include <guard/rooms.hpp>

#include <vector>

namespace guard {

namespace {

using tenon::Bytes;
using tenon::never;

template <class Message>
void count_typed(Paths& paths, const tenon::Holder& self, const char* name_of_queue, const std::string& name) {
  auto queue = tenon::Queue<Message>::create(self, name_of_queue).or_throw();
  const Message message{};
  paths.count(name, [&] { must(queue.send(message, never).has_value() && queue.receive(never).has_value()); });
}

}  // namespace

void count_queues(Paths& paths, const tenon::Holder& self) {
  count_typed<Words<1>>(paths, self, "small", "queue: 8 B, send and receive");
  count_typed<Words<8>>(paths, self, "line", "queue: 64 B, send and receive");
  auto queue = tenon::Queue<Bytes>::create(self, "bytes").or_throw();
  const std::vector<std::byte> message(1024);
  std::vector<std::byte> room(1024);
  paths.count("queue: 1 KiB, send and receive",
              [&] { must(queue.send(message, never).has_value() && queue.receive(room, never).has_value()); });
  paths.count("queue: 1 KiB, send, take and acknowledge", [&] {
    must(queue.send(message, never).has_value());
    auto taken = queue.take(never);
    must(taken.has_value() && std::move(*taken).acknowledge().has_value());
  });
}

}  // namespace guard

// Topics: a message is published and received.
#include <tenon/messaging/topic/message_clock.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/membarrier.hpp>
#include <guard/rooms.hpp>

#include <vector>

namespace guard {

std::string way_of_topics() {
  return std::string(tenon::message_clock() == tenon::MessageClock::counter ? "counter" : "clock_gettime") +
         (tenon::register_for_barriers() ? ", membarrier" : ", fences");
}

namespace {

using tenon::Bytes;
using tenon::never;

template <class Message>
void count_typed(Paths& paths, const tenon::Holder& self, const char* topic, const std::string& name) {
  auto publisher = tenon::Publisher<Message>::create(self, topic, {.depth = 512}).or_throw();
  auto subscriber = tenon::Subscriber<Message>::create(self, topic).or_throw();
  const Message message{};
  paths.count(name,
              [&] { must(publisher.publish(message, never).has_value() && subscriber.receive(never).has_value()); });
}

void count_bytes(Paths& paths, const tenon::Holder& self) {
  auto publisher = tenon::Publisher<Bytes>::create(self, "bytes", {.depth = 512}).or_throw();
  auto subscriber = tenon::Subscriber<Bytes>::create(self, "bytes").or_throw();
  const std::vector<std::byte> message(1024);
  paths.count("topic: 1 KiB, publish and receive",
              [&] { must(publisher.publish(message, never).has_value() && subscriber.receive(never).has_value()); });
  paths.count(
      "topic: 1 KiB, lend, publish and receive",
      [&] {
        auto loan = publisher.loan(message.size());
        must(loan.has_value() && publisher.publish(std::move(*loan), never).has_value() &&
             subscriber.receive(never).has_value());
      },
      way_of_topics());
}

// What one more subscriber costs, who looks at nothing.
void count_overtaken(Paths& paths, const tenon::Holder& self) {
  auto publisher = tenon::Publisher<Words<8>>::create(self, "lossy", {.depth = 512}).or_throw();
  const auto one = tenon::Subscriber<Words<8>>::create(self, "lossy", {.reliable = false}).or_throw();
  const Words<8> message{};
  paths.count(
      "topic: 64 B, publish past a lossy subscriber", [&] { must(publisher.publish(message, never).has_value()); },
      way_of_topics());
}

}  // namespace

void count_topics(Paths& paths, const tenon::Holder& self) {
  count_typed<Words<1>>(paths, self, "small", "topic: 8 B, publish and receive");
  count_typed<Words<8>>(paths, self, "line", "topic: 64 B, publish and receive");
  count_bytes(paths, self);
  count_overtaken(paths, self);
}

}  // namespace guard

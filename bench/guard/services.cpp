// Services: a call is begun, served and answered.
#include <tenon/messaging/service/service.hpp>
#include <guard/rooms.hpp>

#include <vector>

namespace guard {

namespace {

using tenon::never;

template <class Message, class Given>
void count_calls(Paths& paths, const tenon::Holder& self, const char* service, const std::string& name,
                 const Given& message) {
  auto server = tenon::Server<Message, Message>::create(self, service).or_throw();
  auto client = tenon::Client<Message, Message>::create(self, service).or_throw();
  paths.count(
      name,
      [&] {
        auto pending = client.begin(message, never);
        must(pending.has_value());
        auto call = server.receive(never);
        must(call.has_value() && std::move(*call).respond(message).has_value());
        must(pending->answer(never).has_value());
      },
      way_of_topics());
}

}  // namespace

void count_services(Paths& paths, const tenon::Holder& self) {
  count_calls<Words<1>>(paths, self, "small", "service: 8 B, call and answer", Words<1>{});
  count_calls<Words<8>>(paths, self, "line", "service: 64 B, call and answer", Words<8>{});
  const std::vector<std::byte> message(1024);
  count_calls<tenon::Bytes>(paths, self, "bytes", "service: 1 KiB, call and answer", tenon::Bytes(message));
}

}  // namespace guard

#include <tenon/messaging/topic/dynamic_subscriber.hpp>

namespace tenon {

namespace {

template <std::size_t Words, class Copy>
std::vector<std::byte> bytes_in(const Copy& copy, std::uint64_t bytes) {
  const Bytes words = std::as_bytes(std::span(copy.word));
  return {words.begin(), words.begin() + static_cast<std::ptrdiff_t>(bytes)};
}

}  // namespace

Result<DynamicSubscriber> DynamicSubscriber::create(const Holder& holder, std::string_view topic,
                                                    const DynamicType& type, const SubscriberOptions& options) {
  const auto make = [&]<std::size_t Words>() {
    return SubscriberPort<Words>::create(holder, topic, options, type.in_chunks(), type.type())
        .transform([&](Port<Words> port) { return DynamicSubscriber(type, std::move(port)); });
  };
  return type.entry_words() == 5 ? make.template operator()<5>() : make.template operator()<13>();
}

template <std::size_t Words>
Result<DynamicMessage> DynamicSubscriber::receive_at(SubscriberPort<Words>& port, Deadline deadline) {
  while (true) {
    typename SubscriberPort<Words>::template Copy<Words> copy;
    auto from = port.look(copy, deadline);
    if (!from) {
      return fail(std::move(from.error()));
    }
    typename SubscriberPort<Words>::Connection& connection = **from;
    const MessageAbout about = MessageAbout::unpack(copy.about);
    if (!type_.is_sound(about)) {
      port.pass(connection);
      return fail(corrupt_endpoint(connection.file.name(), "a message is not as long as its type says"));
    }
    DynamicMessage message;
    if (about.form == MessageForm::inline_words) {
      message.bytes = bytes_in<Words>(copy, about.bytes);
    } else {
      auto pinned = port.pin(connection, copy.word[0], about.bytes);
      if (pinned.failed_with(Errc::stale)) {
        continue;
      }
      if (!pinned) {
        if (pinned.failed_with(Errc::corrupt)) {
          port.pass(connection);
        }
        return fail(std::move(pinned.error()));
      }
      message.bytes.assign(pinned->message.begin(), pinned->message.end());
      port.unpin(connection, *pinned->pin);
    }
    message.publisher = connection.file.header().head.pid;
    message.number = connection.reader.next() - connection.file.header().first;
    message.time = time_of_message(copy.time, connection.origin);
    message.lost_before = port.pass(connection);
    return message;
  }
}

Result<DynamicMessage> DynamicSubscriber::receive(Deadline deadline) {
  return std::visit([&](auto& port) { return receive_at(*port, deadline); }, port_);
}

std::uint64_t DynamicSubscriber::lost() const noexcept {
  return std::visit([](const auto& port) { return port->lost(); }, port_);
}

std::size_t DynamicSubscriber::publishers() const noexcept {
  return std::visit([](const auto& port) { return port->publishers(); }, port_);
}

Result<void> DynamicSubscriber::close() && {
  return std::visit([](auto& port) { return std::exchange(port, nullptr)->close(); }, port_);
}

}  // namespace tenon

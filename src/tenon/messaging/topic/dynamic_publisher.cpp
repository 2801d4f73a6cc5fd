#include <tenon/messaging/topic/dynamic_publisher.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace tenon {

namespace {

// As Publisher<T> has it: of slices `longest` counts elements.
Result<std::uint64_t> longest_bytes(const DynamicType& type, const PublisherOptions& options) {
  if (type.length() == MessageLength::fixed) {
    return type.bytes();
  }
  constexpr std::uint64_t usual_bytes = 64 << 10;
  const std::uint64_t longest =
      options.longest != 0 ? options.longest : std::max<std::uint64_t>(usual_bytes / type.bytes(), 1);
  const std::uint64_t most = MessageAbout::most_bytes / type.bytes();
  if (longest > most) {
    return fail(Error(Errc::limit_reached)
                    .with({.name = "elements of a message",
                           .value = most,
                           .wanted = longest,
                           .remedy = "ask for a smaller `longest`"}));
  }
  return longest * type.bytes();
}

template <std::size_t Words>
Result<void> publish_in_entry(PublisherPort<Words>& port, Bytes message, Deadline deadline) {
  std::array<std::uint64_t, Words> words{};
  std::ranges::copy(message, std::as_writable_bytes(std::span(words)).begin());
  return port.template publish_words<Words>(words, message.size(), deadline);
}

template <std::size_t Words>
Result<void> publish_in_chunk(PublisherPort<Words>& port, Bytes message, Deadline deadline) {
  return port.take_chunk().and_then([&](std::uint32_t chunk) {
    std::memcpy(port.chunk(chunk), message.data(), message.size());
    auto published = port.publish_chunk(chunk, message.size(), deadline);
    if (!published) {
      port.put_back(chunk);
    }
    return published;
  });
}

}  // namespace

Result<DynamicPublisher> DynamicPublisher::create(const Holder& holder, std::string_view topic, const DynamicType& type,
                                                  const PublisherOptions& options) {
  if (type.length() == MessageLength::tailed) {
    return fail(Error(Errc::not_supported)
                    .on(topic)
                    .because("its messages have a tail, which only a program that knows their type can write"));
  }
  const auto longest = longest_bytes(type, options);
  if (!longest) {
    return fail(Error(longest.error()).on(topic));
  }
  const auto make = [&]<std::size_t Words>() {
    return shape_of(options, *longest, sizeof(MessageEntry<Words>), type.in_chunks())
        .and_then([&](const PublisherShape& shape) {
          return PublisherPort<Words>::create(holder, topic, options, shape, type.type());
        })
        .transform([&](Port<Words> port) { return DynamicPublisher(type, std::move(port), *longest); });
  };
  return type.entry_words() == 5 ? make.template operator()<5>() : make.template operator()<13>();
}

Result<void> DynamicPublisher::check(std::uint64_t bytes) const {
  const bool slice = type_.length() == MessageLength::slice;
  const std::uint64_t one = type_.bytes();
  if (slice ? bytes % one != 0 : bytes != one) {
    return fail(Error(Errc::invalid_argument, "publish")
                    .because(std::to_string(bytes) + " bytes are no " + (slice ? "row of elements" : "message") +
                             " of " + std::to_string(one)));
  }
  return bytes <= longest_ ? Result<void>()
                           : fail(Error(Errc::message_too_long, "publish")
                                      .with({.name = "elements of a message",
                                             .value = longest_ / one,
                                             .wanted = bytes / one,
                                             .remedy = "create the publisher with a larger `longest`"}));
}

Result<void> DynamicPublisher::publish(Bytes message, Deadline deadline) {
  if (auto fits = check(message.size()); !fits) {
    return fits;
  }
  return std::visit(
      [&](auto& port) -> Result<void> {
        if (!type_.in_chunks()) {
          return publish_in_entry(*port, message, deadline);
        }
        return type_.length() == MessageLength::slice && message.size() <= MessageEntry<13>::inline_bytes
                   ? port->publish_short(message, deadline)
                   : publish_in_chunk(*port, message, deadline);
      },
      port_);
}

std::vector<SubscriberStanding> DynamicPublisher::subscribers() {
  return std::visit([](auto& port) { return port->subscribers(); }, port_);
}

Result<void> DynamicPublisher::close() && {
  return std::visit([](auto& port) { return std::exchange(port, nullptr)->close(); }, port_);
}

}  // namespace tenon

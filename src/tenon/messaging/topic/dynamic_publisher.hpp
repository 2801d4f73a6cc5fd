#pragma once
/// A publisher whose messages' type is known when the program runs. To all others it is one as Publisher<T> of that
/// type.
#include <tenon/messaging/topic/dynamic_type.hpp>
#include <tenon/messaging/topic/publisher_port.hpp>

#include <memory>
#include <string_view>
#include <variant>
#include <vector>

namespace tenon {

class DynamicPublisher {
 public:
  /// Joins the topic, which is made if nobody is in it. Failures: those of Publisher<T>::create; not_supported
  /// (messages with a tail).
  static Result<DynamicPublisher> create(const Holder& holder, std::string_view topic, const DynamicType& type,
                                         const PublisherOptions& options = {});

  /// Sends a copy. Outcomes and failures: as Publisher<T>::publish; invalid_argument (it is not as long as the type, or
  /// no whole number of elements).
  Result<void> publish(Bytes message, Deadline deadline);
  /// How far each subscriber that has joined has come, and what it holds. Each of them hears what is published from
  /// now on.
  std::vector<SubscriberStanding> subscribers();
  /// Says that nothing more comes. Failures: in_child.
  Result<void> close() &&;

 private:
  template <std::size_t Words>
  using Port = std::unique_ptr<PublisherPort<Words>>;
  using AnyPort = std::variant<Port<5>, Port<13>>;
  DynamicPublisher(DynamicType type, AnyPort port, std::uint64_t longest) noexcept
      : type_(std::move(type)), port_(std::move(port)), longest_(longest) {}
  Result<void> check(std::uint64_t bytes) const;

  DynamicType type_;  // goes after the port, which has its texts
  AnyPort port_;
  std::uint64_t longest_;  // bytes
};

}  // namespace tenon

#pragma once
/// A subscriber whose messages' type is known when the program runs. To all others it is one as Subscriber<T> of that
/// type.
#include <tenon/messaging/topic/dynamic_type.hpp>
#include <tenon/messaging/topic/subscriber_port.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <sys/types.h>
#include <variant>
#include <vector>

namespace tenon {

/// A copy of a message: nothing of the publisher's memory is held.
struct DynamicMessage {
  std::vector<std::byte> bytes;
  pid_t publisher = 0;            ///< the process that published it
  std::uint64_t number = 0;       ///< the how-manieth of its publisher's messages it is, from 0 on
  std::uint64_t lost_before = 0;  ///< how many of its publisher's messages were lost just before it
  std::int64_t time = 0;          ///< nanoseconds on CLOCK_MONOTONIC; 0 without timestamps
};

class DynamicSubscriber {
 public:
  /// Joins the topic, which is made if nobody is in it. Failures: those of Subscriber<T>::create.
  static Result<DynamicSubscriber> create(const Holder& holder, std::string_view topic, const DynamicType& type,
                                          const SubscriberOptions& options = {});

  /// The next message. Outcomes and failures: as Subscriber<T>::receive.
  Result<DynamicMessage> receive(Deadline deadline);
  std::uint64_t lost() const noexcept;
  /// Publishers that it knows and that have not ended.
  std::size_t publishers() const noexcept;
  /// Leaves. Failures: in_child.
  Result<void> close() &&;

 private:
  template <std::size_t Words>
  using Port = std::unique_ptr<SubscriberPort<Words>>;
  using AnyPort = std::variant<Port<5>, Port<13>>;
  DynamicSubscriber(DynamicType type, AnyPort port) noexcept : type_(std::move(type)), port_(std::move(port)) {}
  template <std::size_t Words>
  Result<DynamicMessage> receive_at(SubscriberPort<Words>& port, Deadline deadline);

  DynamicType type_;  // goes after the port, which has its texts
  AnyPort port_;
};

}  // namespace tenon

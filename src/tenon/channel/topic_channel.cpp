/// A topic keeps nothing for those who come later. So the receiver subscribes before it enters the rendezvous, and a
/// sender begins to publish after it has seen it there: all that it ever publishes waits for that subscription. There
/// is no object to make or remove: a topic's directory goes with its last endpoint.
#include <tenon/channel/topic_channel.hpp>

#include <tenon/channel/message_carrier.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/sync/membership.hpp>

#include <algorithm>
#include <deque>
#include <numeric>

namespace tenon {

namespace {

constexpr std::size_t frame_bytes = 65536;
constexpr std::uint32_t depth = 16;
constexpr Capabilities capabilities_of_topic{.framed = true, .pollable = true, .capacity = frame_bytes * depth};

class TopicSink final : public MessageSink {
 public:
  TopicSink(Membership member, Publisher<Bytes> publisher) noexcept
      : member_(std::move(member)), publisher_(std::move(publisher)) {}

  std::size_t frame_size() const override { return frame_bytes; }
  Result<void> put(Bytes frame, Deadline deadline) override { return publisher_.publish(frame, deadline); }
  Capabilities capabilities() const override { return capabilities_of_topic; }

 private:
  Membership member_;
  Publisher<Bytes> publisher_;
};

class TopicSource final : public FrameSource {
 public:
  TopicSource(Membership member, Subscriber<Bytes> subscriber) noexcept
      : member_(std::move(member)), subscriber_(std::move(subscriber)) {}

  Result<Frame> take(Deadline deadline) override {
    if (counted_.empty()) {
      if (auto received = receive(deadline); !received) {
        return fail(std::move(received.error()));
      }
    }
    frame_ = std::move(counted_.front());
    counted_.pop_front();
    return Frame::decode(frame_);
  }
  // What was published can be counted by receiving it alone. Asked with a moment that has passed, and not without one:
  // that way the subscription looks for publishers that it has not met yet, too.
  std::size_t pending() const override {
    while (receive(after(std::chrono::nanoseconds(0)))) {
    }
    return std::accumulate(counted_.begin(), counted_.end(), std::size_t{0},
                           [](std::size_t sum, const auto& one) { return sum + one.size(); });
  }
  Capabilities capabilities() const override { return capabilities_of_topic; }

 private:
  // That a publisher has ended is no news here: the rendezvous tells who has, and how.
  Result<void> receive(Deadline deadline) const {
    while (true) {
      auto sample = subscriber_.receive(deadline);
      if (sample) {
        counted_.emplace_back((**sample).begin(), (**sample).end());
        return {};
      }
      if (!sample.failed_with(Errc::closed) && !sample.failed_with(Errc::peer_died)) {
        return fail(std::move(sample.error()));
      }
    }
  }

  Membership member_;
  mutable Subscriber<Bytes> subscriber_;
  // What pending() has moved over here to count it: it was sent before what the topic has now, and is taken before.
  mutable std::deque<std::vector<std::byte>> counted_;
  std::vector<std::byte> frame_;
};

Result<Rendezvous> enter(const std::string& name, std::shared_ptr<const Domain> domain, Role role, Deadline deadline) {
  ObjectKeeper keeper;  // nothing is made here, but a join sweeps up what dead channels of other kinds have made
  keeper.remove = remove_channel_object;
  return Rendezvous::join(std::move(domain), "topic:" + name, role, std::move(keeper), deadline)
      .and_then([&](Rendezvous rendezvous) -> Result<Rendezvous> {
        if (auto come = rendezvous.await_other_role(deadline); !come) {
          return fail(std::move(come.error()));
        }
        return rendezvous;
      });
}

}  // namespace

Result<Sender> open_topic_sender(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return enter(name, domain, Role::sender, deadline).and_then([&](Rendezvous rendezvous) {
    return Membership::join(domain).and_then([&](Membership member) {
      return Publisher<Bytes>::create(member.holder, name, {.depth = depth, .longest = frame_bytes})
          .transform([&](Publisher<Bytes> publisher) {
            return Sender(std::move(rendezvous), std::make_unique<TopicSink>(std::move(member), std::move(publisher)));
          });
    });
  });
}

Result<Receiver> open_topic_receiver(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return Membership::join(domain).and_then([&](Membership member) {
    return Subscriber<Bytes>::create(member.holder, name, {.max_held = 1}).and_then([&](Subscriber<Bytes> subscriber) {
      return enter(name, domain, Role::receiver, deadline).transform([&](Rendezvous rendezvous) {
        return Receiver(std::move(rendezvous), std::make_unique<TopicSource>(std::move(member), std::move(subscriber)));
      });
    });
  });
}

}  // namespace tenon

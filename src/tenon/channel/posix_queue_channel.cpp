#include <tenon/channel/posix_queue_channel.hpp>

#include <tenon/channel/message_carrier.hpp>
#include <tenon/channel/object_number.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/ipc/posix_queue/posix_queue.hpp>

#include <algorithm>

namespace tenon {

namespace {

constexpr PosixQueue::Limits wished{.messages = 10, .message_bytes = 8192};
constexpr std::size_t least_payload = 64;

Capabilities capabilities_of(const PosixQueue::Attributes& queue) {
  return {.framed = true,
          .priority = true,
          .pollable = true,
          .persistent = true,
          .capacity = queue.messages * queue.message_bytes};
}

class PosixQueueSink final : public MessageSink {
 public:
  PosixQueueSink(PosixQueue queue, PosixQueue::Attributes attributes) noexcept
      : queue_(std::move(queue)), attributes_(attributes) {}

  std::size_t frame_size() const override {
    return std::min(attributes_.message_bytes, Frame::header_size + Frame::most_payload);
  }
  Result<void> put(Bytes frame, Deadline deadline) override {
    return queue_.send(frame, Frame::priority_of(frame), deadline);
  }
  Capabilities capabilities() const override { return capabilities_of(attributes_); }

 private:
  PosixQueue queue_;
  PosixQueue::Attributes attributes_;
};

class PosixQueueSource final : public MessageSource {
 public:
  PosixQueueSource(PosixQueue queue, PosixQueue::Attributes attributes)
      : MessageSource(attributes.message_bytes), queue_(std::move(queue)), attributes_(attributes) {}

  std::size_t pending() const override { return queue_.buffered().value_or(0); }
  bool keeps_order() const override { return false; }  // a higher priority overtakes
  Capabilities capabilities() const override { return capabilities_of(attributes_); }

 private:
  Result<std::size_t> receive(MutableBytes into, Deadline deadline) override {
    return queue_.receive(into, deadline).transform([](PosixQueue::Received got) { return got.bytes; });
  }

  PosixQueue queue_;
  PosixQueue::Attributes attributes_;
};

Result<std::optional<std::uint64_t>> find(const std::string& name) {
  auto there = PosixQueue::open(name);
  if (there.failed_with(Errc::not_found)) {
    return std::nullopt;
  }
  return std::move(there).and_then([](const PosixQueue& queue) {
    return object_number(queue.fd()).transform([](std::uint64_t number) { return std::optional(number); });
  });
}

// Frames of a conversation that ended badly, or a stranger's messages: the receiver would trip over them.
Result<void> accept(const std::string& name) {
  return PosixQueue::open(name)
      .and_then([](const PosixQueue& queue) { return queue.attributes(); })
      .and_then([&](const PosixQueue::Attributes& queue) -> Result<void> {
        if (queue.message_bytes < Frame::header_size + least_payload) {
          return fail(Error(Errc::invalid_argument, "channel")
                          .on("mq:" + name)
                          .because("messages of this queue have at most " + std::to_string(queue.message_bytes) +
                                   " bytes, a channel needs at least " +
                                   std::to_string(Frame::header_size + least_payload)));
        }
        return queue.waiting == 0 ? Result<void>()
                                  : fail(Error(Errc::stale, "channel")
                                             .on("mq:" + name)
                                             .because("the queue holds " + std::to_string(queue.waiting) +
                                                      " messages from before; receive them, or remove the queue"));
      });
}

struct Met {
  Rendezvous rendezvous;
  PosixQueue queue;
  PosixQueue::Attributes attributes;
};

Result<Met> meet(const std::string& name, std::shared_ptr<const Domain> domain, Role role, Deadline deadline) {
  ObjectKeeper keeper{.find = [name] { return find(name); },
                      .make = [name] { return PosixQueue::create(name, wished).transform([](const PosixQueue&) {}); },
                      .accept = [name] { return accept(name); },
                      .remove = remove_channel_object};
  return Rendezvous::join(std::move(domain), "mq:" + name, role, std::move(keeper), deadline)
      .and_then([&](Rendezvous rendezvous) -> Result<Met> {
        if (auto come = rendezvous.await_other_role(deadline); !come) {
          return fail(std::move(come.error()));
        }
        auto queue =
            PosixQueue::open(name, role == Role::sender ? PosixQueue::Use::sending : PosixQueue::Use::receiving);
        auto number = queue ? object_number(queue->fd()) : Result<std::uint64_t>(fail(queue.error()));
        auto attributes = queue ? queue->attributes() : Result<PosixQueue::Attributes>(fail(queue.error()));
        if (!number || !attributes) {
          return fail(number ? std::move(attributes.error()) : std::move(number.error()));
        }
        if (*number != rendezvous.object()) {
          return fail(Error(Errc::stale, "mq_open").on(name).because("the queue was replaced from outside"));
        }
        return Met{.rendezvous = std::move(rendezvous), .queue = std::move(*queue), .attributes = *attributes};
      });
}

}  // namespace

Result<Sender> open_posix_queue_sender(const std::string& name, std::shared_ptr<const Domain> domain,
                                       Deadline deadline) {
  return meet(name, std::move(domain), Role::sender, deadline).transform([](Met met) {
    return Sender(std::move(met.rendezvous), std::make_unique<PosixQueueSink>(std::move(met.queue), met.attributes));
  });
}

Result<Receiver> open_posix_queue_receiver(const std::string& name, std::shared_ptr<const Domain> domain,
                                           Deadline deadline) {
  return meet(name, std::move(domain), Role::receiver, deadline).transform([](Met met) {
    return Receiver(std::move(met.rendezvous),
                    std::make_unique<PosixQueueSource>(std::move(met.queue), met.attributes));
  });
}

void remove_posix_queue(const Domain&, const std::string& name, std::uint64_t object) {
  const auto there = find(name);
  if (there && *there && (object == 0 || object == **there)) {
    [[maybe_unused]] const auto removed = PosixQueue::unlink(name);  // gone meanwhile: as it should be
  }
}

}  // namespace tenon

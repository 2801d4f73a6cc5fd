/// A queue's messages outlive their senders and receivers, and so do frames. What the dead of one conversation left in
/// a queue that a channel made goes with it when the next one enters; one that somebody else made is left as it is.
#include <tenon/channel/queue_channel.hpp>

#include <tenon/channel/message_carrier.hpp>
#include <tenon/channel/object_number.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/messaging/queue/queue.hpp>
#include <tenon/sync/membership.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace tenon {

namespace {

constexpr std::size_t frame_bytes = 65536;
constexpr std::size_t least_payload = 64;
// Frames of short messages stand in their slots; sixteen long ones have room beside them.
constexpr QueueOptions wished{
    .messages = 256, .bytes = std::uint64_t{16} * frame_bytes, .short_bytes = 192, .members = 256};

Capabilities capabilities_of(const QueueFill& fill) {
  return {.framed = true, .priority = true, .persistent = true, .capacity = fill.bytes};
}

// The queue's name goes with the last one out, so that it is gone for who is still there only if others removed it.
Error unless_removed(Error error, const Queue<Bytes>& queue) {
  return error == Errc::closed
             ? Error(Errc::stale, "channel").on("queue:" + queue.name()).because("the queue was removed from outside")
             : error;
}

class QueueSink final : public MessageSink {
 public:
  QueueSink(Membership member, Queue<Bytes> queue) noexcept : member_(std::move(member)), queue_(std::move(queue)) {}

  std::size_t frame_size() const override { return std::min<std::size_t>(frame_bytes, queue_.fill().bytes); }
  Result<void> put(Bytes frame, Deadline deadline) override {
    auto sent = queue_.send(frame, Priority(Frame::priority_of(frame)), deadline);
    return sent ? Result<void>() : fail(unless_removed(std::move(sent.error()), queue_));
  }
  Capabilities capabilities() const override { return capabilities_of(queue_.fill()); }

 private:
  Membership member_;
  Queue<Bytes> queue_;
};

class QueueSource final : public MessageSource {
 public:
  QueueSource(Membership member, Queue<Bytes> queue)
      : MessageSource(std::max<std::size_t>(frame_bytes, queue.fill().bytes)),
        member_(std::move(member)),
        queue_(std::move(queue)) {}

  // In messages: all that counts is whether there are any.
  std::size_t pending() const override { return queue_.fill().waiting; }
  bool keeps_order() const override { return false; }  // a higher priority overtakes
  Capabilities capabilities() const override { return capabilities_of(queue_.fill()); }

 private:
  Result<std::size_t> receive(MutableBytes into, Deadline deadline) override {
    auto got = queue_.receive(into, deadline);
    return got ? Result<std::size_t>(got->count) : fail(unless_removed(std::move(got.error()), queue_));
  }

  Membership member_;
  Queue<Bytes> queue_;
};

// Nothing where no file has the queue's name.
Result<std::optional<std::uint64_t>> find(const Domain& domain, const std::string& name) {
  struct stat status{};
  const std::string file = queue_prefix + name;
  if (::fstatat(domain.directory().raw(), file.c_str(), &status, AT_SYMLINK_NOFOLLOW) == -1) {
    return errno == ENOENT ? Result<std::optional<std::uint64_t>>(std::nullopt)
                           : fail(os_failure("stat", errno).on("queue:" + name));
  }
  return std::optional(object_number(status));
}

// Frames of a conversation that ended badly, or a stranger's messages: the receiver would trip over them.
Result<void> accept(const Holder& self, const std::string& name) {
  return Queue<Bytes>::open(self, name).and_then([&](const Queue<Bytes>& queue) -> Result<void> {
    const QueueFill fill = queue.fill();
    if (fill.bytes < Frame::header_size + least_payload) {
      return fail(Error(Errc::invalid_argument, "channel")
                      .on("queue:" + name)
                      .because("this queue has room for " + std::to_string(fill.bytes) +
                               " bytes of long messages, a channel needs at least " +
                               std::to_string(Frame::header_size + least_payload)));
    }
    const std::uint64_t held = std::uint64_t{fill.waiting} + fill.taken;
    return held == 0 ? Result<void>()
                     : fail(Error(Errc::stale, "channel")
                                .on("queue:" + name)
                                .because("the queue holds " + std::to_string(held) +
                                         " messages from before; receive them, or remove the queue"));
  });
}

struct Met {
  Rendezvous rendezvous;
  Membership member;
  Queue<Bytes> queue;
};

ObjectKeeper keeper_of(const std::string& name, const Membership& member) {
  return {.find = [name, domain = member.domain] { return find(*domain, name); },
          .make =
              [name, self = member.holder] {
                return Queue<Bytes>::create(self, name, wished).transform([](const Queue<Bytes>&) {});
              },
          .accept = [name, self = member.holder] { return accept(self, name); },
          .remove = remove_channel_object};
}

Result<Met> meet(const std::string& name, const std::shared_ptr<const Domain>& domain, Role role, Deadline deadline) {
  auto member = Membership::join(domain);
  auto rendezvous = member ? Rendezvous::join(domain, "queue:" + name, role, keeper_of(name, *member), deadline)
                           : Result<Rendezvous>(fail(std::move(member.error())));
  auto come = rendezvous ? rendezvous->await_other_role(deadline) : fail(std::move(rendezvous.error()));
  if (!come) {
    return fail(std::move(come.error()));
  }
  auto queue = Queue<Bytes>::open(member->holder, name);
  const auto number = find(*domain, name);
  if (!queue || !number) {
    return fail(queue ? Error(number.error()) : std::move(queue.error()));
  }
  if (*number != rendezvous->object()) {
    return fail(Error(Errc::stale, "channel").on("queue:" + name).because("the queue was replaced from outside"));
  }
  return Met{.rendezvous = std::move(*rendezvous), .member = std::move(*member), .queue = std::move(*queue)};
}

}  // namespace

Result<Sender> open_queue_sender(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return meet(name, domain, Role::sender, deadline).transform([](Met met) {
    return Sender(std::move(met.rendezvous), std::make_unique<QueueSink>(std::move(met.member), std::move(met.queue)));
  });
}

Result<Receiver> open_queue_receiver(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return meet(name, domain, Role::receiver, deadline).transform([](Met met) {
    return Receiver(std::move(met.rendezvous),
                    std::make_unique<QueueSource>(std::move(met.member), std::move(met.queue)));
  });
}

void remove_queue(const Domain& domain, const std::string& name, std::uint64_t object) {
  const auto there = find(domain, name);
  if (there && *there && (object == 0 || object == **there)) {
    [[maybe_unused]] const auto removed = Queue<Bytes>::remove(domain, name);  // gone meanwhile: as it should be
  }
}

}  // namespace tenon

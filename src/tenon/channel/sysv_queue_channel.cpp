#include <tenon/channel/sysv_queue_channel.hpp>

#include <tenon/channel/message_carrier.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <sys/stat.h>

namespace tenon {

namespace {

constexpr std::size_t default_msgmax = 8192;

// The receiver takes the lowest type first, so the highest priority is the lowest type.
long type_of(std::uint32_t priority) noexcept { return static_cast<long>(most_priority) + 1 - priority; }

Capabilities capabilities_of(std::size_t capacity) {
  return {.framed = true, .priority = true, .persistent = true, .capacity = capacity};
}

class SysvQueueSink final : public MessageSink {
 public:
  SysvQueueSink(SysvQueue queue, std::size_t longest, std::size_t capacity) noexcept
      : queue_(std::move(queue)), longest_(longest), capacity_(capacity) {}

  std::size_t frame_size() const override { return std::min(longest_, Frame::header_size + Frame::most_payload); }
  Result<void> put(Bytes frame, Deadline deadline) override {
    return queue_.send(frame, type_of(Frame::priority_of(frame)), deadline);
  }
  Capabilities capabilities() const override { return capabilities_of(capacity_); }

 private:
  SysvQueue queue_;
  std::size_t longest_;
  std::size_t capacity_;
};

class SysvQueueSource final : public MessageSource {
 public:
  SysvQueueSource(SysvQueue queue, std::size_t longest, std::size_t capacity)
      : MessageSource(longest), queue_(std::move(queue)), capacity_(capacity) {}

  std::size_t pending() const override {
    return queue_.status().transform([](const SysvQueue::Status& queue) { return queue.bytes; }).value_or(0);
  }
  bool keeps_order() const override { return false; }  // a higher priority overtakes
  Capabilities capabilities() const override { return capabilities_of(capacity_); }

 private:
  Result<std::size_t> receive(MutableBytes into, Deadline deadline) override {
    return queue_.receive(into, SysvQueue::Types::lowest_up_to(type_of(0)), deadline)
        .transform([](SysvQueue::Received got) { return got.bytes; });
  }

  SysvQueue queue_;
  std::size_t capacity_;
};

// Identifiers are unique in an IPC namespace and no further; the domain may be shared beyond it.
std::uint64_t number_of(const SysvQueue& queue) {
  struct stat space{};
  ::stat("/proc/self/ns/ipc", &space);
  return (static_cast<std::uint64_t>(space.st_ino) << 32U) ^ (static_cast<std::uint64_t>(queue.id()) + 1);
}

Result<std::optional<std::uint64_t>> find(SysvKey key) {
  auto there = SysvQueue::open(key);
  if (there.failed_with(Errc::not_found)) {
    return std::nullopt;
  }
  return std::move(there).transform([](const SysvQueue& queue) { return std::optional(number_of(queue)); });
}

// Frames of a conversation that ended badly, or a stranger's messages: the receiver would trip over them.
Result<void> accept(SysvKey key) {
  return SysvQueue::open(key)
      .and_then([](const SysvQueue& queue) { return queue.status(); })
      .and_then([&](const SysvQueue::Status& queue) {
        return queue.messages == 0 ? Result<void>()
                                   : fail(Error(Errc::stale, "channel")
                                              .on("sysvq:" + key.text())
                                              .because("the queue holds " + std::to_string(queue.messages) +
                                                       " messages from before; receive them, or remove the queue"));
      });
}

struct Met {
  Rendezvous rendezvous;
  SysvQueue queue;
  std::size_t longest;
  std::size_t capacity;
};

Result<Met> opened(Rendezvous rendezvous, SysvKey key) {
  auto queue = SysvQueue::open(key);
  auto status = queue ? queue->status() : Result<SysvQueue::Status>(fail(queue.error()));
  if (!status) {
    return fail(std::move(status.error()));
  }
  if (number_of(*queue) != rendezvous.object()) {
    return fail(Error(Errc::stale, "msgget").on(key.text()).because("the queue was replaced from outside"));
  }
  const std::size_t longest = procfs::number("/proc/sys/kernel/msgmax").value_or(default_msgmax);
  return Met{.rendezvous = std::move(rendezvous),
             .queue = std::move(*queue),
             .longest = std::min(longest, status->capacity),
             .capacity = status->capacity};
}

Result<Met> meet(const std::string& text, std::shared_ptr<const Domain> domain, Role role, Deadline deadline) {
  return SysvKey::parse(text).and_then([&](SysvKey key) {
    ObjectKeeper keeper{.find = [key] { return find(key); },
                        .make = [key] { return SysvQueue::create(key).transform([](const SysvQueue&) {}); },
                        .accept = [key] { return accept(key); },
                        .remove = remove_channel_object};
    // However the number was written, one key is one channel.
    return Rendezvous::join(std::move(domain), "sysvq:" + key.text(), role, std::move(keeper), deadline)
        .and_then([&](Rendezvous rendezvous) -> Result<Met> {
          if (auto come = rendezvous.await_other_role(deadline); !come) {
            return fail(std::move(come.error()));
          }
          return opened(std::move(rendezvous), key);
        });
  });
}

}  // namespace

Result<Sender> open_sysv_queue_sender(const std::string& key, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return meet(key, std::move(domain), Role::sender, deadline).transform([](Met met) {
    return Sender(std::move(met.rendezvous),
                  std::make_unique<SysvQueueSink>(std::move(met.queue), met.longest, met.capacity));
  });
}

Result<Receiver> open_sysv_queue_receiver(const std::string& key, std::shared_ptr<const Domain> domain,
                                          Deadline deadline) {
  return meet(key, std::move(domain), Role::receiver, deadline).transform([](Met met) {
    return Receiver(std::move(met.rendezvous),
                    std::make_unique<SysvQueueSource>(std::move(met.queue), met.longest, met.capacity));
  });
}

void remove_sysv_queue(const Domain&, const std::string& text, std::uint64_t object) {
  const auto key = SysvKey::parse(text);
  const auto there = key ? find(*key) : Result<std::optional<std::uint64_t>>(std::nullopt);
  if (there && *there && (object == 0 || object == **there)) {
    [[maybe_unused]] const auto removed = SysvQueue::unlink(*key);  // gone meanwhile: as it should be
  }
}

}  // namespace tenon

#include <tenon/channel/sysv_memory_channel.hpp>

#include <tenon/channel/scheme.hpp>
#include <tenon/channel/slot_meeting.hpp>
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>

namespace tenon {

namespace {

// The count is a hint, and nobody gives it back: a receiver that dies has taken a wake with it, not a permit.
class SysvBells final : public SlotBells {
 public:
  explicit SysvBells(SysvSemaphore bells) noexcept : bells_(std::move(bells)) {}

  void ring(Which which) override { [[maybe_unused]] const auto rung = bells_.post(which, Undo::no); }
  Result<void> wait(Which which, Deadline deadline) override { return bells_.wait(which, Undo::no, deadline); }
  void quiet(Which which) override { [[maybe_unused]] const auto taken = bells_.try_wait(which, Undo::no); }

 private:
  SysvSemaphore bells_;
};

/// The segment and the set of one key.
struct Pair {
  SysvMemory memory;
  SysvSemaphore bells;

  // Identifiers are given out again only after all others, so no other pair has both meanwhile.
  std::uint64_t number() const noexcept {
    return ((static_cast<std::uint64_t>(static_cast<std::uint32_t>(memory.id())) + 1) << 32U) |
           static_cast<std::uint32_t>(bells.id());
  }
};

Result<Pair> open_pair(SysvKey key) {
  auto memory = SysvMemory::open(key);
  if (!memory) {
    return fail(std::move(memory.error()));
  }
  return SysvSemaphore::open(key).transform(
      [&](SysvSemaphore bells) { return Pair{.memory = std::move(*memory), .bells = std::move(bells)}; });
}

// Half of one is none.
Result<std::optional<std::uint64_t>> find(SysvKey key) {
  auto pair = open_pair(key);
  if (pair.failed_with(Errc::not_found)) {
    return std::nullopt;
  }
  return std::move(pair).transform([](const Pair& found) { return std::optional(found.number()); });
}

Result<void> make(SysvKey key) {
  const auto initialise = [](MutableBytes memory) {
    SlotRing::initialise(memory, MappedSlots::slots, MappedSlots::frame_bytes);
  };
  const std::size_t size = SlotRing::bytes_for(MappedSlots::slots, MappedSlots::frame_bytes);
  auto memory = SysvMemory::create(key, size, owner_only, initialise);
  if (!memory) {
    return fail(std::move(memory.error()));
  }
  auto bells = SysvSemaphore::create(key, {0, 0});
  if (!bells) {
    [[maybe_unused]] const auto taken_back = SysvMemory::remove(memory->id());  // the first error is the one to tell
    return fail(std::move(bells.error()));
  }
  return {};
}

// What is there although nobody is entered is somebody else's, or left over where nobody could clean up.
Result<void> accept(SysvKey key, const std::string& uri) {
  return SysvMemory::open(key)
      .and_then([](const SysvMemory& memory) { return memory.attach(Access::read_write); })
      .and_then([&](const Mapping& memory) -> Result<void> {
        auto ring = SlotRing::open(memory.bytes());
        return ring ? fail(Error(Errc::stale, "channel")
                               .on(uri)
                               .because("a channel of another domain uses the segment, or left it; if nobody does, "
                                        "remove it and the set of semaphores (ipcrm -M, -S)"))
                    : fail(std::move(ring.error()).on(uri));
      });
}

Result<MappedSlots> map(SysvKey key, const std::string& uri, std::uint64_t object) {
  auto pair = open_pair(key);
  if (!pair) {
    return fail(std::move(pair.error()));
  }
  if (pair->number() != object) {
    return fail(Error(Errc::stale, "channel").on(uri).because("the segment was replaced from outside"));
  }
  return pair->memory.attach(Access::read_write).and_then([&](Mapping memory) {
    return MappedSlots::open(std::move(memory), std::make_unique<SysvBells>(std::move(pair->bells)));
  });
}

Result<SlotMeeting> meet(const std::string& text, std::shared_ptr<const Domain> domain, Role role, Deadline deadline) {
  return SysvKey::parse(text).and_then([&](SysvKey key) {
    const std::string uri = "sysv-shm:" + key.text();  // however the number was written
    ObjectKeeper keeper{.find = [key] { return find(key); },
                        .make = [key] { return make(key); },
                        .accept = [key, uri] { return accept(key, uri); },
                        .remove = remove_channel_object};
    return meet_at_slots(
        uri, std::move(domain), role, std::move(keeper), [&](std::uint64_t object) { return map(key, uri, object); },
        deadline);
  });
}

}  // namespace

Result<Sender> open_sysv_memory_sender(const std::string& key, std::shared_ptr<const Domain> domain,
                                       Deadline deadline) {
  return meet(key, std::move(domain), Role::sender, deadline).transform(slot_sender);
}

Result<Receiver> open_sysv_memory_receiver(const std::string& key, std::shared_ptr<const Domain> domain,
                                           Deadline deadline) {
  return meet(key, domain, Role::receiver, deadline).transform([&](SlotMeeting met) {
    return slot_receiver(std::move(met), domain);
  });
}

// A maker that died half-way left a segment without a set: with `object` 0 whatever has the key is removed.
void remove_sysv_memory(const Domain&, const std::string& text, std::uint64_t object) {
  const auto key = SysvKey::parse(text);
  if (!key) {
    return;
  }
  const auto there = find(*key);
  const bool whole = there && there->has_value();
  if (object == 0 || (whole && **there == object)) {
    [[maybe_unused]] const auto memory = SysvMemory::unlink(*key);  // gone meanwhile: as it should be
    [[maybe_unused]] const auto bells = SysvSemaphore::unlink(*key);
  }
}

}  // namespace tenon

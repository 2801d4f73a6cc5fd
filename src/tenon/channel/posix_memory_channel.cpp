#include <tenon/channel/posix_memory_channel.hpp>

#include <tenon/channel/object_number.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/channel/slot_meeting.hpp>
#include <tenon/ipc/posix_memory/posix_memory.hpp>
#include <tenon/ipc/posix_semaphore/unnamed_semaphore.hpp>

#include <array>

namespace tenon {

namespace {

class PosixBells final : public SlotBells {
 public:
  explicit PosixBells(const SlotRing& ring)
      : bells_{UnnamedSemaphore::adopt(reinterpret_cast<sem_t*>(ring.bell(filled).data())),
               UnnamedSemaphore::adopt(reinterpret_cast<sem_t*>(ring.bell(freed).data()))} {}

  void ring(Which which) override { [[maybe_unused]] const auto rung = bells_[which].post(); }
  Result<void> wait(Which which, Deadline deadline) override { return bells_[which].wait(deadline); }
  void quiet(Which which) override { [[maybe_unused]] const auto taken = bells_[which].try_wait(); }

 private:
  std::array<UnnamedSemaphore, 2> bells_;
};

// "jobs" and "/jobs" are one name.
std::string canonical(const std::string& name) { return name.starts_with('/') ? name.substr(1) : name; }

Result<std::optional<std::uint64_t>> find(const std::string& name) {
  auto there = PosixMemory::open(name, Access::read_write);
  if (there.failed_with(Errc::not_found)) {
    return std::nullopt;
  }
  return std::move(there).and_then([](const PosixMemory& memory) {
    return object_number(memory.fd()).transform([](std::uint64_t number) { return std::optional(number); });
  });
}

Result<void> make(const std::string& name) {
  const auto initialise = [](MutableBytes memory) {
    SlotRing::initialise(memory, MappedSlots::slots, MappedSlots::frame_bytes);
    for (const std::size_t which : {std::size_t{SlotBells::filled}, std::size_t{SlotBells::freed}}) {
      [[maybe_unused]] const auto made =
          UnnamedSemaphore::create(SlotRing::bell_in(memory, which), 0).or_throw();  // aligned, and 0 is possible
    }
  };
  return PosixMemory::create(name, SlotRing::bytes_for(MappedSlots::slots, MappedSlots::frame_bytes), owner_only,
                             initialise)
      .transform([](const PosixMemory&) {});
}

// What is there although nobody is entered is somebody else's, or left over where nobody could clean up.
Result<void> accept(const std::string& name) {
  return PosixMemory::open(name, Access::read_write)
      .and_then([](const PosixMemory& memory) { return memory.map(Access::read_write); })
      .and_then([&](const Mapping& memory) -> Result<void> {
        auto ring = SlotRing::open(memory.bytes());
        return ring ? fail(Error(Errc::stale, "channel")
                               .on("shm:" + name)
                               .because("a channel of another domain uses the memory, or left it; if nobody does, "
                                        "remove it"))
                    : fail(std::move(ring.error()).on("shm:" + name));
      });
}

Result<MappedSlots> map(const std::string& name, std::uint64_t object) {
  auto memory = PosixMemory::open(name, Access::read_write);
  auto number = memory ? object_number(memory->fd()) : Result<std::uint64_t>(fail(memory.error()));
  if (!number) {
    return fail(std::move(number.error()));
  }
  if (*number != object) {
    return fail(Error(Errc::stale, "channel").on("shm:" + name).because("the memory was replaced from outside"));
  }
  return memory->map(Access::read_write).and_then([&](Mapping mapping) {
    auto ring = SlotRing::open(mapping.bytes());
    auto bells = ring ? std::make_unique<PosixBells>(*ring) : nullptr;
    const std::size_t size = mapping.size();
    return MappedSlots::open(std::move(mapping), std::move(bells)).transform([&](MappedSlots mapped) {
      const auto kept = std::make_shared<PosixMemory>(std::move(*memory));
      mapped.intact = [kept, size] { return kept->still_has(size); };
      return mapped;
    });
  });
}

Result<SlotMeeting> meet(const std::string& given, std::shared_ptr<const Domain> domain, Role role, Deadline deadline) {
  const std::string name = canonical(given);
  ObjectKeeper keeper{.find = [name] { return find(name); },
                      .make = [name] { return make(name); },
                      .accept = [name] { return accept(name); },
                      .remove = remove_channel_object};
  return meet_at_slots(
      "shm:" + name, std::move(domain), role, std::move(keeper),
      [&](std::uint64_t object) { return map(name, object); }, deadline);
}

}  // namespace

Result<Sender> open_posix_memory_sender(const std::string& name, std::shared_ptr<const Domain> domain,
                                        Deadline deadline) {
  return meet(name, std::move(domain), Role::sender, deadline).transform(slot_sender);
}

Result<Receiver> open_posix_memory_receiver(const std::string& name, std::shared_ptr<const Domain> domain,
                                            Deadline deadline) {
  return meet(name, domain, Role::receiver, deadline).transform([&](SlotMeeting met) {
    return slot_receiver(std::move(met), domain);
  });
}

void remove_posix_memory(const Domain&, const std::string& name, std::uint64_t object) {
  const auto there = find(name);
  if (there && *there && (object == 0 || object == **there)) {
    [[maybe_unused]] const auto removed = PosixMemory::unlink(name);  // gone meanwhile: as it should be
  }
}

}  // namespace tenon

#pragma once
/// Where the two ends of a channel over slots come together, whatever memory the slots are in.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/rendezvous.hpp>
#include <tenon/channel/sender.hpp>
#include <tenon/channel/slot_carrier.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tenon {

/// Both sides are entered, and the slots are mapped here.
struct SlotMeeting {
  Rendezvous rendezvous;
  MappedSlots slots;
};

/// Maps the slots of the object that has this number. Outcomes: stale (another has its name by now).
using MapSlots = std::function<Result<MappedSlots>(std::uint64_t object)>;

/// Enters, waits for the other side, and maps. Outcomes: as Rendezvous::join and await_other_role, and those of `map`.
Result<SlotMeeting> meet_at_slots(const std::string& uri, std::shared_ptr<const Domain> domain, Role role,
                                  ObjectKeeper keeper, const MapSlots& map, Deadline deadline);

Sender slot_sender(SlotMeeting met);
Receiver slot_receiver(SlotMeeting met, std::shared_ptr<const Domain> domain);

}  // namespace tenon

#include <tenon/channel/slot_meeting.hpp>

#include <utility>

namespace tenon {

Result<SlotMeeting> meet_at_slots(const std::string& uri, std::shared_ptr<const Domain> domain, Role role,
                                  ObjectKeeper keeper, const MapSlots& map, Deadline deadline) {
  auto rendezvous = Rendezvous::join(std::move(domain), uri, role, std::move(keeper), deadline);
  if (!rendezvous) {
    return fail(std::move(rendezvous.error()));
  }
  if (auto come = rendezvous->await_other_role(deadline); !come) {
    return fail(std::move(come.error()));
  }
  return map(rendezvous->object()).transform([&](MappedSlots slots) {
    return SlotMeeting{.rendezvous = std::move(*rendezvous), .slots = std::move(slots)};
  });
}

Sender slot_sender(SlotMeeting met) {
  const Token own = met.rendezvous.token();
  return Sender(std::move(met.rendezvous), std::make_unique<SlotSink>(std::move(met.slots), own));
}

Receiver slot_receiver(SlotMeeting met, std::shared_ptr<const Domain> domain) {
  return Receiver(std::move(met.rendezvous), std::make_unique<SlotSource>(std::move(met.slots), std::move(domain)));
}

}  // namespace tenon

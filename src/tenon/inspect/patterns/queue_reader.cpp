/// Tenon's queues as objects of a snapshot. inspect/patterns/queues.hpp
///
/// A queue tells that somebody sleeps for a message or for room, not who: so there is no wait of it here, only that
/// there is one.
#include <tenon/inspect/patterns/domain_scene.hpp>
#include <tenon/inspect/patterns/queues.hpp>
#include <tenon/messaging/queue/queue_layout.hpp>

namespace tenon::inspect {

namespace {

Object queue_object(const DomainScene& scene, const QueueSeen& queue) {
  Object object = scene.object(Kind::queue, queue.name, queue_prefix + queue.name);
  object.state = queue.removed ? "removed" : "";
  object.figures = {
      {.name = "messages", .value = queue.waiting},           {.name = "taken", .value = queue.taken},
      {.name = "being_sent", .value = queue.being_sent},      {.name = "sent", .value = queue.sent},
      {.name = "returned", .value = queue.returned},          {.name = "bytes", .value = queue.memory},
      {.name = "max_messages", .value = queue.most_messages}, {.name = "max_long_bytes", .value = queue.bytes}};
  if (queue.receivers_sleep) {
    object.awaited.push_back(Need::message);
  }
  if (queue.senders_sleep) {
    object.awaited.push_back(Need::room);
  }
  return object;
}

void add_member(DomainScene& scene, std::size_t place, const QueueMemberSeen& member, Snapshot& into) {
  const auto edge = [&](Relation relation, std::optional<std::uint64_t> messages) {
    scene.add_edge(into, place,
                   {.life = member.token, .relation = relation, .alive = member.alive, .messages = messages});
  };
  edge(Relation::holds, std::nullopt);
  if (member.sending > 0) {
    edge(Relation::sends_to, member.sending);
  }
  if (member.taken > 0) {
    edge(Relation::owns, member.taken);
  }
}

}  // namespace

void read_queues(DomainScene& scene, Snapshot& into) {
  const auto all = queues(scene.path());
  if (!all) {
    scene.add_failure(into, all.error());
    return;
  }
  for (const QueueSeen& queue : all->queues) {
    into.objects.push_back(queue_object(scene, queue));
    for (const QueueMemberSeen& member : queue.members) {
      add_member(scene, into.objects.size() - 1, member, into);
    }
  }
  scene.add_unseen(into, all->unseen);
}

}  // namespace tenon::inspect

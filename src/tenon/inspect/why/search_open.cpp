/// Who could help at things that processes have open: pipes, FIFOs, POSIX queues, eventfds, sockets.
#include <tenon/inspect/why/search.hpp>

#include <algorithm>

namespace tenon::inspect {

namespace {

constexpr mode_t others_bits = 0066;  // to read or to write, of the group and of all others

}  // namespace

// Who has it open for the other direction. Of those who serve at a name, one that has it open as the waiter has, both
// ways, has its part too: it may be a fellow as well as a sender.
void Search::add_of_open(std::size_t at) {
  const Object& object = all_.objects[at];
  const bool to_read = wants_reader();
  const bool serves = serves_at_a_name(object);
  const auto edges = all_.edges_of(at);
  const auto both_ways = [](const Edge& edge) { return edge.relation == Relation::holds && edge.reads && edge.writes; };
  const bool as_fellow =
      serves && std::ranges::any_of(edges, [&](const Edge& edge) { return edge.pid == wait_.pid && both_ways(edge); });
  const std::size_t before = found_.helpers.size();
  for (const Edge& edge : edges) {
    const bool able = to_read ? edge.reads : edge.writes;
    const bool seen = edge.reads || edge.writes;
    const bool fellow = as_fellow && edge.pid != wait_.pid && both_ways(edge);
    if (edge.relation == Relation::holds && !edge.ended && (able || !seen) && !fellow) {
      add({.pid = edge.pid, .role = to_read ? Role::reader : Role::writer, .object = at});
    }
  }
  by_descriptor_ = true;
  found_.is_owed = found_.is_owed || to_read;
  const bool found = found_.helpers.size() > before;
  if (serves && found) {
    add_others(Others::by_name);
  } else if (serves) {
    found_.outside = Outside::comers;
  } else if (!found && object.kind == Kind::pipe && !has_other_end_) {
    add_carriers(at);
  } else if (!found && !has_other_end_) {
    for_strangers_ = for_strangers_ || is_open_to_strangers(object);
  }
}

// Each socket is read by those who have it, and written by those who have its peer.
void Search::add_of_socket(std::size_t at) {
  const Object& object = all_.objects[at];
  const std::size_t before = found_.helpers.size();
  const bool connects = wait_.need == Need::peer && wait_.sends;
  by_descriptor_ = true;
  if (!connects && object.socket && object.socket->peer_object) {
    add_holders(*object.socket->peer_object, at, wait_.need == Need::room ? Role::reader : Role::writer);
    found_.is_owed = found_.is_owed || wait_.need == Need::room;
    return found_.helpers.size() == before && !has_other_end_ ? add_carriers(at) : void();
  }
  if (connects || (wait_.sends && wait_.call == "sendto")) {
    add_holders(at, at, connects ? Role::acceptor : Role::reader);
    found_.is_owed = true;
    for_strangers_ = for_strangers_ || found_.helpers.size() == before;  // somebody has it, else it would not be there
    return;
  }
  const bool listens = object.socket && object.socket->state == SocketState::listening;
  found_.outside = listens || !object.name.starts_with("socket:") ? Outside::comers : Outside::unseen;
}

// Somebody has the other end, else the kernel would have told of that: one who may not be looked at, or nobody yet,
// since it is on its way through a socket.
void Search::add_carriers(std::size_t at) {
  const std::size_t before = found_.helpers.size();
  for (std::size_t i = 0; i < all_.objects.size(); ++i) {
    if (all_.objects[i].figure("descriptors_in_flight").value_or(0) > 0) {
      add_holders(i, at, Role::carrier);
    }
  }
  for_strangers_ = for_strangers_ || found_.helpers.size() == before;
}

void Search::add_holders(std::size_t held, std::size_t object, Role role) {
  for (const Edge& edge : all_.edges_of(held)) {
    if (edge.relation == Relation::holds && !edge.ended) {
      add({.pid = edge.pid, .role = role, .object = object});
    }
  }
}

bool Search::serves_at_a_name(const Object& object) const {
  const bool has_name = (object.kind == Kind::fifo || object.kind == Kind::posix_queue) && object.state != "unlinked";
  return has_name && !wants_reader();
}

// Whether others than the waiter's own user, and root, may have it open.
bool Search::is_open_to_strangers(const Object& object) const {
  const Process* self = all_.process(wait_.pid);
  const bool own = self != nullptr && object.owner == self->user && object.mode;
  return !own || (*object.mode & others_bits) != 0;
}

}  // namespace tenon::inspect

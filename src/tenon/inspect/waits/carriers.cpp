#include <tenon/inspect/waits/carriers.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>

namespace tenon::inspect {

namespace {

bool lacks_other_end(const Snapshot& all, std::size_t at) {
  const Object& object = all.objects[at];
  const bool socket = object.socket && object.socket->peer_object;
  if (object.kind != Kind::pipe && !socket) {
    return false;
  }
  return std::ranges::none_of(all.edges_of(socket ? *object.socket->peer_object : at), [&](const Edge& edge) {
    return edge.relation == Relation::holds && (socket || edge.writes);
  });
}

std::uint64_t in_flight(const Descriptor& socket) {
  const auto text =
      procfs::text("/proc/" + std::to_string(socket.pid) + "/fdinfo/" + std::to_string(socket.number)).value_or("");
  return procfs::number_of(text, "scm_fds").value_or(0);
}

}  // namespace

void add_carriers(Snapshot& into, const std::vector<Wait>& waits) {
  const bool wanted = std::ranges::any_of(waits, [&](const Wait& wait) {
    return std::ranges::any_of(wait.objects, [&](std::size_t at) { return lacks_other_end(into, at); });
  });
  for (const Descriptor& one : wanted ? into.descriptors : std::vector<Descriptor>()) {
    Object& object = into.objects[one.object];
    const std::uint64_t count = object.kind == Kind::unix_socket ? in_flight(one) : 0;
    if (count > 0 && !object.figure("descriptors_in_flight")) {
      object.figures.push_back({.name = "descriptors_in_flight", .value = count});
    }
  }
}

}  // namespace tenon::inspect

/// Counters that processes share by descriptor alone. eventfd(2)
///
/// All of them have one inode, so it is the number in fdinfo that tells one from the other; kernels before 5.2 give
/// none, and then they are not listed.
#include <tenon/inspect/kernel/scene.hpp>

namespace tenon::inspect {

void read_eventfds(const Scene& scene, Snapshot& into) {
  for (auto left = scene.sightings.all(Sighting::What::eventfd); !left.empty();) {
    const FileId file = left.front().file;
    const auto held = scene.sightings.of(Sighting::What::eventfd, file);
    left = left.subspan(held.size());
    const auto* const event = scene.sightings.event(file);
    const auto id = static_cast<int>(file.inode);
    Object object{.kind = Kind::eventfd, .name = "eventfd:[" + std::to_string(id) + "]", .id = id};
    object.state = event != nullptr && event->is_semaphore ? "semaphore" : "";
    if (event != nullptr) {
      object.figures = {{.name = "count", .value = event->count}};
    }
    add_holders(into, add(into, std::move(object)), held);
  }
}

}  // namespace tenon::inspect

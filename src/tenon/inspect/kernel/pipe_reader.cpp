/// Pipes without a name: seen only where somebody holds an end. pipe(7)
///
/// How much is in one could only be asked at an end of one's own, which its other side would take for one more reader
/// or writer: so it is not asked here.
#include <tenon/inspect/kernel/scene.hpp>

#include <algorithm>

namespace tenon::inspect {

void add_ends(Object& object, std::span<const Sighting> held) {
  std::uint64_t readers = 0;
  std::uint64_t writers = 0;
  for (auto left = held; !left.empty();) {
    const auto next = std::ranges::find_if(left, [&](const Sighting& one) { return one.pid != left.front().pid; });
    const auto own = left.first(static_cast<std::size_t>(next - left.begin()));
    readers += std::ranges::any_of(own, &Sighting::reads) ? 1 : 0;
    writers += std::ranges::any_of(own, &Sighting::writes) ? 1 : 0;
    left = left.subspan(own.size());
  }
  object.figures.push_back({.name = "readers", .value = readers});
  object.figures.push_back({.name = "writers", .value = writers});
}

void read_pipes(const Scene& scene, Snapshot& into) {
  for (auto left = scene.sightings.all(Sighting::What::pipe); !left.empty();) {
    const FileId file = left.front().file;
    const auto held = scene.sightings.of(Sighting::What::pipe, file);
    left = left.subspan(held.size());
    const std::string name = "pipe:[" + std::to_string(file.inode) + "]";
    const auto* const status = scene.sightings.status(file);
    Object object = status != nullptr ? file_object(Kind::pipe, name, *status)
                                      : Object{.kind = Kind::pipe, .name = name, .file = file};
    add_ends(object, held);
    add_holders(into, add(into, std::move(object)), held);
  }
}

}  // namespace tenon::inspect

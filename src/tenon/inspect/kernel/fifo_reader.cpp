/// FIFOs: those in the directories that are looked through, and those that somebody has open anywhere. fifo(7)
#include <tenon/inspect/kernel/scene.hpp>

#include <set>

namespace tenon::inspect {

namespace {

void add_fifo(Snapshot& into, Object object, const Sightings& sightings) {
  const auto held = sightings.of(Sighting::What::fifo, object.file);
  add_ends(object, held);
  add_holders(into, add(into, std::move(object)), held);
}

}  // namespace

void read_fifos(const Scene& scene, Snapshot& into) {
  std::set<FileId> told;
  for (const NamedFile& file : scene.files) {
    if (S_ISFIFO(file.status.stx_mode) && told.insert(file_id(file.status)).second) {
      add_fifo(into, file_object(Kind::fifo, file.path, file.status), scene.sightings);
    }
  }
  for (const Sighting& one : scene.sightings.all(Sighting::What::fifo)) {
    const auto* const status = scene.sightings.status(one.file);
    if (status != nullptr && told.insert(one.file).second) {
      Object object = file_object(Kind::fifo, without_mark(one.target), *status);
      object.state = is_unlinked(one.target) ? "unlinked" : "";
      add_fifo(into, std::move(object), scene.sightings);
    }
  }
}

}  // namespace tenon::inspect

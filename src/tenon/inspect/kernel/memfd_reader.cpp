/// Files in memory that have no name anywhere: seen only where somebody holds them. memfd_create(2)
#include <tenon/inspect/kernel/scene.hpp>

#include <set>

namespace tenon::inspect {

namespace {

constexpr std::string_view mark = "/memfd:";

bool is_memfd(const Sighting& one) { return one.target.starts_with(mark) && is_unlinked(one.target); }

std::string label_of(const Sighting& one) { return without_mark(one.target).substr(mark.size()); }

}  // namespace

// A descriptor tells more than a map.
void read_memfds(const Scene& scene, Snapshot& into) {
  std::set<FileId> told;
  for (const Sighting& one : scene.sightings.all(Sighting::What::file)) {
    const auto* const status = scene.sightings.status(one.file);
    if (is_memfd(one) && status != nullptr && told.insert(one.file).second) {
      Object object = file_object(Kind::memfd, label_of(one), *status);
      object.figures = {{.name = "bytes", .value = status->stx_size}};
      add_file(into, std::move(object), scene.sightings);
    }
  }
  for (const Sighting& one : scene.sightings.all(Sighting::What::map)) {
    if (is_memfd(one) && told.insert(one.file).second) {
      add_file(into, {.kind = Kind::memfd, .name = label_of(one), .file = one.file}, scene.sightings);
    }
  }
}

}  // namespace tenon::inspect

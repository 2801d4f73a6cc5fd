/// Files in memory that have no name anywhere: seen only where somebody holds them. memfd_create(2)
#include <tenon/inspect/kernel/scene.hpp>

#include <fcntl.h>
#include <set>

namespace tenon::inspect {

namespace {

constexpr std::string_view mark = "/memfd:";

bool is_memfd(const Sighting& one) { return one.target.starts_with(mark) && is_unlinked(one.target); }

}  // namespace

void read_memfds(const Scene& scene, Snapshot& into) {
  std::set<FileId> told;
  for (const bool mapped_alone : {false, true}) {  // a descriptor tells more than a map
    for (const Sighting& one : scene.sightings.all()) {
      if (!is_memfd(one) || (one.descriptor == -1) != mapped_alone || told.contains(one.file)) {
        continue;
      }
      const std::string label = without_mark(one.target).substr(mark.size());
      const auto status = mapped_alone ? std::nullopt : status_of(AT_FDCWD, one.path().c_str(), true);
      if (!mapped_alone && (!status || file_id(*status) != one.file)) {
        continue;  // closed meanwhile; another holder may still have it
      }
      told.insert(one.file);
      Object object = status ? file_object(Kind::memfd, label, *status)
                             : Object{.kind = Kind::memfd, .name = label, .file = one.file};
      if (status) {
        object.figures = {{.name = "bytes", .value = status->stx_size}};
      }
      add(into, std::move(object), scene.sightings);
    }
  }
}

}  // namespace tenon::inspect

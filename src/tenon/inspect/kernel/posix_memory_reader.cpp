/// POSIX memory: the regular files of /dev/shm, and those of them that have lost their name and are still in use.
/// shm_overview(7)
#include <tenon/inspect/kernel/scene.hpp>

#include <tenon/inspect/kernel/shm_directory.hpp>

#include <fcntl.h>
#include <set>

namespace tenon::inspect {

namespace {

Object memory_object(std::string name, const struct statx& status) {
  constexpr std::uint64_t block = 512;
  Object object = file_object(Kind::posix_memory, std::move(name), status);
  object.figures = {{.name = "bytes", .value = status.stx_size},
                    {.name = "allocated_bytes", .value = status.stx_blocks * block}};
  return object;
}

// Names of files in folders below are not shm_open(3)'s.
bool was_memory(const Sighting& one, dev_t device) {
  return one.file.device == device && is_unlinked(one.target) && one.target.starts_with(shm_directory) &&
         one.target.rfind('/') + 1 == shm_directory.size();
}

void add_unlinked(const Sighting& one, const Scene& scene, Snapshot& into) {
  const std::string name = without_mark(one.target).substr(shm_directory.size() - 1);
  const auto* const status = scene.sightings.status(one.file);
  Object object = status != nullptr ? memory_object(name, *status)
                                    : Object{.kind = Kind::posix_memory, .name = name, .file = one.file};
  object.state = "unlinked";
  add_file(into, std::move(object), scene.sightings);
}

}  // namespace

void read_posix_memory(const Scene& scene, Snapshot& into) {
  // A semaphore's creator maps it under a name that it had for a moment only: by its inode it is still there.
  std::set<FileId> told;
  for (const ShmFile& file : scene.shm) {
    told.insert(file_id(file.status));
    if (!is_semaphore(file)) {
      add_file(into, memory_object("/" + file.name, file.status), scene.sightings);
    }
  }
  const auto directory = status_of(AT_FDCWD, std::string(shm_directory).c_str());
  const dev_t device = directory ? file_id(*directory).device : 0;
  for (const auto what : {Sighting::What::file, Sighting::What::map}) {  // a descriptor tells more than a map
    for (const Sighting& one : scene.sightings.all(what)) {
      if (was_memory(one, device) && told.insert(one.file).second) {
        add_unlinked(one, scene, into);
      }
    }
  }
}

}  // namespace tenon::inspect

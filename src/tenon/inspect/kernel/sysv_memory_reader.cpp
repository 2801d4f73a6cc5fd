/// System V memory. shmctl(2)
#include <tenon/inspect/kernel/scene.hpp>

#include <algorithm>
#include <cerrno>
#include <map>
#include <sys/shm.h>

namespace tenon::inspect {

namespace {

// Maps of segments, by identifier: a segment's file has it for its inode, on a file system that belongs to the kernel.
using Attached = std::multimap<ino_t, const Sighting*>;

// Another IPC namespace has identifiers of its own.
bool maps_segment(const Sighting& one) {
  return one.target.starts_with("/SYSV") && is_unlinked(one.target) && shares_ipc(one.pid);
}

Attached attached_segments(const Sightings& sightings) {
  Attached all;
  for (const Sighting& one : sightings.all(Sighting::What::map)) {
    if (maps_segment(one)) {
      all.emplace(one.file.inode, &one);
    }
  }
  return all;
}

void add_segment(Snapshot& into, const Attached& attached, int id, const shmid_ds& segment) {
  Object object = system_v_object(Kind::sysv_memory, id, segment.shm_perm);
  object.figures = {{.name = "bytes", .value = segment.shm_segsz}, {.name = "attached", .value = segment.shm_nattch}};
  object.size = segment.shm_segsz;
  object.state = (segment.shm_perm.mode & SHM_DEST) != 0 ? "marked for removal" : "";
  object.changed = moment(segment.shm_ctime);
  object.used = moment(std::max(segment.shm_atime, segment.shm_dtime));
  add_time(object, "attached", segment.shm_atime);
  add_time(object, "detached", segment.shm_dtime);
  const std::size_t place = add(into, std::move(object));
  const auto [first, last] = attached.equal_range(static_cast<ino_t>(id));
  for (auto one = first; one != last; ++one) {
    add_holders(into, place, std::span(one->second, 1));
  }
  add_remembered(into, place, Relation::created, segment.shm_cpid, moment(segment.shm_ctime));
  add_remembered(into, place, Relation::last_attached, segment.shm_lpid,
                 moment(std::max(segment.shm_atime, segment.shm_dtime)));
}

}  // namespace

void read_sysv_memory(const Scene& scene, Snapshot& into) {
  shm_info table{};
  const int highest = ::shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&table));
  if (highest == -1) {
    into.unseen.push_back("System V memory: " + os_failure("shmctl", errno).message());
  }
  const Attached attached = attached_segments(scene.sightings);
  for (int place = 0; place <= highest; ++place) {
    shmid_ds segment{};
    if (const int id = ::shmctl(place, SHM_STAT_ANY, &segment); id != -1) {
      add_segment(into, attached, id, segment);
    }
  }
}

}  // namespace tenon::inspect

/// System V memory. shmctl(2)
#include <tenon/inspect/kernel/scene.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/shm.h>

namespace tenon::inspect {

namespace {

// A segment's file has the segment's identifier for its inode, on a file system that belongs to the kernel. Another
// IPC namespace has identifiers of its own.
bool maps_segment(const Sighting& one, int id) {
  return one.descriptor == -1 && one.own_ipc && one.target.starts_with("/SYSV") && is_unlinked(one.target) &&
         one.file.inode == static_cast<ino_t>(id);
}

void add_segment(Snapshot& into, const Scene& scene, int id, const shmid_ds& segment) {
  Object object = system_v_object(Kind::sysv_memory, id, segment.shm_perm);
  object.figures = {{.name = "bytes", .value = segment.shm_segsz}, {.name = "attached", .value = segment.shm_nattch}};
  object.state = (segment.shm_perm.mode & SHM_DEST) != 0 ? "marked for removal" : "";
  object.changed = moment(segment.shm_ctime);
  object.used = moment(std::max(segment.shm_atime, segment.shm_dtime));
  const std::size_t place = into.objects.size();
  into.objects.push_back(std::move(object));
  for (const Sighting& one : scene.sightings.all()) {
    if (maps_segment(one, id)) {
      into.edges.push_back({.object = place, .pid = one.pid, .relation = Relation::maps});
    }
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
  for (int place = 0; place <= highest; ++place) {
    shmid_ds segment{};
    if (const int id = ::shmctl(place, SHM_STAT_ANY, &segment); id != -1) {
      add_segment(into, scene, id, segment);
    }
  }
}

}  // namespace tenon::inspect

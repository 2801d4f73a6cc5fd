#pragma once
/// What the readers of the kinds share: one file, scene.hpp, and one reader per kind beside it.
#include <tenon/inspect/kernel/sightings.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/ipc.h>
#include <sys/stat.h>
#include <vector>

namespace tenon::inspect {

/// A file that was found by its name.
struct NamedFile {
  std::string path;
  struct statx status;
};

/// A regular file of /dev/shm.
struct ShmFile {
  std::string name;
  struct statx status;
};

struct Scene {
  Sightings sightings;
  std::vector<NamedFile> files;  ///< FIFOs and sockets, sorted by path
  std::vector<ShmFile> shm;      ///< by name
  Result<std::string> locks;     ///< /proc/locks
  Detail detail;
};

/// statx(2) relative to a directory, of what stands there itself, or of the descriptor if the name is "". No server is
/// asked for what the kernel knows. Nothing if it vanished.
std::optional<struct statx> status_of(int directory, const char* name, bool follow = false) noexcept;
/// What stands in a file of /proc that is read at once, as far as there is room; "" if it vanished.
std::string_view text_at(int directory, const std::string& name, std::span<char> room) noexcept;
FileId file_id(const struct statx& status) noexcept;
/// An object with the file's identity, owner, mode and times.
Object file_object(Kind kind, std::string name, const struct statx& status);
/// Names in a directory. Failures: not_found, permission_denied.
Result<std::vector<std::string>> names_in(const std::string& directory);

/// An object with the key, identifier, owner, creator and mode of a System V object.
Object system_v_object(Kind kind, int id, const ipc_perm& permissions);
/// Seconds since 1970, nothing for the 0 that the kernel writes for "never".
std::optional<std::int64_t> moment(time_t seconds) noexcept;
/// Adds to the object's `times`, unless it is "never".
void add_time(Object& object, const char* name, time_t seconds);

/// Adds the object and returns its place.
std::size_t add(Snapshot& into, Object object);
/// Adds an edge for each process that has it open or mapped so, and all the descriptors. They are sorted by process.
void add_holders(Snapshot& into, std::size_t object, std::span<const Sighting> held);
/// How many processes have which end of a pipe open, of those that could be looked at: figures "readers", "writers".
void add_ends(Object& object, std::span<const Sighting> held);
/// Adds a file, and those who have it open or mapped.
std::size_t add_file(Snapshot& into, Object object, const Sightings& sightings);
/// Adds an edge to a process that the kernel remembers for what it did last, no later than `when`. Nothing for pid 0,
/// which stands for nobody, or for a process of another PID namespace.
void add_remembered(Snapshot& into, std::size_t object, Relation relation, pid_t pid, std::optional<std::int64_t> when);
/// Marks the edges to processes that started only after the deed as ended: their id was given out again.
void tell_who_came_later(Snapshot& all);

/// The FIFOs and sockets below the directories, and those at the paths.
std::vector<NamedFile> find_named_files(const SnapshotOptions& options, std::vector<std::string>& unseen);

/// A line of /proc/locks, or one of a file /proc/PID/fdinfo/N from behind its "lock:". proc(5)
struct LockLine {
  bool blocked;  ///< it waits for the one before it that is not
  FileLock lock;
  pid_t pid;  ///< -1 of ofd
  FileId file;
};
/// Nothing if it is none, or of a family that nobody waits for.
std::optional<LockLine> parse_lock_line(std::string_view line);
/// Whether the open file description behind a descriptor has that lock. Not if that cannot be seen.
bool has_lock(pid_t pid, int descriptor, const FileLock& lock);

/// One reader for each kind, in a file of its own.
void read_posix_queues(const Scene& scene, Snapshot& into);
void read_posix_memory(const Scene& scene, Snapshot& into);
void read_sysv_memory(const Scene& scene, Snapshot& into);
void read_memfds(const Scene& scene, Snapshot& into);
void read_posix_semaphores(const Scene& scene, Snapshot& into);
void read_pipes(const Scene& scene, Snapshot& into);
void read_fifos(const Scene& scene, Snapshot& into);
void read_unix_sockets(const Scene& scene, Snapshot& into);
void read_eventfds(const Scene& scene, Snapshot& into);
void read_file_locks(const Scene& scene, Snapshot& into);
/// Of these the kernel keeps no holders.
void read_sysv_queues(Snapshot& into);
void read_sysv_semaphores(Snapshot& into);

}  // namespace tenon::inspect

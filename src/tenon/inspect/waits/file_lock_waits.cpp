/// Waits for locks on files. flock(2), fcntl(2), proc_locks(5)
///
/// /proc/locks tells which process is blocked, and by which lock; not which thread of it. Each thread's own call says
/// what it asks for.
#include <tenon/inspect/waits/wait_scene.hpp>

#include <tenon/inspect/kernel/known_file.hpp>
#include <tenon/inspect/kernel/scene.hpp>

#include <algorithm>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

struct Request {
  bool whole_file;  ///< flock(2), else the bytes of fcntl(2)
  bool writes;
  std::uint64_t first = 0;
  std::optional<std::uint64_t> last = {};  ///< nothing: to the end of the file
};

// Where the bytes count from the position in the file, or from its end, they are taken for all; so are those whose
// numbers no file has.
Request range_of(const struct flock& asked) {
  Request request{.whole_file = false, .writes = asked.l_type == F_WRLCK};
  if (asked.l_whence != SEEK_SET) {
    return request;
  }
  off_t end = 0;
  if (asked.l_start < 0 || __builtin_add_overflow(asked.l_start, asked.l_len, &end)) {
    return request;
  }
  const off_t from = asked.l_len < 0 ? end : asked.l_start;
  const off_t behind = asked.l_len < 0 ? asked.l_start : end;
  request.first = static_cast<std::uint64_t>(std::max<off_t>(from, 0));
  if (asked.l_len != 0) {
    request.last = static_cast<std::uint64_t>(std::max<off_t>(behind, 1) - 1);
  }
  return request;
}

// Nothing of it that cannot be read is taken to narrow it down.
Request request_of(const AddressSpace* memory, const Sleeper& sleeper, bool whole_file) {
  if (whole_file) {
    return {.whole_file = true, .writes = (sleeper.call.arguments[1] & LOCK_EX) != 0};
  }
  const auto asked = memory == nullptr ? std::nullopt : memory->value<struct flock>(sleeper.call.arguments[2]);
  return asked ? range_of(*asked) : Request{.whole_file = false, .writes = true};
}

bool is_in_the_way(const FileLock& lock, const Request& request) {
  const bool comparable = lock.family == FileLock::Family::flock
                              ? request.whole_file
                              : lock.family != FileLock::Family::lease && !request.whole_file;
  const bool apart = (lock.last && *lock.last < request.first) || (request.last && *request.last < lock.first);
  return comparable && (lock.writes || request.writes) && !apart;
}

bool is_posix(const Snapshot& all, std::size_t at) { return all.objects[at].lock->family == FileLock::Family::posix; }

// Of the newer families a lock is the open file description's: whoever asks for more through that is not in its own
// way.
bool is_carried(const Snapshot& all, std::size_t at, const Sleeper& sleeper) {
  const auto& lock = all.objects[at].lock;
  return lock && !is_posix(all, at) && has_lock(sleeper.pid, static_cast<int>(sleeper.call.arguments[0]), *lock);
}

// Nor are a process's own locks of the old family ever.
bool is_its_own(const Snapshot& all, std::size_t at, const Sleeper& sleeper) {
  const auto edges = all.edges_of(at);
  const bool alone =
      !edges.empty() && std::ranges::all_of(edges, [&](const Edge& edge) { return edge.pid == sleeper.pid; });
  return alone && (is_posix(all, at) || is_carried(all, at, sleeper));
}

// A kernel that does not number the file's mount is asked for what it has of the file, and no server either.
std::optional<FileId> file_of(const Sleeper& sleeper) {
  const auto number = static_cast<int>(sleeper.call.arguments[0]);
  const auto known = known_file(sleeper.pid, number);
  const auto status = known ? std::nullopt : known_status_of(sleeper.pid, number);
  return known || !status ? known : std::optional(file_id(*status));
}

std::vector<std::size_t> locks_in_the_way(const Snapshot& all, const Sleeper& sleeper, FileId file,
                                          const Request& request) {
  std::vector<std::size_t> found;
  for (std::size_t at = 0; at < all.objects.size(); ++at) {
    const Object& object = all.objects[at];
    if (object.kind == Kind::file_lock && object.file == file && object.lock && is_in_the_way(*object.lock, request) &&
        !is_its_own(all, at, sleeper)) {
      found.push_back(at);
    }
  }
  return found;
}

// Those that, by the table, block some thread of the process in such a call.
std::vector<std::size_t> locks_of_the_table(const std::vector<Wait>& table, const Wait& wait) {
  std::vector<std::size_t> found;
  for (const Wait& one : table) {
    if (one.pid == wait.pid && one.call == wait.call) {
      found.insert(found.end(), one.objects.begin(), one.objects.end());
    }
  }
  return found;
}

}  // namespace

// Of fcntl(2) two commands wait; all others come back at once.
bool read_file_lock_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait) {
  const std::uint64_t command = sleeper.call.arguments[1];
  const bool whole_file = wait.call == "flock";
  if (!whole_file && command != F_SETLKW && command != F_OFD_SETLKW) {
    return false;
  }
  const Request request = request_of(scene.memory(sleeper.pid), sleeper, whole_file);
  const auto file = file_of(sleeper);
  const auto told = locks_of_the_table(scene.file_locks(), wait);
  wait.objects = file ? locks_in_the_way(scene.all(), sleeper, *file, request) : std::vector<std::size_t>();
  std::vector<std::size_t> both = wait.objects;
  std::erase_if(both, [&](std::size_t at) { return std::ranges::find(told, at) == told.end(); });
  if (!both.empty()) {
    wait.objects = std::move(both);
  } else if (wait.objects.empty() && told.size() == 1) {
    wait.objects = told;
  }
  wait.carries =
      std::ranges::any_of(wait.objects, [&](std::size_t at) { return is_carried(scene.all(), at, sleeper); });
  if (wait.objects.empty()) {
    wait.unseen = "the lock that stands in its way";
  }
  return true;
}

}  // namespace tenon::inspect

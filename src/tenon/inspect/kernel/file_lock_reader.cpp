/// Locks on files, who has them, and who waits. fcntl(2), flock(2), proc(5)
///
/// One object for each file, family, mode and range: several processes may share a lock for reading. /proc/locks tells
/// of a POSIX lock whose it is; the others belong to open file descriptions, so they are looked for in the fdinfo of
/// all who have the file open. That tells of those who inherited a descriptor too, and never of one that has closed it.
#include <tenon/inspect/kernel/known_file.hpp>
#include <tenon/inspect/kernel/scene.hpp>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <iterator>
#include <map>
#include <set>

namespace tenon::inspect {

namespace {

struct Locked {
  FileId file;
  FileLock lock;
  friend auto operator<=>(const Locked&, const Locked&) = default;
};

struct People {
  std::set<pid_t> owners;
  std::vector<pid_t> waiters;  // -1: it cannot be told who
};

using Locks = std::map<Locked, People>;

template <class Each>
void each_line(std::string_view text, Each each) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    each(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Who is blocked stands below what blocks.
Locks read_table(std::string_view table) {
  Locks all;
  Locks::iterator held = all.end();
  each_line(table, [&](std::string_view line) {
    const auto parsed = parse_lock_line(line);
    if (!parsed) {
      held = all.end();
    } else if (!parsed->blocked) {
      held = all.try_emplace({.file = parsed->file, .lock = parsed->lock}).first;
      if (parsed->lock.family == FileLock::Family::posix) {
        held->second.owners.insert(parsed->pid);
      }
    } else if (held != all.end()) {
      held->second.waiters.push_back(parsed->pid);
    }
  });
  return all;
}

std::string range_text(const FileLock& lock) {
  if (lock.first == 0 && !lock.last) {
    return "";
  }
  return ", bytes " + std::to_string(lock.first) + (lock.last ? " to " + std::to_string(*lock.last) : " and on");
}

Object lock_object(const Locked& locked, const People& people, std::span<const Sighting> open,
                   const struct statx* status) {
  const std::string nameless =
      "inode " + std::to_string(locked.file.inode) + " of device " + std::to_string(locked.file.device);
  const std::string name = open.empty() ? nameless : without_mark(open.front().target);
  Object object = status != nullptr ? file_object(Kind::file_lock, name, *status)
                                    : Object{.kind = Kind::file_lock, .name = name, .file = locked.file};
  object.file = locked.file;
  object.created.reset();  // those are the file's
  object.changed.reset();
  object.times.clear();
  object.size.reset();
  object.links.reset();
  object.state =
      std::string(name_of(locked.lock.family)) + (locked.lock.writes ? ", write" : ", read") + range_text(locked.lock);
  object.figures = {{.name = "waiting", .value = people.waiters.size()}};
  object.lock = locked.lock;
  if (!people.waiters.empty()) {
    object.awaited = {Need::lock};
  }
  return object;
}

// Those who have it open. Where stat(2) tells another device than the kernel has for its locks, as of overlays and of
// btrfs, they are found by the mounts through which they have it open.
std::vector<Sighting> open_at(const Sightings& sightings, FileId file) {
  const auto exact = sightings.of(Sighting::What::file, file);
  std::vector<Sighting> found(exact.begin(), exact.end());
  if (found.empty()) {
    std::ranges::copy_if(sightings.all(Sighting::What::file), std::back_inserter(found), [&](const Sighting& one) {
      return one.file.inode == file.inode && known_file(one.pid, one.descriptor) == file;
    });
  }
  return found;
}

void add_lock(const Locked& locked, const People& people, const Scene& scene, Snapshot& into) {
  const auto open = open_at(scene.sightings, locked.file);
  const FileId seen = open.empty() ? locked.file : open.front().file;
  const std::size_t place = add(into, lock_object(locked, people, open, scene.sightings.status(seen)));
  std::set<pid_t> owners = people.owners;
  for (const Sighting& one : open) {
    if (locked.lock.family != FileLock::Family::posix && !owners.contains(one.pid) &&
        has_lock(one.pid, one.descriptor, locked.lock)) {
      owners.insert(one.pid);
    }
  }
  for (const pid_t pid : owners) {
    into.edges.push_back({.object = place, .pid = pid, .relation = Relation::owns});
  }
  for (const pid_t pid : people.waiters) {
    if (pid > 0) {
      into.waits.push_back({.pid = pid,
                            .thread = 0,
                            .call = locked.lock.family == FileLock::Family::flock ? "flock" : "fcntl",
                            .need = Need::lock,
                            .objects = {place},
                            .since = {},
                            .unseen = {}});
    }
  }
}

}  // namespace

bool has_lock(pid_t pid, int descriptor, const FileLock& lock) {
  std::array<char, 4096> room{};
  const std::string_view text =
      text_at(AT_FDCWD, "/proc/" + std::to_string(pid) + "/fdinfo/" + std::to_string(descriptor), room);
  bool found = false;
  each_line(text, [&](std::string_view line) {
    constexpr std::string_view mark = "lock:";
    const auto parsed = line.starts_with(mark) ? parse_lock_line(line.substr(mark.size())) : std::nullopt;
    found = found || (parsed && parsed->lock == lock);
  });
  return found;
}

void read_file_locks(const Scene& scene, Snapshot& into) {
  if (!scene.locks) {
    into.unseen.push_back("locks on files: " + scene.locks.error().message());
    return;
  }
  for (const auto& [locked, people] : read_table(*scene.locks)) {
    add_lock(locked, people, scene, into);
  }
}

}  // namespace tenon::inspect

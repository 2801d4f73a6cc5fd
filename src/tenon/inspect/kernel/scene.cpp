#include <tenon/inspect/kernel/scene.hpp>

#include <tenon/os/fd.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <unordered_map>

namespace tenon::inspect {

namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

std::int64_t seconds_of(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec;
}

// Clocks are read one after the other and seconds are cut off.
constexpr std::int64_t rounding = 2;

}  // namespace

std::optional<struct statx> status_of(int directory, const char* name, bool follow) noexcept {
  struct statx status{};
  const int flags =
      AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC | (follow ? 0 : AT_SYMLINK_NOFOLLOW) | (*name == '\0' ? AT_EMPTY_PATH : 0);
  const bool there = ::statx(directory, name, flags, STATX_BASIC_STATS | STATX_BTIME, &status) == 0;
  return there ? std::optional(status) : std::nullopt;
}

std::string_view text_at(int directory, const std::string& name, std::span<char> room) noexcept {
  const auto file = fd_from(::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC), "open");
  const ssize_t got = file ? uninterrupted([&] { return ::read(file->raw(), room.data(), room.size()); }) : -1;
  return {room.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

FileId file_id(const struct statx& status) noexcept {
  return {.device = makedev(status.stx_dev_major, status.stx_dev_minor), .inode = status.stx_ino};
}

void add_time(Object& object, const char* name, time_t seconds) {
  if (const auto at = moment(seconds)) {
    object.times.push_back({.name = name, .at = *at});
  }
}

Object file_object(Kind kind, std::string name, const struct statx& status) {
  Object object{.kind = kind, .name = std::move(name), .file = file_id(status)};
  object.owner = status.stx_uid;
  object.group = status.stx_gid;
  object.size = status.stx_size;
  object.links = status.stx_nlink;
  object.mode = status.stx_mode & 0777;
  if ((status.stx_mask & STATX_BTIME) != 0) {
    object.created = moment(status.stx_btime.tv_sec);
  }
  object.changed = moment(status.stx_ctime.tv_sec);
  add_time(object, "accessed", status.stx_atime.tv_sec);
  add_time(object, "modified", status.stx_mtime.tv_sec);
  return object;
}

Result<std::vector<std::string>> names_in(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> stream(::opendir(directory.c_str()));
  if (!stream) {
    return fail(os_failure("opendir", errno).on(directory));
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  std::ranges::sort(names);
  return names;
}

Object system_v_object(Kind kind, int id, const ipc_perm& permissions) {
  std::array<char, 16> key{};
  std::snprintf(key.data(), key.size(), "0x%08x", static_cast<unsigned int>(permissions.__key));
  Object object{.kind = kind, .name = key.data(), .id = id};
  object.owner = permissions.uid;
  object.creator = permissions.cuid;
  object.group = permissions.gid;
  object.creator_group = permissions.cgid;
  object.mode = permissions.mode & 0777U;
  return object;
}

std::optional<std::int64_t> moment(time_t seconds) noexcept {
  return seconds > 0 ? std::optional<std::int64_t>(seconds) : std::nullopt;
}

std::size_t add(Snapshot& into, Object object) {
  into.objects.push_back(std::move(object));
  return into.objects.size() - 1;
}

void add_holders(Snapshot& into, std::size_t object, std::span<const Sighting> held) {
  for (const Sighting& one : held) {
    const bool known = !into.edges.empty() && into.edges.back().object == object && into.edges.back().pid == one.pid &&
                       into.edges.back().relation == one.relation();
    if (!known) {
      into.edges.push_back(
          {.object = object, .pid = one.pid, .relation = one.relation(), .descriptor = one.descriptor});
    }
    into.edges.back().reads = into.edges.back().reads || one.reads;
    into.edges.back().writes = into.edges.back().writes || one.writes;
    into.edges.back().mapped += one.length;
    if (one.descriptor != -1) {
      into.descriptors.push_back({.pid = one.pid,
                                  .number = one.descriptor,
                                  .object = object,
                                  .reads = one.reads,
                                  .writes = one.writes,
                                  .opened = one.opened});
    }
  }
}

std::size_t add_file(Snapshot& into, Object object, const Sightings& sightings) {
  const FileId file = object.file;
  const std::size_t place = add(into, std::move(object));
  add_holders(into, place, sightings.of(Sighting::What::file, file));
  add_holders(into, place, sightings.of(Sighting::What::map, file));
  return place;
}

void add_remembered(Snapshot& into, std::size_t object, Relation relation, pid_t pid,
                    std::optional<std::int64_t> when) {
  if (pid > 0) {
    into.edges.push_back({.object = object, .pid = pid, .relation = relation, .when = when});
  }
}

// What the kernel keeps of a start is ticks since boot. Asked once for each process.
void tell_who_came_later(Snapshot& all) {
  const std::int64_t booted = seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME);
  const std::int64_t ticks = ::sysconf(_SC_CLK_TCK);
  std::unordered_map<pid_t, std::int64_t> starts;
  for (Edge& edge : all.edges) {
    if (!edge.when || edge.ended) {
      continue;
    }
    const auto [known, is_new] = starts.try_emplace(edge.pid, 0);
    if (is_new) {
      const auto process = procfs::process(edge.pid);
      known->second = process ? booted + static_cast<std::int64_t>(process->start_time) / ticks : 0;
    }
    const std::int64_t started = known->second;
    const bool another = started > *edge.when + rounding;
    edge.ended = another;
  }
}

}  // namespace tenon::inspect

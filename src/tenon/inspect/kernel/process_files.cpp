#include <tenon/inspect/kernel/process_files.hpp>

#include <tenon/inspect/kernel/scene.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

// The kernel hands out a page of a maps file at a time, and directory entries as many as there is room for.
constexpr std::size_t room_for_entries = 32768;

template <class Number>
bool take_number(std::string_view& text, Number& into, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

bool take(std::string_view& text, char wanted) {
  const bool there = text.starts_with(wanted);
  text.remove_prefix(there ? 1 : 0);
  return there;
}

bool look(int directory, const char* name, int flags, unsigned int mask, struct statx& into) noexcept {
  return ::statx(directory, name, flags | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, mask, &into) == 0;
}

Result<Fd> process_directory(FdView proc, const std::string& path) {
  return fd_from(::openat(proc.raw(), path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open");
}

// A command line of more than a page is cut there.
std::optional<Process> read_process(FdView directory, pid_t pid) {
  struct stat status{};
  std::array<char, 4096> room{};
  std::string_view comm = text_at(directory.raw(), "comm", room);
  if (::fstat(directory.raw(), &status) == -1 || comm.empty()) {
    return std::nullopt;
  }
  comm.remove_suffix(comm.ends_with('\n') ? 1 : 0);
  Process found{.pid = pid, .user = status.st_uid, .name = std::string(comm), .command = {}};
  found.command = text_at(directory.raw(), "cmdline", room);
  while (found.command.ends_with('\0')) {
    found.command.pop_back();
  }
  std::ranges::replace(found.command, '\0', ' ');
  if (found.command.empty()) {
    found.command = "[" + found.name + "]";
  }
  return found;
}

std::string target_of(int directory, const char* name) {
  std::array<char, PATH_MAX> room;
  const ssize_t length = ::readlinkat(directory, name, room.data(), room.size());
  return {room.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

// How the kernel writes a newline and a backslash of a mapped file's name.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::uint8_t byte = 0;
    const bool escape = text[i] == '\\' && text.size() - i >= 4 &&
                        std::from_chars(text.data() + i + 1, text.data() + i + 4, byte, 8).ptr == text.data() + i + 4;
    out += escape ? static_cast<char>(byte) : text[i];
    i += escape ? 3 : 0;
  }
  return out;
}

// The parts of one map of a file stand one after the other, those behind `before`.
void merge(Sighting one, std::size_t before, std::vector<Sighting>& into) {
  if (into.size() > before && into.back().file == one.file) {
    into.back().reads = into.back().reads || one.reads;
    into.back().writes = into.back().writes || one.writes;
    into.back().length += one.length;
  } else {
    into.push_back(std::move(one));
  }
}

// "812 (name) Z …": what is open and mapped is shown by its other threads alone.
bool has_lost_main_thread(FdView process) {
  std::array<char, 512> room{};
  const std::string_view line = text_at(process.raw(), "stat", room);
  const std::size_t end = line.rfind(')');
  return end != std::string_view::npos && line.substr(end).starts_with(") Z");
}

struct Entry {
  std::uint64_t inode;
  std::int64_t next;
  std::uint16_t length;
  std::uint8_t type;
};
constexpr std::size_t name_at = 19;  // of linux_dirent64, getdents64(2)

// Nothing if it was closed meanwhile.
std::optional<OpenFile> opening_of(std::string_view info) {
  const auto position = procfs::number_of(info, "pos");
  const auto flags = procfs::number_of(info, "flags", 8);
  const auto mount = procfs::number_of(info, "mnt_id");
  return position && flags && mount ? std::optional(OpenFile{.flags = static_cast<unsigned int>(*flags),
                                                             .position = *position,
                                                             .mount = static_cast<int>(*mount)})
                                    : std::nullopt;
}

}  // namespace

// All pipes are files of one file system; one of our own, gone at once, tells which.
ProcessFiles::ProcessFiles(FdView proc, Detail detail) : proc_(proc), detail_(detail), room_(room_for_entries) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) == 0) {
    const Fd reader = Fd::adopt(ends[0]);
    const Fd writer = Fd::adopt(ends[1]);
    struct stat status{};
    pipes_ = ::fstat(reader.raw(), &status) == 0 ? status.st_dev : 0;
  }
}

std::optional<Sighting> ProcessFiles::parse_map(std::string_view line) {
  std::uint64_t number = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  const bool range =
      take_number(line, from, 16) && take(line, '-') && take_number(line, to, 16) && take(line, ' ') && line.size() > 5;
  if (!range) {
    return std::nullopt;
  }
  const std::string_view rights = line.substr(0, 4);
  line.remove_prefix(5);
  unsigned int high = 0;
  unsigned int low = 0;
  ino_t inode = 0;
  if (!take_number(line, number, 16) || !take(line, ' ') || !take_number(line, high, 16) || !take(line, ':') ||
      !take_number(line, low, 16) || !take(line, ' ') || !take_number(line, inode, 10)) {
    return std::nullopt;
  }
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const bool ours = line.starts_with("/memfd:") || line.starts_with("/SYSV") || line.starts_with("/dev/shm/");
  if (!line.starts_with('/') || (rights[3] != 's' && !ours)) {
    return std::nullopt;
  }
  return Sighting{.file = {.device = makedev(high, low), .inode = inode},
                  .what = Sighting::What::map,
                  .reads = rights[0] == 'r',
                  .writes = rights[1] == 'w' && rights[3] == 's',
                  .length = to - from,
                  .target = unescaped(line)};
}

// Nothing of what no kind is made of. The anonymous inodes, an eventfd's among them, are files of no type.
std::optional<Sighting::What> ProcessFiles::what_of(const struct statx& status, int directory, const char* name,
                                                    std::string& target) const {
  constexpr std::string_view eventfd = "anon_inode:[eventfd]";
  const mode_t type = status.stx_mode & S_IFMT;
  if (type == S_IFSOCK) {
    return Sighting::What::socket;
  }
  if (type == S_IFIFO && file_id(status).device == pipes_) {
    return Sighting::What::pipe;
  }
  if (type != S_IFIFO && type != S_IFREG && type != 0) {
    return std::nullopt;
  }
  target = target_of(directory, name);
  if (target == eventfd) {
    return Sighting::What::eventfd;
  }
  return !target.starts_with('/') ? std::nullopt
                                  : std::optional(type == S_IFIFO ? Sighting::What::fifo : Sighting::What::file);
}

void ProcessFiles::add_descriptor(int directory, const char* name, Sighting one, FilesSeen& into) {
  struct statx status{};
  const bool there = look(directory, name, 0, STATX_BASIC_STATS | STATX_BTIME, status);
  const auto what = there ? what_of(status, directory, name, one.target) : std::nullopt;
  if (!what) {
    return;
  }
  one.what = *what;
  one.file = file_id(status);
  std::array<char, 512> room{};
  const bool is_event = *what == Sighting::What::eventfd;
  const bool asked = is_event || detail_ == Detail::opening;
  const std::string_view info = asked ? text_at(directory, "../fdinfo/" + std::string(name), room) : "";
  one.opened = detail_ == Detail::opening ? opening_of(info) : std::nullopt;
  if (is_event) {
    add_event(info, std::move(one), into);
    return;
  }
  struct statx link{};
  link.stx_mode = S_IRUSR | S_IWUSR;  // as every socket is opened
  if (*what != Sighting::What::socket) {
    if (!look(directory, name, AT_SYMLINK_NOFOLLOW, STATX_MODE, link)) {
      return;
    }
    into.statuses.try_emplace(one.file, status);
  }
  one.reads = (link.stx_mode & S_IRUSR) != 0;
  one.writes = (link.stx_mode & S_IWUSR) != 0;
  into.sightings.push_back(std::move(one));
}

// Nothing if it was closed meanwhile, or if the kernel does not number them.
void ProcessFiles::add_event(std::string_view info, Sighting one, FilesSeen& into) {
  const auto count = procfs::number_of(info, "eventfd-count", 16);
  const auto id = procfs::number_of(info, "eventfd-id");
  if (!count || !id) {
    return;
  }
  one.file = {.device = 0, .inode = *id};
  one.target.clear();
  one.reads = true;
  one.writes = true;
  const bool is_semaphore = procfs::number_of(info, "eventfd-semaphore").value_or(0) != 0;
  into.events.try_emplace(one.file, EventCount{.count = *count, .is_semaphore = is_semaphore});
  into.sightings.push_back(std::move(one));
}

Result<void> ProcessFiles::read_descriptors(FdView process, pid_t pid, FilesSeen& into) {
  const auto directory = fd_from(::openat(process.raw(), "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
  if (!directory) {
    return fail(Error(directory.error()));
  }
  while (true) {
    const ssize_t got = ::getdents64(directory->raw(), room_.data(), room_.size());
    if (got <= 0) {
      return got == 0 ? Result<void>() : fail(os_failure("getdents64", errno));
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      Entry entry{};
      std::memcpy(&entry, room_.data() + at, name_at);
      const char* const name = room_.data() + at + name_at;
      std::string_view digits(name);
      if (Sighting one{.pid = pid}; take_number(digits, one.descriptor, 10) && digits.empty()) {
        add_descriptor(directory->raw(), name, std::move(one), into);
      }
      at += entry.length;
    }
  }
}

Result<void> ProcessFiles::read_maps(FdView process, pid_t pid, std::vector<Sighting>& into) {
  const auto file = fd_from(::openat(process.raw(), "maps", O_RDONLY | O_CLOEXEC), "open");
  if (!file) {
    return fail(Error(file.error()));
  }
  const std::size_t before = into.size();
  std::size_t kept = 0;  // the beginning of a line whose end is yet to come
  while (true) {
    room_.resize(std::max(room_.size(), 2 * kept));
    const ssize_t got = uninterrupted([&] { return ::read(file->raw(), room_.data() + kept, room_.size() - kept); });
    if (got <= 0) {
      return got == 0 ? Result<void>() : fail(os_failure("read", errno));
    }
    std::string_view left(room_.data(), kept + static_cast<std::size_t>(got));
    for (std::size_t end = left.find('\n'); end != std::string_view::npos; end = left.find('\n')) {
      if (auto one = parse_map(left.substr(0, end))) {
        one->pid = pid;
        merge(std::move(*one), before, into);
      }
      left.remove_prefix(end + 1);
    }
    kept = left.size();
    std::memmove(room_.data(), left.data(), kept);
  }
}

Result<void> ProcessFiles::read_all(FdView task, pid_t pid, FilesSeen& into) {
  return read_descriptors(task, pid, into).and_then([&] { return read_maps(task, pid, into.sightings); });
}

// They have all in common: one that lives shows it, and one that has ended shows nothing or may not be looked at.
Result<void> ProcessFiles::read_through_others(FdView process, pid_t pid, FilesSeen& into) {
  Result<void> looked;
  const std::size_t before = into.sightings.size();
  const auto threads = names_in("/proc/" + std::to_string(pid) + "/task");
  for (const std::string& thread : threads ? *threads : std::vector<std::string>()) {
    const auto task = process_directory(process, "task/" + thread);
    looked = task ? read_all(task->view(), pid, into) : Result<void>();
    if (into.sightings.size() > before) {
      break;
    }
  }
  return looked;
}

std::optional<Process> process_of(pid_t pid) {
  const auto directory = process_directory(FdView(AT_FDCWD), "/proc/" + std::to_string(pid));
  return directory ? read_process(directory->view(), pid) : std::nullopt;
}

Result<void> ProcessFiles::look_at(pid_t pid, FilesSeen& into) {
  const std::size_t before = into.sightings.size();
  const auto directory = process_directory(proc_, std::to_string(pid));
  auto looked = directory ? read_all(directory->view(), pid, into) : fail(Error(directory.error()));
  const bool nothing = into.sightings.size() == before;
  if (directory && nothing && has_lost_main_thread(directory->view())) {
    looked = read_through_others(directory->view(), pid, into);
  }
  if (!looked && !looked.failed_with(Errc::not_found)) {
    into.sightings.erase(into.sightings.begin() + static_cast<std::ptrdiff_t>(before), into.sightings.end());
    return looked;
  }
  if (into.sightings.size() > before) {
    if (auto found = read_process(directory->view(), pid)) {
      into.processes.push_back(std::move(*found));
    }
  }
  return {};
}

}  // namespace tenon::inspect

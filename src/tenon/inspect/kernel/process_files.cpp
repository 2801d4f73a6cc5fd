#include <tenon/inspect/kernel/process_files.hpp>

#include <tenon/os/fd.hpp>
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

// "pipe:[4711]" behind "pipe:["
std::optional<ino_t> number_behind(std::string_view text, std::string_view mark) {
  ino_t number = 0;
  if (!text.starts_with(mark)) {
    return std::nullopt;
  }
  text.remove_prefix(mark.size());
  return take_number(text, number, 10) && text == "]" ? std::optional(number) : std::nullopt;
}

// The device of the first that is met holds for all; nothing if that one has just been closed.
std::optional<dev_t> device_of(std::optional<dev_t>& known, int directory, const char* name) {
  struct stat status{};
  if (!known && ::fstatat(directory, name, &status, 0) == 0) {
    known = status.st_dev;
  }
  return known;
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
  } else {
    into.push_back(std::move(one));
  }
}

struct Entry {
  std::uint64_t inode;
  std::int64_t next;
  std::uint16_t length;
  std::uint8_t type;
};
constexpr std::size_t name_at = 19;  // of linux_dirent64, getdents64(2)

}  // namespace

ProcessFiles::ProcessFiles(FdView proc) : proc_(proc), room_(room_for_entries) {}

std::optional<Sighting> ProcessFiles::parse_map(std::string_view line) {
  std::uint64_t number = 0;
  const bool range = take_number(line, number, 16) && take(line, '-') && take_number(line, number, 16) &&
                     take(line, ' ') && line.size() > 5;
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
                  .target = unescaped(line)};
}

void ProcessFiles::add_descriptor(int directory, const char* name, Sighting one, std::vector<Sighting>& into) {
  std::array<char, PATH_MAX> room;
  const ssize_t length = ::readlinkat(directory, name, room.data(), room.size());
  if (length <= 0) {
    return;
  }
  const std::string_view target(room.data(), static_cast<std::size_t>(length));
  struct stat status{};
  if (const auto pipe = number_behind(target, "pipe:[")) {
    one.what = Sighting::What::pipe;
    one.file = {.device = device_of(devices_.pipes, directory, name).value_or(0), .inode = *pipe};
  } else if (const auto socket = number_behind(target, "socket:[")) {
    one.what = Sighting::What::socket;
    one.file = {.device = device_of(devices_.sockets, directory, name).value_or(0), .inode = *socket};
  } else if (target == "anon_inode:[eventfd]") {
    one.what = Sighting::What::eventfd;
  } else if (target.starts_with('/') && ::fstatat(directory, name, &status, 0) == 0 &&
             (S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode))) {
    one.what = S_ISREG(status.st_mode) ? Sighting::What::file : Sighting::What::fifo;
    one.file = {.device = status.st_dev, .inode = status.st_ino};
    one.target = target;
  } else {
    return;
  }
  if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    one.reads = (status.st_mode & S_IRUSR) != 0;
    one.writes = (status.st_mode & S_IWUSR) != 0;
    into.push_back(std::move(one));
  }
}

Result<void> ProcessFiles::read_descriptors(FdView process, pid_t pid, std::vector<Sighting>& into) {
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

Result<void> ProcessFiles::look_at(pid_t pid, std::vector<Sighting>& into) {
  const std::size_t before = into.size();
  const auto process =
      fd_from(::openat(proc_.raw(), std::to_string(pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open");
  auto looked = process ? read_descriptors(process->view(), pid, into) : fail(Error(process.error()));
  if (looked) {
    looked = read_maps(process->view(), pid, into);
  }
  if (looked.failed_with(Errc::permission_denied)) {
    into.erase(into.begin() + static_cast<std::ptrdiff_t>(before), into.end());
    return fail(Errc::permission_denied);
  }
  return {};
}

}  // namespace tenon::inspect

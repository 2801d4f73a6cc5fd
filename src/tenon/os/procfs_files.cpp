/// The lines of /proc/PID/maps and /proc/self/mountinfo.
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace tenon::procfs {

namespace {

Fail corrupt(std::string_view line, const char* why) { return fail(Error(Errc::corrupt).on(line).because(why)); }

// Takes the first word off `line`; what follows begins at the next word.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  const std::size_t next = line.find_first_not_of(' ', end);
  line.remove_prefix(std::min(next, line.size()));
  return word;
}

template <class Number>
bool parse(std::string_view digits, Number& into, int base) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into, base);
  return error == std::errc() && end == digits.data() + digits.size();
}

// The kernel writes some bytes of a path as a backslash and three octal digits.
std::string unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::uint8_t byte = 0;
    if (text.front() == '\\' && text.size() >= 4 && parse(text.substr(1, 3), byte, 8)) {
      out += static_cast<char>(byte);
      text.remove_prefix(4);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

template <class Each>
Result<void> each_line(const std::string& path, Each each) {
  auto all = text(path);
  if (!all) {
    return fail(std::move(all.error()));
  }
  for (std::string_view left = *all; !left.empty();) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    if (auto done = each(left.substr(0, end)); !done) {
      return done;
    }
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return {};
}

}  // namespace

Result<std::optional<MappedFile>> parse_map(std::string_view line) {
  const std::string_view whole = line;
  for (int i = 0; i < 3; ++i) {
    take_word(line);  // addresses, rights, offset
  }
  const std::string_view device = take_word(line);
  const std::size_t colon = device.find(':');
  unsigned int high = 0;
  unsigned int low = 0;
  ino_t inode = 0;
  if (colon == std::string_view::npos || !parse(device.substr(0, colon), high, 16) ||
      !parse(device.substr(colon + 1), low, 16) || !parse(take_word(line), inode, 10)) {
    return corrupt(whole, "it is not a line of a maps file");
  }
  if (!line.starts_with('/')) {  // the inode does not tell: the first System V segment's is 0
    return std::optional<MappedFile>();
  }
  return std::optional(MappedFile{.path = unescaped(line), .device = makedev(high, low), .inode = inode});
}

Result<std::vector<MappedFile>> mapped_files(pid_t pid) {
  std::vector<MappedFile> files;
  auto add = [&](std::string_view line) {
    return parse_map(line).transform([&](std::optional<MappedFile> file) {
      if (file && std::ranges::find(files, *file) == files.end()) {
        files.push_back(std::move(*file));
      }
    });
  };
  return each_line("/proc/" + std::to_string(pid) + "/maps", add).transform([&] { return std::move(files); });
}

// "7f2a-7f2b rw-s 00001000 00:01 17 /dev/shm/x": from, to, rights, what byte of the file is at its beginning.
Result<std::optional<MappedPlace>> mapped_place(std::uintptr_t address) {
  auto all = text("/proc/thread-self/maps");  // of the process, also when its main thread has ended
  if (!all) {
    return fail(std::move(all.error()));
  }
  for (std::string_view left = *all; !left.empty();) {
    const std::string_view whole = left.substr(0, std::min(left.find('\n'), left.size()));
    left.remove_prefix(std::min(whole.size() + 1, left.size()));
    std::string_view line = whole;
    const std::string_view range = take_word(line);
    const std::string_view rights = take_word(line);
    const std::size_t dash = std::min(range.find('-'), range.size() - 1);
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    std::uint64_t offset = 0;
    if (!parse(range.substr(0, dash), from, 16) || !parse(range.substr(dash + 1), to, 16) || rights.size() != 4 ||
        !parse(take_word(line), offset, 16)) {
      return corrupt(whole, "it is not a line of a maps file");
    }
    if (address < from || address >= to) {
      continue;
    }
    if (rights[3] != 's') {
      return std::optional<MappedPlace>();
    }
    return parse_map(whole).transform([&](std::optional<MappedFile> file) {
      return file ? std::optional(MappedPlace{.file = std::move(*file), .offset = offset + (address - from)})
                  : std::nullopt;
    });
  }
  return fail(Error(Errc::not_found).on("/proc/thread-self/maps").because("nothing is mapped at the address"));
}

Result<Mount> parse_mount(std::string_view line) {
  const std::string_view whole = line;
  for (int i = 0; i < 4; ++i) {
    take_word(line);  // its id, its parent's, the device, the root within the file system
  }
  const std::string_view point = take_word(line);
  // Any number of optional fields stands before the lone dash.
  while (!line.empty() && take_word(line) != "-") {
  }
  const std::string_view type = take_word(line);
  if (point.empty() || type.empty()) {
    return corrupt(whole, "it is not a line of a mountinfo file");
  }
  return Mount{.point = unescaped(point), .type = std::string(type)};
}

Result<std::vector<Mount>> mounts() {
  std::vector<Mount> all;
  auto add = [&](std::string_view line) {
    return parse_mount(line).transform([&](Mount mount) { all.push_back(std::move(mount)); });
  };
  return each_line("/proc/self/mountinfo", add).transform([&] { return std::move(all); });
}

Result<std::uint64_t> ipc_namespace(pid_t pid) {
  struct stat status{};
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/ipc";
  if (::stat(path.c_str(), &status) == -1) {
    return fail(os_failure("stat", errno).on(path));
  }
  return std::uint64_t{status.st_ino};
}

}  // namespace tenon::procfs

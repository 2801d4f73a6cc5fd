#include <tenon/os/procfs.hpp>

#include <tenon/os/fd.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::procfs {

namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

template <class Number>
bool parse(std::string_view digits, Number& into) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
  return error == std::errc() && end == digits.data() + digits.size();
}

Fail corrupt(std::string_view what, const char* why) { return fail(Error(Errc::corrupt).on(what).because(why)); }

std::string path_of(pid_t pid, const char* file) { return "/proc/" + std::to_string(pid) + "/" + file; }

// The names in a directory that are numbers.
template <class Number>
Result<std::vector<Number>> numbers_in(const std::string& path) {
  const Directory directory(::opendir(path.c_str()));
  if (!directory) {
    return fail(os_failure("opendir", errno).on(path));
  }
  std::vector<Number> found;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (Number number{}; parse(std::string_view(entry->d_name), number)) {
      found.push_back(number);
    }
  }
  std::ranges::sort(found);
  return found;
}

// The fields of a line, divided by spaces.
std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  while (!line.empty()) {
    const std::size_t space = std::min(line.find(' '), line.size());
    if (space > 0) {
      fields.push_back(line.substr(0, space));
    }
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  return fields;
}

Result<OpenDescriptor> descriptor(const std::string& directory, int number) {
  const std::string path = directory + "/" + std::to_string(number);
  std::array<char, PATH_MAX> target;
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  struct stat status{};
  if (length == -1 || ::stat(path.c_str(), &status) == -1) {
    return fail(os_failure("readlink", errno).on(path));
  }
  return OpenDescriptor{.number = number,
                        .target = std::string(target.data(), static_cast<std::size_t>(length)),
                        .device = status.st_dev,
                        .inode = status.st_ino,
                        .mode = status.st_mode};
}

// Hands a whole file to `take`, part by part.
template <class Take>
Result<void> read_parts(const std::string& path, Take take) {
  auto file = fd_from(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }), "open");
  if (!file) {
    return fail(std::move(file.error()).on(path));
  }
  std::array<char, 4096> part;
  while (true) {
    const ssize_t got = uninterrupted([&] { return ::read(file->raw(), part.data(), part.size()); });
    if (got == -1) {
      return fail(os_failure("read", errno).on(path));
    }
    if (got == 0) {
      return {};
    }
    take(std::string_view(part.data(), static_cast<std::size_t>(got)));
  }
}

}  // namespace

Result<std::string> text(const std::string& path) {
  std::string whole;
  return read_parts(path, [&](std::string_view part) { whole += part; }).transform([&] { return std::move(whole); });
}

Result<std::uint64_t> number(const std::string& path) {
  return text(path).and_then([&](std::string digits) -> Result<std::uint64_t> {
    while (!digits.empty() && (digits.back() == '\n' || digits.back() == ' ')) {
      digits.pop_back();
    }
    std::uint64_t value = 0;
    if (!parse(std::string_view(digits), value)) {
      return corrupt(path, "it does not hold one number");
    }
    return value;
  });
}

std::optional<std::string_view> field(std::string_view text, std::string_view label) noexcept {
  for (std::size_t at = text.find(label); at != std::string_view::npos; at = text.find(label, at + 1)) {
    const std::size_t colon = std::min(text.find_first_not_of(" \t", at + label.size()), text.size());
    if ((at == 0 || text[at - 1] == '\n') && text.substr(colon).starts_with(':')) {
      const std::string_view line = text.substr(colon + 1, text.find('\n', colon) - colon - 1);
      return line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number_of(std::string_view text, std::string_view label, int base) noexcept {
  const auto digits = field(text, label);
  std::uint64_t value = 0;
  const bool number =
      digits && std::from_chars(digits->data(), digits->data() + digits->size(), value, base).ec == std::errc();
  return number ? std::optional(value) : std::nullopt;
}

// Asked when memory could not be mapped, so nothing is allocated here.
Result<std::uint64_t> count_lines(const std::string& path) {
  std::uint64_t lines = 0;
  return read_parts(path,
                    [&](std::string_view part) { lines += static_cast<std::uint64_t>(std::ranges::count(part, '\n')); })
      .transform([&] { return lines; });
}

Result<std::uint64_t> memory(std::string_view label) {
  auto whole = text("/proc/meminfo");
  if (!whole) {
    return fail(std::move(whole.error()));
  }
  const auto number = number_of(*whole, label);
  if (!number) {
    return fail(Error(Errc::not_found).on("/proc/meminfo").because("it has no line " + std::string(label)));
  }
  return field(*whole, label)->ends_with(" kB") ? *number * 1024 : *number;
}

Result<Process> parse_stat(std::string_view line) {
  // The name stands in parentheses and may itself hold spaces and parentheses: the last one closes it.
  const std::size_t open = line.find('(');
  const std::size_t close = line.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open || open == 0) {
    return corrupt(line, "it is not the line of a stat file");
  }
  const auto fields = split(line.substr(close + 1));
  constexpr std::size_t state = 0, parent = 1, start = 19;  // field 3, 4 and 22 of proc(5)
  Process process{.pid = 0,
                  .name = std::string(line.substr(open + 1, close - open - 1)),
                  .state = '?',
                  .parent = 0,
                  .start_time = 0};
  if (fields.size() <= start || !parse(line.substr(0, open - 1), process.pid) ||
      !parse(fields[parent], process.parent) || !parse(fields[start], process.start_time)) {
    return corrupt(line, "it is not the line of a stat file");
  }
  process.state = fields[state].front();
  return process;
}

Result<Process> process(pid_t pid) {
  return text(path_of(pid, "stat")).and_then([](const std::string& line) { return parse_stat(line); });
}

std::vector<pid_t> all_processes() { return numbers_in<pid_t>("/proc").value_or(std::vector<pid_t>{}); }

Result<std::string> command(pid_t pid) {
  auto line = text(path_of(pid, "cmdline"));
  if (!line) {
    return line;
  }
  if (line->empty()) {
    return process(pid).transform([](const Process& found) { return "[" + found.name + "]"; });
  }
  while (!line->empty() && line->back() == '\0') {
    line->pop_back();
  }
  std::ranges::replace(*line, '\0', ' ');
  return line;
}

Result<uid_t> user(pid_t pid) {
  struct stat status{};
  const std::string path = "/proc/" + std::to_string(pid);
  if (::stat(path.c_str(), &status) == -1) {
    return fail(os_failure("stat", errno).on(path));
  }
  return status.st_uid;
}

Result<std::vector<OpenDescriptor>> descriptors(pid_t pid) {
  const std::string directory = path_of(pid, "fd");
  auto numbers = numbers_in<int>(directory);
  if (!numbers) {
    return fail(std::move(numbers.error()));
  }
  std::vector<OpenDescriptor> found;
  for (const int number : *numbers) {
    if (auto one = descriptor(directory, number)) {
      found.push_back(std::move(*one));
    }
  }
  return found;
}

std::string link_to(FdView fd) { return "/proc/thread-self/fd/" + std::to_string(fd.raw()); }

std::uint64_t own_pid_namespace() noexcept {
  struct stat status{};
  return ::stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

}  // namespace tenon::procfs

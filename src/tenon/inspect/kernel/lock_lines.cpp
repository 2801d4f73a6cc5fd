/// The lines of /proc/locks: "1: POSIX  ADVISORY  WRITE 812 fe:00:4711 0 EOF", and "1: -> …" for who waits. proc(5)
#include <tenon/inspect/kernel/scene.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <sys/sysmacros.h>

namespace tenon::inspect {

namespace {

struct FamilyName {
  std::string_view kernels;
  FileLock::Family family;
  std::string_view name;
};

constexpr std::array families = {
    FamilyName{"POSIX", FileLock::Family::posix, "posix"}, FamilyName{"OFDLCK", FileLock::Family::ofd, "ofd"},
    FamilyName{"FLOCK", FileLock::Family::flock, "flock"}, FamilyName{"LEASE", FileLock::Family::lease, "lease"},
    FamilyName{"DELEG", FileLock::Family::lease, "lease"},
};

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const std::string_view word = line.substr(0, std::min(line.find_first_of(" \t\n"), line.size()));
  line.remove_prefix(word.size());
  return word;
}

template <class Number>
bool parse(std::string_view digits, Number& into, int base = 10) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into, base);
  return error == std::errc() && end == digits.data() + digits.size();
}

// "fe:00:4711"
std::optional<FileId> file_of(std::string_view text) {
  const std::size_t first = std::min(text.find(':'), text.size());
  const std::size_t second = text.find(':', first + 1);
  unsigned int high = 0;
  unsigned int low = 0;
  ino_t inode = 0;
  const bool whole = second != std::string_view::npos && parse(text.substr(0, first), high, 16) &&
                     parse(text.substr(first + 1, second - first - 1), low, 16) &&
                     parse(text.substr(second + 1), inode);
  return whole ? std::optional(FileId{.device = makedev(high, low), .inode = inode}) : std::nullopt;
}

}  // namespace

std::string_view name_of(FileLock::Family family) noexcept {
  return std::ranges::find(families, family, &FamilyName::family)->name;
}

std::optional<LockLine> parse_lock_line(std::string_view line) {
  take_word(line);  // "1:"
  std::string_view word = take_word(line);
  LockLine parsed{.blocked = word == "->", .lock = {}, .pid = 0, .file = {}};
  const auto family = std::ranges::find(families, parsed.blocked ? take_word(line) : word, &FamilyName::kernels);
  if (family == families.end()) {
    return std::nullopt;
  }
  take_word(line);  // "ADVISORY"
  parsed.lock = {.family = family->family, .writes = take_word(line) == "WRITE", .first = 0, .last = {}};
  const bool pid = parse(take_word(line), parsed.pid);
  const auto file = file_of(take_word(line));
  if (!pid || !file || !parse(take_word(line), parsed.lock.first)) {
    return std::nullopt;
  }
  parsed.file = *file;
  if (std::uint64_t last = 0; parse(take_word(line), last)) {
    parsed.lock.last = last;
  }
  return parsed;
}

}  // namespace tenon::inspect

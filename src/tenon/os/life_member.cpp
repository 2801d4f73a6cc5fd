#include <tenon/os/life_member.hpp>

#include <tenon/os/procfs.hpp>
#include <tenon/os/system_call.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr std::array<const char*, 3> prefixes = {".life.", "life.", ".left."};  // by LifeStage
constexpr std::size_t longest_name = 80;  // the prefix, 16 digits, two numbers of 20 digits and one of 11, dots, NUL

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

// Takes "123" off "123.456". False if there is no number.
template <class Number>
bool take_number(std::string_view& text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (error != std::errc() || end == text.data()) {
    return false;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_dot(std::string_view& text) {
  const bool there = text.starts_with('.');
  text.remove_prefix(there ? 1 : 0);
  return there;
}

// Field 22 of proc_pid_stat(5), 0 if it is not there. Of all fields it is the only one that is wanted; the second is a
// name, which may hold spaces, and ends at the last parenthesis.
std::uint64_t start_time_in(std::string_view line) {
  constexpr int spaces_between = 20;
  std::size_t at = line.rfind(')');
  for (int i = 0; i < spaces_between && at != std::string_view::npos; ++i) {
    at = line.find(' ', at + 1);
  }
  std::uint64_t time = 0;
  line.remove_prefix(at == std::string_view::npos ? line.size() : at + 1);
  return take_number(line, time) ? time : 0;
}

// A stream of its own: the position in an open directory belongs to all who share the descriptor.
Result<std::unique_ptr<DIR, CloseDirectory>> stream_of(FdView directory) {
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  auto again = fd_from(uninterrupted([&] { return ::openat(directory.raw(), ".", flags); }), "open");
  if (!again) {
    return fail(std::move(again.error()));
  }
  DIR* stream = ::fdopendir(again->raw());
  if (stream == nullptr) {
    return fail(os_failure("fdopendir", errno));
  }
  [[maybe_unused]] const int taken = std::move(*again).release();  // the stream closes it
  return std::unique_ptr<DIR, CloseDirectory>(stream);
}

// An unlinked directory can still be opened, and is empty; its members are not gone but unreachable.
Result<void> check_still_named(FdView directory) {
  struct stat status{};
  if (::fstat(directory.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  return status.st_nlink > 0 ? Result<void>() : fail(Error(Errc::not_found, "open").because("the domain was removed"));
}

}  // namespace

Member Member::self() {
  // /proc/self, not /proc/PID: a /proc mounted in another PID namespace knows this process under another number.
  const std::string line = procfs::text("/proc/self/stat").value_or(std::string());
  return {.token = Token::random(),
          .pid_namespace = procfs::own_pid_namespace(),
          .pid = ::getpid(),
          .start_time = start_time_in(line)};
}

std::string Member::message() const {
  const std::string text = "pid " + std::to_string(pid);
  const bool elsewhere = pid_namespace != 0 && pid_namespace != procfs::own_pid_namespace();
  return elsewhere ? text + " of PID namespace " + std::to_string(pid_namespace) : text;
}

std::string LifeName::text() const {
  std::array<char, longest_name> text;
  const int length = std::snprintf(text.data(), text.size(), "%s%016" PRIx64 ".%" PRIu64 ".%d.%" PRIu64,
                                   prefixes[static_cast<std::size_t>(stage)], who.token.value(), who.pid_namespace,
                                   who.pid, who.start_time);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<LifeName> LifeName::parse(std::string_view text) {
  constexpr std::size_t token_digits = 16;
  const std::string_view whole = text;
  std::size_t stage = 0;
  while (stage < prefixes.size() && !text.starts_with(prefixes[stage])) {
    ++stage;
  }
  if (stage == prefixes.size()) {
    return std::nullopt;
  }
  text.remove_prefix(std::string_view(prefixes[stage]).size());
  const auto token = Token::parse(text.substr(0, token_digits));
  if (!token) {
    return std::nullopt;
  }
  text.remove_prefix(token_digits);
  LifeName name{.stage = static_cast<LifeStage>(stage),
                .who = {.token = *token, .pid_namespace = 0, .pid = 0, .start_time = 0}};
  const bool complete = take_dot(text) && take_number(text, name.who.pid_namespace) && take_dot(text) &&
                        take_number(text, name.who.pid) && take_dot(text) && take_number(text, name.who.start_time);
  // Only what text() would write: "life.….017.…" would be a second name for the same member.
  return complete && name.text() == whole ? std::optional(name) : std::nullopt;
}

Result<std::vector<LifeName>> LifeName::all_in(FdView directory) {
  auto stream = stream_of(directory);
  if (!stream) {
    return fail(std::move(stream.error()));
  }
  std::vector<LifeName> found;
  while (const dirent* entry = ::readdir(stream->get())) {
    if (auto name = parse(std::string_view(entry->d_name))) {
      found.push_back(*name);
    }
  }
  if (auto named = found.empty() ? check_still_named(directory) : Result<void>(); !named) {
    return fail(std::move(named.error()));
  }
  return found;
}

}  // namespace tenon

#include <tenon/ipc/sysv_semaphore/sysv_semaphore_limits.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>
#include <sys/sem.h>
#include <vector>

namespace tenon::semaphore_limits {

namespace {

constexpr std::uint64_t largest_value = 32767;

// The numbers in a text, whatever divides them.
std::vector<std::int64_t> numbers_in(std::string_view text) {
  std::vector<std::int64_t> found;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at != end) {
    std::int64_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error == std::errc()) {
      found.push_back(number);
      at = next;
    } else {
      ++at;
    }
  }
  return found;
}

/// The four fields of /proc/sys/kernel/sem, in its order.
enum class Field : unsigned char { semmsl, semmns, semopm, semmni };
constexpr std::array names = {"SEMMSL", "SEMMNS", "SEMOPM", "SEMMNI"};

std::uint64_t setting(Field field) {
  const auto numbers = numbers_in(procfs::text("/proc/sys/kernel/sem").value_or(std::string()));
  const auto at = static_cast<std::size_t>(field);
  return numbers.size() == names.size() ? static_cast<std::uint64_t>(numbers[at]) : 0;
}

Limit limit(Field field, std::uint64_t wanted, const std::string& first) {
  const auto at = static_cast<std::size_t>(field);
  const std::string ordinal = std::array{"first", "second", "third", "fourth"}[at];
  return {.name = names[at],
          .value = setting(field),
          .wanted = wanted,
          .remedy = first + ", or raise the " + ordinal + " number of: sysctl kernel.sem"};
}

// What is used of SEMMNI and SEMMNS.
struct Usage {
  std::uint64_t sets;
  std::uint64_t semaphores;
};

Usage usage() {
  union {
    int value;
    seminfo* info;
  } argument{};
  seminfo info{};
  argument.info = &info;
  if (::semctl(0, 0, SEM_INFO, argument) == -1) {
    return {.sets = 0, .semaphores = 0};
  }
  return {.sets = static_cast<std::uint64_t>(info.semusz), .semaphores = static_cast<std::uint64_t>(info.semaem)};
}

}  // namespace

Error creation_refused(std::size_t semaphores, int os_error) {
  Error refused = Error(Errc::limit_reached, "semget", os_error);
  if (os_error == ENOSPC) {
    const Usage used = usage();
    const bool sets = used.sets >= setting(Field::semmni);
    return std::move(refused).with(sets ? limit(Field::semmni, used.sets + 1, "remove sets that nobody uses (ipcs -s)")
                                        : limit(Field::semmns, used.semaphores + semaphores, "make smaller sets"));
  }
  if (os_error == EINVAL && semaphores > setting(Field::semmsl)) {
    return std::move(refused).with(limit(Field::semmsl, semaphores, "make several sets"));
  }
  return os_failure("semget", os_error);
}

Error value_refused(const char* call, std::uint64_t wanted) {
  return Error(Errc::limit_reached, call, ERANGE)
      .because("a count, or what one process has to be undone on it, cannot be larger")
      .with({.name = "SEMVMX",
             .value = largest_value,
             .wanted = wanted,
             .remedy = "somebody posts more often than anybody waits"});
}

Error steps_refused(std::size_t steps) {
  return Error(Errc::limit_reached, "semop", E2BIG)
      .with(limit(Field::semopm, steps, "operate in several calls where that may be"));
}

// /proc/sysvipc/sem: key, id, permissions, size, uid, gid …
std::optional<uid_t> owner_of(int id) {
  constexpr std::size_t id_field = 1, uid_field = 4;
  const std::string table = procfs::text("/proc/sysvipc/sem").value_or(std::string());
  std::string_view rest = table;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const auto numbers = numbers_in(rest.substr(0, end));
    if (numbers.size() > uid_field && numbers[id_field] == id) {
      return static_cast<uid_t>(numbers[uid_field]);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

}  // namespace tenon::semaphore_limits

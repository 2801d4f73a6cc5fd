#include <tenon/inspect/settings/setting_row.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>
#include <sys/resource.h>

namespace tenon::inspect {

namespace {

struct Resource {
  std::string_view name;
  __rlimit_resource number;
};

constexpr std::array resources = {
    Resource{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    Resource{"RLIMIT_NOFILE", RLIMIT_NOFILE},
    Resource{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
};

constexpr std::array semaphore_fields = {"SEMMSL", "SEMMNS", "SEMOPM", "SEMMNI"};

std::string path_of(std::string name) {
  std::ranges::replace(name, '.', '/');
  return "/proc/sys/" + name;
}

Look not_told(const Error& error) {
  return {.value = "unknown", .verdict = Verdict::note, .meaning = "This kernel does not tell: " + error.message()};
}

std::string text_of(rlim_t value) { return value == RLIM_INFINITY ? "unlimited" : std::to_string(value); }

}  // namespace

Look judged(const SettingRow& row, std::uint64_t value) {
  const std::string unit = row.unit;
  const Verdict verdict = value < row.needed ? Verdict::problem : value < row.usual ? Verdict::note : Verdict::ok;
  return {.value = std::to_string(value) + (unit.empty() ? "" : " " + unit), .verdict = verdict};
}

Look look_at_sysctl(const SettingRow& row) {
  const auto value = procfs::number(path_of(row.name));
  return value ? judged(row, *value) : not_told(value.error());
}

Look look_at_sysctl_zero_is_none(const SettingRow& row) {
  const auto value = procfs::number(path_of(row.name));
  return value && *value == 0 ? Look{.value = "no limit"} : look_at_sysctl(row);
}

// "kernel.sem (SEMMNI)"
Look look_at_semaphores(const SettingRow& row) {
  const auto line = procfs::text("/proc/sys/kernel/sem");
  if (!line) {
    return not_told(line.error());
  }
  std::istringstream fields(*line);
  std::uint64_t value = 0;
  for (const char* field : semaphore_fields) {
    if (fields >> value && std::string_view(row.name).find(field) != std::string_view::npos) {
      return judged(row, value);
    }
  }
  return not_told(Error(Errc::corrupt).on("kernel.sem"));
}

Look look_at_rlimit(const SettingRow& row) {
  rlimit limit{};
  const auto resource = std::ranges::find(resources, row.name, &Resource::name);
  if (::getrlimit(resource->number, &limit) == -1) {
    return not_told(os_failure("getrlimit", errno));
  }
  const bool unlimited = limit.rlim_cur == RLIM_INFINITY;
  Look look = unlimited ? Look{.value = "unlimited"} : judged(row, limit.rlim_cur);
  look.value += ", at most " + text_of(limit.rlim_max);
  return look;
}

Look look_at_ptrace_scope(const SettingRow& row) {
  const auto value = procfs::number(path_of(row.name));
  if (!value) {
    return {.value = "not there", .meaning = "This kernel has no Yama: a user may look into all of its own processes."};
  }
  constexpr std::array<const char*, 4> meanings = {
      "A user may look into all of its own processes, and attach a debugger to them.",
      "A debugger may attach to its own descendants alone; `tenon ls` sees what a user's own processes hold in spite "
      "of "
      "that.",
      "Only root may attach a debugger.",
      "Nobody may attach a debugger.",
  };
  return {.value = std::to_string(*value), .meaning = meanings[std::min<std::uint64_t>(*value, meanings.size() - 1)]};
}

}  // namespace tenon::inspect

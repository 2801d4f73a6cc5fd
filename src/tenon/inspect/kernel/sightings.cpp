#include <tenon/inspect/kernel/sightings.hpp>

#include <tenon/inspect/kernel/process_files.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <fcntl.h>
#include <tuple>
#include <unistd.h>

namespace tenon::inspect {

namespace {

constexpr std::string_view deleted = " (deleted)";

auto place(const Sighting& one) noexcept { return std::tie(one.what, one.file, one.pid, one.descriptor); }

}  // namespace

std::string Sighting::path() const {
  return descriptor == -1 ? "" : "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(descriptor);
}

Sightings Sightings::take(std::vector<std::string>& unseen) {
  const auto proc = fd_from(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
  if (!proc) {
    unseen.push_back("what processes have open or mapped: /proc: " + proc.error().message());
    return {{}, 0};
  }
  std::vector<Sighting> all;
  ProcessFiles files(proc->view());
  std::size_t refused = 0;
  for (const pid_t pid : procfs::all_processes()) {
    refused += files.look_at(pid, all) ? 0 : 1;
  }
  if (refused > 0) {
    unseen.push_back(
        "what " + std::to_string(refused) + (refused == 1 ? " process has" : " processes have") +
        " open or mapped, for want of the right to look at them: that is their own user's, or CAP_SYS_PTRACE");
  }
  std::ranges::sort(all, {}, place);
  return {std::move(all), refused};
}

std::span<const Sighting> Sightings::all(Sighting::What what) const noexcept {
  const auto found = std::ranges::equal_range(all_, what, {}, &Sighting::what);
  return {found.begin(), found.end()};
}

std::span<const Sighting> Sightings::of(Sighting::What what, FileId file) const noexcept {
  const auto found = std::ranges::equal_range(all_, std::tie(what, file), {},
                                              [](const Sighting& one) { return std::tie(one.what, one.file); });
  return {found.begin(), found.end()};
}

bool is_unlinked(const std::string& target) noexcept { return target.ends_with(deleted); }

std::string without_mark(const std::string& target) {
  return is_unlinked(target) ? target.substr(0, target.size() - deleted.size()) : target;
}

bool shares_ipc(pid_t pid) noexcept {
  const auto own = procfs::ipc_namespace(::getpid());
  const auto theirs = procfs::ipc_namespace(pid);
  return own && theirs && *own == *theirs;
}

}  // namespace tenon::inspect

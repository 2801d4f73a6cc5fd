#include <tenon/inspect/kernel/sightings.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

namespace tenon::inspect {

namespace {

constexpr std::string_view deleted = " (deleted)";

// What one process has open or mapped, apart from pipes and the kernel's own things, which have no name.
// Failures: permission_denied. A process that has ended has nothing.
Result<void> look_at(pid_t pid, bool own_ipc, std::vector<Sighting>& into) {
  auto descriptors = procfs::descriptors(pid);
  auto maps = descriptors ? procfs::mapped_files(pid) : Result<std::vector<procfs::MappedFile>>();
  if (descriptors.failed_with(Errc::permission_denied) || maps.failed_with(Errc::permission_denied)) {
    return fail(Errc::permission_denied);
  }
  if (!descriptors || !maps) {
    return {};
  }
  for (procfs::OpenDescriptor& one : *descriptors) {
    if (S_ISREG(one.mode) || S_ISSOCK(one.mode) || (S_ISFIFO(one.mode) && one.target.starts_with('/'))) {
      into.push_back({.file = {.device = one.device, .inode = one.inode},
                      .pid = pid,
                      .descriptor = one.number,
                      .mode = one.mode,
                      .own_ipc = own_ipc,
                      .target = std::move(one.target)});
    }
  }
  for (procfs::MappedFile& one : *maps) {
    into.push_back({.file = {.device = one.device, .inode = one.inode},
                    .pid = pid,
                    .descriptor = -1,
                    .mode = 0,
                    .own_ipc = own_ipc,
                    .target = std::move(one.path)});
  }
  return {};
}

}  // namespace

std::string Sighting::path() const {
  return descriptor == -1 ? "" : "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(descriptor);
}

Sightings Sightings::take(std::vector<std::string>& unseen) {
  std::vector<Sighting> all;
  std::size_t refused = 0;
  const auto own = procfs::ipc_namespace(::getpid());
  for (const pid_t pid : procfs::all_processes()) {
    const auto theirs = procfs::ipc_namespace(pid);
    refused += look_at(pid, own && theirs && *own == *theirs, all) ? 0 : 1;
  }
  if (refused > 0) {
    unseen.push_back(
        "what " + std::to_string(refused) + (refused == 1 ? " process has" : " processes have") +
        " open or mapped, for want of the right to look at them: that is their own user's, or CAP_SYS_PTRACE");
  }
  std::ranges::sort(all, {}, [](const Sighting& one) { return std::tie(one.file, one.pid, one.descriptor); });
  return Sightings(std::move(all));
}

std::span<const Sighting> Sightings::of(FileId file) const noexcept {
  const auto found = std::ranges::equal_range(all_, file, {}, &Sighting::file);
  return {found.begin(), found.end()};
}

bool is_unlinked(const std::string& target) noexcept { return target.ends_with(deleted); }

std::string without_mark(const std::string& target) {
  return is_unlinked(target) ? target.substr(0, target.size() - deleted.size()) : target;
}

}  // namespace tenon::inspect

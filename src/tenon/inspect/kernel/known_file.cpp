#include <tenon/inspect/kernel/known_file.hpp>

#include <tenon/inspect/kernel/scene.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

// What the kernel would have to ask a file system for is EAGAIN; so is what changes at this very moment.
Result<Fd> open_known(FdView start, const std::string& path) {
  struct open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_CACHED | (path.starts_with('/') ? RESOLVE_IN_ROOT : 0);
  constexpr int tries = 4;
  long raw = -1;
  for (int i = 0; i < tries && raw == -1 && (i == 0 || errno == EAGAIN); ++i) {
    raw = ::syscall(SYS_openat2, start.raw(), path.c_str(), &how, sizeof how);
  }
  return fd_from(static_cast<int>(raw), "openat2");
}

}  // namespace

std::optional<dev_t> device_of_mount(std::string_view mountinfo, std::uint64_t mount) {
  for (std::string_view left = mountinfo; !left.empty();) {
    const std::string line(left.substr(0, left.find('\n')));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    unsigned long number = 0;
    unsigned int high = 0;
    unsigned int low = 0;
    if (std::sscanf(line.c_str(), "%lu %*u %u:%u", &number, &high, &low) == 3 && number == mount) {
      return makedev(high, low);
    }
  }
  return std::nullopt;
}

std::optional<FileId> known_file(pid_t pid, int descriptor) {
  const std::string process = "/proc/" + std::to_string(pid);
  const auto info = procfs::text(process + "/fdinfo/" + std::to_string(descriptor));
  const auto mount = info ? procfs::number_of(*info, "mnt_id") : std::nullopt;
  const auto inode = info ? procfs::number_of(*info, "ino") : std::nullopt;
  const auto mounts = mount && inode ? procfs::text(process + "/mountinfo") : Result<std::string>("");
  const auto device = mount && mounts ? device_of_mount(*mounts, *mount) : std::nullopt;
  return device && inode ? std::optional(FileId{.device = *device, .inode = *inode}) : std::nullopt;
}

std::optional<struct statx> known_status_of(pid_t pid, int descriptor) {
  const std::string link = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(descriptor);
  struct statx status{};
  constexpr int flags = AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  const bool there = ::statx(AT_FDCWD, link.c_str(), flags, STATX_BASIC_STATS, &status) == 0;
  return there ? std::optional(status) : std::nullopt;
}

std::optional<struct statx> known_status(pid_t pid, const std::string& path, std::optional<int> directory) {
  const std::string start = path.starts_with('/') ? "root" : directory ? "fd/" + std::to_string(*directory) : "cwd";
  const std::string link = "/proc/" + std::to_string(pid) + "/" + start;
  const auto from = fd_from(::open(link.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open");
  const auto file = from ? open_known(from->view(), path) : Result<Fd>(fail(Errc::not_found));
  struct statx status{};
  constexpr int flags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  const bool there = file && ::statx(file->raw(), "", flags, STATX_BASIC_STATS | STATX_BTIME, &status) == 0;
  return there ? std::optional(status) : std::nullopt;
}

}  // namespace tenon::inspect

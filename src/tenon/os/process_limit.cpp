#include <tenon/os/process_limit.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

namespace tenon {

namespace {

// The directory of this process's cgroup that counts processes: in the one hierarchy of version 2 ("0::/path"), or in
// version 1's own one for them ("8:pids:/path").
struct Cgroup {
  std::string mount;
  std::string path;
};

std::optional<Cgroup> cgroup_of(std::string_view line) {
  const std::size_t kind = line.find(':') + 1;
  const std::size_t path = line.find(':', kind) + 1;
  if (kind == 0 || path == 0) {
    return std::nullopt;
  }
  const std::string_view controllers = line.substr(kind, path - 1 - kind);
  if (controllers == "pids") {
    return Cgroup{.mount = "/sys/fs/cgroup/pids", .path = std::string(line.substr(path))};
  }
  return controllers.empty() ? std::optional(Cgroup{.mount = "/sys/fs/cgroup", .path = std::string(line.substr(path))})
                             : std::nullopt;
}

// The limit of a cgroup that is full; "max" is no number, and no limit.
std::optional<Limit> limit_of(const std::string& directory) {
  const auto most = procfs::number(directory + "/pids.max");
  const auto now = procfs::number(directory + "/pids.current");
  if (!most || !now || *now < *most) {
    return std::nullopt;
  }
  return Limit{.name = "pids.max of " + directory,
               .value = *most,
               .wanted = *now + 1,
               .remedy = "give the container or the service more processes, or end some"};
}

// A cgroup above may be the full one. In a container the path is often not to be seen, and the mount is its own cgroup.
std::optional<Limit> full_cgroup() {
  const auto own = procfs::text("/proc/self/cgroup");
  for (std::string_view left = own ? std::string_view(*own) : ""; !left.empty();) {
    const std::size_t end = left.find('\n');
    auto cgroup = cgroup_of(left.substr(0, end));
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
    while (cgroup) {
      if (auto limit = limit_of(cgroup->mount + (cgroup->path == "/" ? "" : cgroup->path))) {
        return limit;
      }
      if (cgroup->path.size() <= 1) {
        break;
      }
      cgroup->path.resize(std::max<std::size_t>(cgroup->path.rfind('/'), 1));
    }
  }
  return std::nullopt;
}

}  // namespace

Error process_failure(const char* call, int os_error) {
  if (os_error != EAGAIN) {
    return os_failure(call, os_error);
  }
  Error error(Errc::limit_reached, call, os_error);
  if (auto full = full_cgroup()) {
    return std::move(error).with(std::move(*full));
  }
  struct rlimit limit{};
  // The kernel does not hold the privileged to it.
  if (::getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && ::geteuid() != 0) {
    return std::move(error).with({.name = "RLIMIT_NPROC",
                                  .value = limit.rlim_cur,
                                  .wanted = limit.rlim_cur + 1,
                                  .remedy = "raise it with: ulimit -u N"});
  }
  const std::uint64_t threads = procfs::number("/proc/sys/kernel/threads-max").value_or(0);
  return std::move(error)
      .because("the machine has as many threads as it may, or a cgroup that cannot be seen from here as many processes")
      .with({.name = "kernel.threads-max",
             .value = threads,
             .wanted = threads + 1,
             .remedy = "end processes, or raise it with: sysctl -w kernel.threads-max=N, or the cgroup's pids.max"});
}

}  // namespace tenon

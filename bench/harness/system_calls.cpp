#include <harness/system_calls.hpp>

#include <tenon/os/procfs.hpp>

#include <cerrno>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <string>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace harness {

namespace {

// The tracing file system at no place in the tree: nobody else sees it, and it goes with its descriptor. It takes the
// right to mount. fsmount(2)
tenon::Result<tenon::Fd> unmounted_tracing() {
  return tenon::fd_from(static_cast<int>(::syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC)), "fsopen")
      .and_then([](const tenon::Fd& context) -> tenon::Result<tenon::Fd> {
        if (::syscall(SYS_fsconfig, context.raw(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == -1) {
          return tenon::fail(tenon::os_failure("fsconfig", errno));
        }
        return tenon::fd_from(static_cast<int>(::syscall(SYS_fsmount, context.raw(), FSMOUNT_CLOEXEC, 0)), "fsmount");
      });
}

tenon::Result<std::uint64_t> number_of_the_trace_point() {
  for (const std::string root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    auto number = tenon::procfs::number(root + "/events/raw_syscalls/sys_enter/id");
    if (number || number.failed_with(tenon::Errc::permission_denied)) {
      return number;
    }
  }
  const auto tracing = unmounted_tracing();
  if (tracing) {
    return tenon::procfs::number("/proc/self/fd/" + std::to_string(tracing->raw()) +
                                 "/events/raw_syscalls/sys_enter/id");
  }
  return tenon::fail(tenon::Error(tenon::Errc::not_supported)
                         .because("no tracing file system is mounted, and this user may mount none"));
}

}  // namespace

tenon::Result<SystemCalls> SystemCalls::count_own() {
  auto number = number_of_the_trace_point();
  if (!number) {
    return tenon::fail(std::move(number.error()));
  }
  perf_event_attr event{};
  event.size = sizeof event;
  event.type = PERF_TYPE_TRACEPOINT;
  event.config = *number;
  const long raw = ::syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (raw == -1 && (errno == ENOENT || errno == ENODEV)) {
    return tenon::fail(tenon::Error(tenon::Errc::not_supported, "perf_event_open", errno));
  }
  return tenon::fd_from(static_cast<int>(raw), "perf_event_open").transform([](tenon::Fd fd) {
    return SystemCalls(std::move(fd));
  });
}

std::uint64_t SystemCalls::so_far() {
  ++own_;  // the read below is counted before it reads
  std::uint64_t count = 0;
  if (::read(counter_.raw(), &count, sizeof count) != static_cast<ssize_t>(sizeof count)) {
    return 0;
  }
  return count - own_;
}

}  // namespace harness

#include <harness/system_calls.hpp>

#include <tenon/os/procfs.hpp>

#include <cerrno>
#include <linux/perf_event.h>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

namespace harness {

namespace {

tenon::Result<std::uint64_t> number_of_the_trace_point() {
  for (const std::string root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    auto number = tenon::procfs::number(root + "/events/raw_syscalls/sys_enter/id");
    if (number || number.failed_with(tenon::Errc::permission_denied)) {
      return number;
    }
  }
  return tenon::fail(tenon::Error(tenon::Errc::not_supported).because("no tracing file system is mounted"));
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

#include <tenon/os/reserve.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace tenon {

namespace {

// Many kernels' tmpfs gives up a call that a signal interrupts, and takes back all that it had done (Linux 6.18 was
// seen to go on): so no call does much, else one under a storm of signals would begin anew for ever.
constexpr std::size_t step = std::size_t{64} << 10;

Fail unsatisfied(Errc code, int os_error, const char* what, std::uint64_t free, std::size_t wanted) {
  return fail(Error(code, "fallocate", os_error)
                  .with({.name = what, .value = free, .wanted = wanted, .remedy = "free some, or ask for less"}));
}

// Asked before anything is taken: a request that cannot be satisfied would first fill all that is there, and what then
// runs out of memory is somebody else's.
Result<void> check_room(FdView file, std::size_t wanted) {
  struct statfs system{};
  if (::fstatfs(file.raw(), &system) == -1) {
    return fail(os_failure("fstatfs", errno));
  }
  if (system.f_type == HUGETLBFS_MAGIC) {
    return {};  // a pool of its own, which fallocate asks without filling anything else
  }
  const std::uint64_t free = system.f_bavail * static_cast<std::uint64_t>(system.f_bsize);
  if (system.f_blocks != 0 && wanted > free) {  // no blocks at all: a tmpfs without a limit of its own
    return unsatisfied(Errc::no_space, ENOSPC, "free space", free, wanted);
  }
  // What is free without taking anything from anybody is cheap to ask; what could be had, a file of /proc says, where a
  // container may have a smaller figure of its own.
  constexpr std::size_t little = std::size_t{16} << 20;
  struct sysinfo now{};
  if (wanted <= little && ::sysinfo(&now) == 0 && wanted <= std::uint64_t{now.freeram} * now.mem_unit / 2) {
    return {};
  }
  const auto memory = procfs::memory("MemAvailable");
  if (memory && wanted > *memory + procfs::memory("SwapFree").value_or(0)) {
    return unsatisfied(Errc::no_memory, ENOMEM, "available memory", *memory, wanted);
  }
  return {};
}

// Past this limit the kernel sends SIGXFSZ, which ends the process.
Result<void> check_file_size(std::size_t to) {
  struct rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  if (to > limit.rlim_cur) {
    return fail(
        Error(Errc::limit_reached, "fallocate", EFBIG)
            .with(
                {.name = "RLIMIT_FSIZE", .value = limit.rlim_cur, .wanted = to, .remedy = "raise it with: ulimit -f"}));
  }
  return to <= SSIZE_MAX ? Result<void>()
                         : fail(Error(Errc::invalid_argument, "fallocate").because("no file can be that long"));
}

// Failed half-way, it has taken something already.
Result<void> take(FdView file, std::size_t from, std::size_t to) {
  for (std::size_t at = from; at < to; at += std::min(step, to - at)) {
    const auto length = static_cast<off_t>(std::min(step, to - at));
    const auto allocate = [&] { return ::fallocate(file.raw(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(at), length); };
    if (uninterrupted(allocate) == -1) {
      return errno == ENOSPC ? unsatisfied(Errc::no_space, ENOSPC, "free space", at - from, to - from)
                             : fail(os_failure("fallocate", errno));
    }
  }
  return {};
}

Result<void> set_length(FdView file, std::size_t length) {
  if (uninterrupted([&] { return ::ftruncate(file.raw(), static_cast<off_t>(length)); }) == -1) {
    return fail(os_failure("ftruncate", errno));
  }
  return {};
}

}  // namespace

Result<void> reserve(FdView file, std::size_t from, std::size_t to) {
  expects(from <= to, "what is reserved lies behind the end of the file");
  if (auto checked = check_file_size(to).and_then([&] { return check_room(file, to - from); }); !checked) {
    return checked;
  }
  auto reserved = take(file, from, to).and_then([&] { return set_length(file, to); });
  if (!reserved) {
    give_back(file, from, to);
  }
  return reserved;
}

void give_back(FdView file, std::size_t from, std::size_t to) noexcept {
  if (from < to) {
    // All of this lies beyond the end of the file, where nobody has bytes.
    (void)::fallocate(file.raw(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from),
                      static_cast<off_t>(to - from));
  }
}

}  // namespace tenon

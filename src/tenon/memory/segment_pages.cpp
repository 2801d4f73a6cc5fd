#include <tenon/memory/segment_pages.hpp>

#include <tenon/memory/segment.hpp>

#include <cerrno>
#include <sys/mman.h>
#include <sys/resource.h>

namespace tenon {

namespace {

constexpr int populate_write = 23;  // MADV_POPULATE_WRITE, which older headers lack

Result<void> populate(MutableBytes memory) {
  if (::madvise(memory.data(), memory.size(), populate_write) == 0) {
    return {};
  }
  if (errno == EINVAL) {
    return fail(Error(Errc::not_supported, "madvise", EINVAL).because("MADV_POPULATE_WRITE needs Linux 5.14"));
  }
  // The kernel says EFAULT where touching the page would raise SIGBUS.
  return errno == EFAULT ? fail(Error(Errc::no_space, "madvise", EFAULT)) : fail(os_failure("madvise", errno));
}

Result<void> lock_pages(MutableBytes memory) {
  if (::mlock(memory.data(), memory.size()) == 0) {
    return {};
  }
  const int os_error = errno;
  rlimit limit{};
  if ((os_error == ENOMEM || os_error == EPERM) && ::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
      limit.rlim_cur != RLIM_INFINITY) {
    return fail(Error(Errc::limit_reached, "mlock", os_error)
                    .with({.name = "RLIMIT_MEMLOCK",
                           .value = limit.rlim_cur,
                           .wanted = memory.size(),
                           .remedy = "raise it with: ulimit -l, or LimitMEMLOCK= of the service"}));
  }
  return fail(os_failure("mlock", os_error));
}

}  // namespace

Result<void> prepare_pages(MutableBytes memory, const SegmentMap& map) {
  auto populated = map.populated ? populate(memory) : Result<void>();
  return populated && map.locked ? lock_pages(memory) : populated;
}

}  // namespace tenon

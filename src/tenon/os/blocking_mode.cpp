#include <tenon/os/blocking_mode.hpp>

#include <cerrno>
#include <fcntl.h>

namespace tenon {

Result<void> BlockingMode::set(FdView fd) {
  const int flags = ::fcntl(fd.raw(), F_GETFL);
  if (flags == -1 || ((flags & O_NONBLOCK) == 0 && ::fcntl(fd.raw(), F_SETFL, flags | O_NONBLOCK) == -1)) {
    return fail(os_failure("fcntl", errno));
  }
  non_blocking_.store(true, std::memory_order_relaxed);  // only spares a call; the kernel orders the flag
  return {};
}

}  // namespace tenon

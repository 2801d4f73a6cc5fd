#include <tenon/os/above_standard.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace tenon {

Result<Fd> above_standard(Fd fd) {
  if (fd.raw() > STDERR_FILENO) {
    return fd;
  }
  return fd_from(::fcntl(fd.raw(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1), "fcntl");
}

}  // namespace tenon

#include <tenon/os/exact_mode.hpp>

#include <tenon/os/system_call.hpp>

#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

// An O_PATH descriptor names a file without opening it, so fchmod refuses it; the link in /proc leads to the very
// inode, where a path might lead to another by now.
int change_mode(int fd, mode_t mode) {
  if (::fchmod(fd, mode) == 0) {
    return 0;
  }
  return errno == EBADF ? ::chmod(("/proc/self/fd/" + std::to_string(fd)).c_str(), mode) : -1;
}

}  // namespace

Result<void> set_exact_mode(FdView fd, Permissions permissions) {
  struct stat status{};
  if (::fstat(fd.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  const bool already = (status.st_mode & 07777) == permissions.mode();
  if (!already && change_mode(fd.raw(), permissions.mode()) == -1) {
    return fail(os_failure("chmod", errno));
  }
  return {};
}

Result<Fd> create_file(FdView directory, const char* name, Permissions permissions) {
  const int flags = O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW;
  auto opened =
      fd_from(uninterrupted([&] { return ::openat(directory.raw(), name, flags, permissions.mode()); }), "open");
  if (!opened) {
    return fail(std::move(opened.error()).on(name));
  }
  if (auto set = set_exact_mode(opened->view(), permissions); !set) {
    ::unlinkat(directory.raw(), name, 0);
    return fail(std::move(set.error()).on(name));
  }
  return opened;
}

}  // namespace tenon

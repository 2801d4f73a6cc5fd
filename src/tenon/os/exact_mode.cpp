#include <tenon/os/exact_mode.hpp>

#include <tenon/os/procfs.hpp>
#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

// An O_PATH descriptor names a file without opening it, so fchmod refuses it; the link in /proc leads to the very
// inode, where a path might lead to another by now.
Result<void> change_mode(FdView fd, mode_t mode) {
  if (::fchmod(fd.raw(), mode) == 0) {
    return {};
  }
  if (errno == EBADF && ::chmod(procfs::link_to(fd).c_str(), mode) == 0) {
    return {};
  }
  if (errno == ENOENT) {  // the file is held, so it is the link to it that is missing
    return fail(Error(Errc::not_supported, "chmod", ENOENT).because("/proc is not mounted here"));
  }
  return fail(os_failure("chmod", errno));
}

}  // namespace

Result<void> set_exact_mode(FdView fd, Permissions permissions) {
  struct stat status{};
  if (::fstat(fd.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  const bool already = (status.st_mode & 07777) == permissions.mode();
  return already ? Result<void>() : change_mode(fd, permissions.mode());
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

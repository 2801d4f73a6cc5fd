#include <tenon/inspect/patterns/regular_file.hpp>

#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace tenon::inspect {

namespace {

// The link in /proc leads to the very file that is held, whatever has its name by now. Where somebody has a lease on
// it, an open that waits would wait for that one, 45 seconds long. fcntl(2), F_SETLEASE
Result<Fd> open_held(const Fd& held) {
  const std::string path = "/proc/self/fd/" + std::to_string(held.raw());
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  auto file = fd_from(uninterrupted([&] { return ::open(path.c_str(), flags); }), "open");
  if (file.failed_with(Errc::would_block)) {
    return fail(std::move(file.error()).because("somebody has a lease on it"));
  }
  return file.failed_with(Errc::not_found) ? fail(Error(Errc::not_supported, "open").because("/proc is not mounted"))
                                           : std::move(file);
}

}  // namespace

Result<Fd> open_regular(FdView directory, const std::string& name) {
  const int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  const auto held = fd_from(uninterrupted([&] { return ::openat(directory.raw(), name.c_str(), flags); }), "open");
  struct stat status{};
  if (!held || ::fstat(held->raw(), &status) == -1) {
    return fail(held ? os_failure("fstat", errno) : Error(held.error()));
  }
  return S_ISREG(status.st_mode) ? open_held(*held)
                                 : fail(Error(Errc::wrong_kind, "open").because("it is no regular file"));
}

}  // namespace tenon::inspect

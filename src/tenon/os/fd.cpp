#include <tenon/os/fd.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace tenon {

Fd::~Fd() {
  if (raw_ >= 0) {
    ::close(raw_);
  }
}

Result<void> Fd::close() && {
  const int raw = std::exchange(raw_, -1);
  // No retry after EINTR: Linux has freed the number even then, and by now another thread may own it.
  if (raw >= 0 && ::close(raw) == -1 && errno != EINTR) {
    return fail(os_failure("close", errno));
  }
  return {};
}

Result<Fd> FdView::duplicate() const { return fd_from(::fcntl(raw_, F_DUPFD_CLOEXEC, 0), "fcntl"); }

Error descriptor_failure(const char* call, int os_error) {
  if (os_error == EMFILE) {
    struct rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return os_failure(call, os_error)
        .with({.name = "RLIMIT_NOFILE",
               .value = limit.rlim_cur,
               .wanted = limit.rlim_cur + 1,
               .remedy = "close descriptors, or raise it with: ulimit -n"});
  }
  if (os_error == ENFILE) {
    return os_failure(call, os_error).because("the machine's fs.file-max is reached");
  }
  return os_failure(call, os_error);
}

Result<Fd> fd_from(int returned, const char* call) {
  if (returned == -1) {
    return fail(descriptor_failure(call, errno));
  }
  return Fd::adopt(returned);
}

}  // namespace tenon

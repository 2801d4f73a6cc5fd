#include <tenon/os/pipe_end.hpp>

#include <tenon/os/procfs.hpp>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

static_assert(pipe_atomic_size == PIPE_BUF);

namespace {

// fcntl() returns an int, and the next power of two is none.
constexpr std::size_t largest_capacity = std::size_t{1} << 30;

// EPERM means too large for one pipe, or too many pages in all of this user's pipes.
Error capacity_refused(std::size_t bytes) {
  const auto most = procfs::number("/proc/sys/fs/pipe-max-size").value_or(0);
  if (bytes > most) {
    return Error(Errc::limit_reached, "fcntl", EPERM)
        .with({.name = "fs.pipe-max-size",
               .value = most,
               .wanted = bytes,
               .remedy = "raise it with: sysctl -w fs.pipe-max-size=N"});
  }
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  // Which of the two it was, the kernel does not tell; the hard one is off by default.
  const auto hard = procfs::number("/proc/sys/fs/pipe-user-pages-hard").value_or(0);
  return Error(Errc::limit_reached, "fcntl", EPERM)
      .because("together this user's pipes would hold more pages than an unprivileged user's may" +
               (hard == 0 ? "" : ", or than fs.pipe-user-pages-hard allows, which is " + std::to_string(hard)))
      .with({.name = "fs.pipe-user-pages-soft",
             .value = procfs::number("/proc/sys/fs/pipe-user-pages-soft").value_or(0),
             .wanted = (bytes + page - 1) / page,
             .remedy = "close pipes, or raise it with: sysctl -w fs.pipe-user-pages-soft=N"});
}

}  // namespace

Result<std::size_t> pipe_capacity(FdView end) {
  const int bytes = ::fcntl(end.raw(), F_GETPIPE_SZ);
  if (bytes == -1) {
    return fail(os_failure("fcntl", errno));
  }
  return static_cast<std::size_t>(bytes);
}

Result<std::size_t> set_pipe_capacity(FdView end, std::size_t bytes) {
  if (bytes > largest_capacity) {
    return fail(Error(Errc::limit_reached, "fcntl")
                    .with({.name = "F_SETPIPE_SZ", .value = largest_capacity, .wanted = bytes, .remedy = ""}));
  }
  const int given = ::fcntl(end.raw(), F_SETPIPE_SZ, static_cast<int>(bytes));
  if (given != -1) {
    return static_cast<std::size_t>(given);
  }
  if (errno == EBUSY) {
    return fail(Error(Errc::would_block, "fcntl", EBUSY).because("the pipe holds more bytes than that now"));
  }
  return fail(errno == EPERM ? capacity_refused(bytes) : os_failure("fcntl", errno));
}

Result<std::size_t> pipe_buffered(FdView end) {
  int bytes = 0;
  if (::ioctl(end.raw(), FIONREAD, &bytes) == -1) {
    return fail(os_failure("ioctl", errno));
  }
  return static_cast<std::size_t>(bytes);
}

bool is_pipe(FdView fd) noexcept {
  struct stat status{};
  return ::fstat(fd.raw(), &status) == 0 && S_ISFIFO(status.st_mode);
}

}  // namespace tenon

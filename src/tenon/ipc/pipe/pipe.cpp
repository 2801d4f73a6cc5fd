#include <tenon/ipc/pipe/pipe.hpp>

#include <tenon/os/procfs.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace tenon {

namespace {

// ENFILE means too many open files in the machine, or too many pages in this user's pipes. Which, the kernel does not
// tell.
Error pipe_failure(int os_error) {
  const auto pages = procfs::number("/proc/sys/fs/pipe-user-pages-hard").value_or(0);
  if (os_error == ENFILE && pages != 0) {
    return Error(Errc::limit_reached, "pipe", os_error)
        .because(
            "this user's pipes hold as many pages as they may, or the machine has as many open files as fs.file-max "
            "allows, which is " +
            std::to_string(procfs::number("/proc/sys/fs/file-max").value_or(0)))
        .with({.name = "fs.pipe-user-pages-hard",
               .value = pages,
               .wanted = pages + 1,
               .remedy = "close pipes, or raise it with: sysctl -w fs.pipe-user-pages-hard=N"});
  }
  return descriptor_failure("pipe", os_error);
}

}  // namespace

Result<Pipe> Pipe::pair() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) == -1) {
    return fail(pipe_failure(errno));
  }
  return Pipe{.reader = ReadEnd::adopt(Fd::adopt(ends[0])), .writer = WriteEnd::adopt(Fd::adopt(ends[1]))};
}

}  // namespace tenon

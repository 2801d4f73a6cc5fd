#include <cli/pipe_depth.hpp>

#include <tenon/os/fd.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tenon::cli {

namespace {

using inspect::Edge;

// Nothing if the descriptor leads elsewhere by now.
Result<std::optional<PipeDepth>> ask(const Edge& edge, inspect::FileId file) {
  const auto process = fd_from(static_cast<int>(::syscall(SYS_pidfd_open, edge.pid, 0)), "pidfd_open");
  if (!process) {
    return fail(Error(process.error()));
  }
  struct stat status{};
  int unread = 0;
  int capacity = 0;
  bool same = false;
  {
    const auto copy =
        fd_from(static_cast<int>(::syscall(SYS_pidfd_getfd, process->raw(), edge.descriptor, 0)), "pidfd_getfd");
    if (!copy) {
      return fail(Error(copy.error()));
    }
    same = ::fstat(copy->raw(), &status) == 0 && status.st_dev == file.device && status.st_ino == file.inode;
    same = same && ::ioctl(copy->raw(), FIONREAD, &unread) == 0;
    capacity = ::fcntl(copy->raw(), F_GETPIPE_SZ);
  }
  if (!same || capacity < 0) {
    return std::optional<PipeDepth>();
  }
  return std::optional(
      PipeDepth{.unread = static_cast<std::uint64_t>(unread), .capacity = static_cast<std::uint64_t>(capacity)});
}

}  // namespace

PipeDepthSeen pipe_depth(const inspect::Snapshot& all, std::size_t object) {
  const inspect::Object& pipe = all.objects[object];
  if (pipe.kind != inspect::Kind::fifo && pipe.kind != inspect::Kind::pipe) {
    return {};
  }
  std::string why = "how full it is cannot be told: nobody is seen to have it open";
  for (const Edge& edge : all.edges_of(object)) {
    if (edge.relation != inspect::Relation::holds || edge.descriptor == -1 || edge.ended) {
      continue;
    }
    const auto asked = ask(edge, pipe.file);
    if (asked && *asked) {
      return {.depth = **asked};
    }
    why = "how full it is cannot be told: " +
          (asked ? std::string("its holder has just closed it") : asked.error().message());
  }
  return {.depth = std::nullopt, .unseen = std::move(why)};
}

}  // namespace tenon::cli

// What a lock and its guard cost beside the bare calls, in pairs of blocks.
#include <tenon/ipc/file_lock/file_lock.hpp>

#include <tenon/os/token.hpp>
#include <tenon/os/unlink_on_exit.hpp>
#include <harness/byte_stream.hpp>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <string>
#include <unistd.h>

using namespace tenon;

namespace {

void bare(int file, short type) {
  struct flock lock{};
  lock.l_type = type;
  if (::fcntl(file, F_OFD_SETLK, &lock) == -1) {
    throw Failure(os_failure("fcntl", errno));
  }
}

// Opened in the process that locks: a forked child does not keep its parent's.
template <class Open>
auto opened_once(Open open) {
  return [open, handle = std::shared_ptr<decltype(open())>(), owner = pid_t{}]() mutable -> decltype(open())& {
    if (owner != ::getpid()) {
      handle = std::make_shared<decltype(open())>(open());
      owner = ::getpid();
    }
    return *handle;
  };
}

harness::StreamPair locked_and_unlocked(const std::string& path) {
  const auto open_bare = [path] { return fd_from(::open(path.c_str(), O_RDWR | O_CLOEXEC), "open").or_throw(); };
  const auto open_wrapped = [path] { return FileLock::open(path).or_throw(); };
  return {.name = "locked and unlocked",
          .bare = harness::done_by_one_process("fcntl",
                                               [file = opened_once(open_bare)]() mutable {
                                                 const int raw = file().raw();
                                                 bare(raw, F_WRLCK);
                                                 bare(raw, F_UNLCK);
                                               }),
          .wrapped = harness::done_by_one_process("try_lock", [lock = opened_once(open_wrapped)]() mutable {
            const auto held = lock().try_lock(LockMode::exclusive).or_throw();
          })};
}

harness::StreamPair opened(const std::string& path) {
  return {.name = "opened and closed",
          .bare = harness::done_by_one_process(
              "open", [=] { const Fd file = fd_from(::open(path.c_str(), O_RDWR | O_CLOEXEC), "open").or_throw(); }),
          .wrapped =
              harness::done_by_one_process("FileLock", [=] { const FileLock lock = FileLock::open(path).or_throw(); })};
}

}  // namespace

int main() try {
  const std::string path = "/tmp/file-lock-bench-" + Token::random().hex();
  const FileLock made = FileLock::create(path).or_throw();
  const UnlinkOnExit name(FileLock::unlink, path);
  return harness::print_paired("file_lock", {locked_and_unlocked(path), opened(path)});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

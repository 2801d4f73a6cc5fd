/// A lock that its holder's death sets free: the child is killed while it holds it, and the parent goes on.
#include <tenon/ipc/file_lock/file_lock.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/token.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <csignal>
#include <cstdio>
#include <string>
#include <unistd.h>

using namespace tenon;

int main(int argc, char** argv) try {
  const std::string path = argc > 1 ? argv[1] : "/tmp/lock-" + Token::random().hex();
  FileLock lock = FileLock::create(path).or_throw();
  const UnlinkOnExit name(FileLock::unlink, path);

  Child child = spawn([&] {
                  FileLock own = FileLock::open(path).or_throw();
                  const auto held = own.lock(LockMode::exclusive, never).or_throw();
                  ::pause();  // until it is killed
                  return 0;
                }).or_throw();
  std::optional<LockHolder> holder;
  while (!holder) {  // until the child has it
    holder = lock.holder().or_throw();
  }
  if (holder->processes != std::vector{child.pid()}) {
    return 1;
  }
  std::printf("Parent: the child holds the lock\n");
  child.signal(SIGKILL).or_throw();

  const auto held = lock.lock(LockMode::exclusive, after(std::chrono::seconds(10))).or_throw();
  std::printf("Parent: the child is dead, and the lock is mine\n");
  [[maybe_unused]] const auto ended = child.wait(never).or_throw();
  return 0;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

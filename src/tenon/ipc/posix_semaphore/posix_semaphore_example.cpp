/// Child to parent through a semaphore with a name: the parent waits until the child says that its work is done.
#include <tenon/ipc/posix_semaphore/named_semaphore.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/token.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <cstdio>
#include <string>

using namespace tenon;

namespace {

// Flushed at once, so that the lines of both processes stand in the order of events.
void say(const char* line) {
  std::printf("%s\n", line);
  std::fflush(stdout);
}

int work_and_signal(const std::string& name) {
  say("Child: doing work...");
  [[maybe_unused]] const auto worked = sleep_until(after(std::chrono::milliseconds(20)));
  NamedSemaphore done = NamedSemaphore::open(name).or_throw();
  say("Child: signaling parent");
  done.post().or_throw();
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  // A count that somebody left under a fixed name would let the parent go on at once; this name is new each time,
  // unless the caller gives one, and what is there already is refused.
  const std::string name = argc > 1 ? argv[1] : "/semaphore-" + Token::random().hex();
  NamedSemaphore done = NamedSemaphore::create(name, 0).or_throw();
  const UnlinkOnExit guard(NamedSemaphore::unlink, name);

  // Said before there is a child: nothing would order it before the child's lines.
  say("Parent: waiting for signal...");
  Child child = spawn([&] { return work_and_signal(name); }).or_throw();

  // A child that dies before it signals would leave a plain sem_wait(3) waiting for ever.
  done.wait(after(std::chrono::seconds(10))).or_throw();
  say("Parent: received signal!");

  return child.wait(never).or_throw().success() ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

/// Parent and child take turns in a critical section that a System V semaphore guards.
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/remove_on_exit.hpp>

#include <cstdio>
#include <string>

using namespace tenon;

namespace {

constexpr std::uint16_t section = 0;  // the one semaphore of the set: 1 while nobody is inside

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void linger() { [[maybe_unused]] const auto lingered = sleep_until(after(std::chrono::milliseconds(5))); }

// Undone at death: whoever dies inside lets the other in.
void five_times(const SysvSemaphore& semaphore, const std::string& who) {
  for (int i = 0; i < 5; ++i) {
    semaphore.wait(section, Undo::at_death, after(std::chrono::seconds(10))).or_throw();
    say(who + " in critical section " + std::to_string(i));
    linger();
    say(who + " leaving critical section " + std::to_string(i));
    semaphore.post(section, Undo::at_death).or_throw();
    linger();
  }
}

}  // namespace

int main(int argc, char** argv) try {
  // With a key others find the set, and may have made it; without one it is this program's own.
  const SysvKey key = argc > 1 ? SysvKey::parse(argv[1]).or_throw() : SysvKey::unshared();
  const SysvSemaphore semaphore = SysvSemaphore::create(key, {1}).or_throw();
  const RemoveOnExit guard(SysvSemaphore::remove, semaphore.id());

  Child child = spawn([&] {
                  five_times(semaphore, "Child");
                  return 0;
                }).or_throw();
  five_times(semaphore, "Parent");

  return child.wait(never).or_throw().success() ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

/// The deadlock of the documents, refused by name before it happens: one process takes sem1, then sem2; another wants
/// them the other way round. The first is done by then, so this run would not have hung. The next one might.
///
/// In a checked build (TENON_CHECKED) the order of the first is known to the second, through the file lock-order of
/// their domain; `tenon locks` prints it.
#include "../seeds/text.hpp"

#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/sync/used_as_lock.hpp>

using namespace tenon;

namespace {

constexpr std::uint16_t sem1 = 0;
constexpr std::uint16_t sem2 = 1;

int one_order(const SysvSemaphore& set) {
  set.wait(sem1, Undo::at_death, seeds::soon()).or_throw();
  set.wait(sem2, Undo::at_death, seeds::soon()).or_throw();
  seeds::say("One process: P(sem1) P(sem2)");
  set.post(sem2, Undo::at_death).or_throw();
  set.post(sem1, Undo::at_death).or_throw();
  return 0;
}

int the_other_order(const SysvSemaphore& set) {
  set.wait(sem2, Undo::at_death, seeds::soon()).or_throw();
  const auto refused = set.wait(sem1, Undo::at_death, seeds::soon());
  if (!refused.failed_with(Errc::deadlock)) {
    return 1;
  }
  seeds::say("Another: P(sem2) P(sem1) is refused:");
  seeds::say(refused.error().message());
  set.post(sem2, Undo::at_death).or_throw();
  return 0;
}

}  // namespace

int main() {
  return seeds::run([] {
    const SysvSemaphore set = SysvSemaphore::create(SysvKey::unshared(), {1, 1}).or_throw();
    const RemoveOnExit guard(SysvSemaphore::remove, set.id());
    used_as_lock(set, sem1, "sem1").or_throw();
    used_as_lock(set, sem2, "sem2").or_throw();
    Child first = spawn([&] { return one_order(set); }).or_throw();
    if (!first.wait(seeds::soon()).or_throw().success()) {
      return 1;
    }
    Child second = spawn([&] { return the_other_order(set); }).or_throw();
    return second.wait(seeds::soon()).or_throw().code();
  });
}

/// Two semaphores that two processes need both of. Taken in opposite orders, each ends up with one and waits for the
/// other's. Taken by all in one order, or both in one operation, they never do; the order of giving back does not
/// matter.
#include "text.hpp"

#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/remove_on_exit.hpp>

#include <array>
#include <functional>
#include <vector>

using namespace tenon;

namespace {

constexpr std::uint16_t first = 0;
constexpr std::uint16_t second = 1;
constexpr std::uint16_t missing = 2;  // how many have not taken their first one yet
constexpr int rounds = 200;
constexpr int gave_up = 3;

Deadline a_while() { return after(std::chrono::milliseconds(200)); }

// Two processes that have taken one each, and then want the other's.
int take_and_meet(const SysvSemaphore& set, std::uint16_t one, std::uint16_t other) {
  set.wait(one, Undo::at_death, seeds::soon()).or_throw();
  set.wait(missing, Undo::no, seeds::soon()).or_throw();
  set.wait_for_zero(missing, seeds::soon()).or_throw();
  const auto both = set.wait(other, Undo::at_death, a_while());
  return both.failed_with(Errc::timed_out) ? gave_up : 0;  // what is held comes back at the process's end
}

int in_order(const SysvSemaphore& set) {
  for (int i = 0; i < rounds; ++i) {
    set.wait(first, Undo::at_death, seeds::soon()).or_throw();
    set.wait(second, Undo::at_death, seeds::soon()).or_throw();
    set.post(first, Undo::at_death).or_throw();
    set.post(second, Undo::at_death).or_throw();
  }
  return 0;
}

int at_once(const SysvSemaphore& set, std::uint16_t one, std::uint16_t other) {
  const std::array take = {SemaphoreStep::take(one, 1, Undo::at_death), SemaphoreStep::take(other, 1, Undo::at_death)};
  const std::array give = {SemaphoreStep::give(one, 1, Undo::at_death), SemaphoreStep::give(other, 1, Undo::at_death)};
  for (int i = 0; i < rounds; ++i) {
    set.operate(take, seeds::soon()).or_throw();
    set.operate(give, seeds::soon()).or_throw();
  }
  return 0;
}

// The exit codes of two processes that run at the same time.
std::array<int, 2> both_run(const std::function<int()>& a, const std::function<int()>& b) {
  Child one = spawn(a).or_throw();
  Child other = spawn(b).or_throw();
  return {one.wait(seeds::soon()).or_throw().code(), other.wait(seeds::soon()).or_throw().code()};
}

}  // namespace

int main() {
  return seeds::run([] {
    const SysvSemaphore set = SysvSemaphore::create(SysvKey::unshared(), {1, 1, 2}).or_throw();
    const RemoveOnExit guard(SysvSemaphore::remove, set.id());

    const auto wrong =
        both_run([&] { return take_and_meet(set, first, second); }, [&] { return take_and_meet(set, second, first); });
    if (wrong[0] != gave_up && wrong[1] != gave_up) {
      return 1;
    }
    seeds::say("WRONG: opposite orders, each waits for the other until one gives up");

    if (both_run([&] { return in_order(set); }, [&] { return in_order(set); }) != std::array{0, 0}) {
      return 1;
    }
    seeds::say("CORRECT: one order for all, both go on");

    if (both_run([&] { return at_once(set, first, second); }, [&] { return at_once(set, second, first); }) !=
        std::array{0, 0}) {
      return 1;
    }
    seeds::say("CORRECT: both in one operation, both go on");
    return 0;
  });
}

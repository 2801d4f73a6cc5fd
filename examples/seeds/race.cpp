/// Two processes add to one counter. To add is to read, add and write: without a semaphore both may read the same, and
/// one of the additions is lost.
#include "text.hpp"

#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/remove_on_exit.hpp>

#include <functional>
#include <vector>

using namespace tenon;

namespace {

constexpr std::uint16_t section = 0;  // 1 while nobody adds
constexpr std::uint16_t reading = 1;  // how many have not read yet
constexpr int rounds = 1000;

int& counter_in(const Mapping& memory) { return *reinterpret_cast<int*>(memory.data()); }

// What happens when the processor changes hands between the read and the write: here it happens every time.
int add_without(const SysvSemaphore& set, int& counter) {
  const int seen = counter;
  set.wait(reading, Undo::no, seeds::soon()).or_throw();
  set.wait_for_zero(reading, seeds::soon()).or_throw();
  counter = seen + 1;
  return 0;
}

int add_with(const SysvSemaphore& set, int& counter) {
  for (int i = 0; i < rounds; ++i) {
    set.wait(section, Undo::at_death, seeds::soon()).or_throw();
    ++counter;
    set.post(section, Undo::at_death).or_throw();
  }
  return 0;
}

bool two_run(const std::function<int()>& body) {
  std::vector<Child> children;
  children.push_back(spawn(body).or_throw());
  children.push_back(spawn(body).or_throw());
  return seeds::all_succeed(children);
}

}  // namespace

int main() {
  return seeds::run([] {
    const SysvMemory segment = SysvMemory::create(SysvKey::unshared(), sizeof(int)).or_throw();
    const RemoveOnExit segment_guard(SysvMemory::remove, segment.id());
    const Mapping memory = segment.attach(Access::read_write).or_throw();
    const SysvSemaphore set = SysvSemaphore::create(SysvKey::unshared(), {1, 2}).or_throw();
    const RemoveOnExit set_guard(SysvSemaphore::remove, set.id());
    int& counter = counter_in(memory);

    if (!two_run([&] { return add_without(set, counter); })) {
      return 1;
    }
    seeds::say("WRONG: 2 additions, counter " + std::to_string(counter));
    counter = 0;
    if (!two_run([&] { return add_with(set, counter); })) {
      return 1;
    }
    seeds::say("CORRECT: " + std::to_string(2 * rounds) + " additions, counter " + std::to_string(counter));
    return 0;
  });
}

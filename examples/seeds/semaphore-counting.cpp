/// Counting resources: a semaphore with a count of 3 lets three of six processes in at a time, and never a fourth.
#include "text.hpp"

#include <tenon/ipc/posix_semaphore/named_semaphore.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <atomic>
#include <new>
#include <vector>

using namespace tenon;

namespace {

constexpr int resources = 3;
constexpr int processes = 6;

struct Board {
  std::atomic<int> inside = 0;
  std::atomic<bool> all_used = false;
  std::atomic<bool> too_many = false;
};

// Whoever is inside stays until all resources have been used at once: so it is seen that three may.
int work(const std::string& name, Board& board) {
  NamedSemaphore semaphore = NamedSemaphore::open(name).or_throw();
  semaphore.wait(seeds::soon()).or_throw();
  const int inside = ++board.inside;
  if (inside > resources) {
    board.too_many = true;
  }
  if (inside == resources) {
    board.all_used = true;
  }
  const Deadline patience = seeds::soon();
  while (!board.all_used && !patience.passed()) {
    [[maybe_unused]] const auto slept = sleep_until(after(std::chrono::milliseconds(1)));
  }
  --board.inside;
  semaphore.post().or_throw();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return seeds::run([&] {
    const std::string name = seeds::name_from(argc, argv);
    const NamedSemaphore semaphore = NamedSemaphore::create(name, resources).or_throw();
    const UnlinkOnExit guard(NamedSemaphore::unlink, name);
    const Mapping memory = Mapping::shared_with_children(sizeof(Board)).or_throw();
    Board& board = *new (memory.data()) Board;

    std::vector<Child> children;
    for (int i = 0; i < processes; ++i) {
      children.push_back(spawn([&] { return work(name, board); }).or_throw());
    }
    const bool all_done = seeds::all_succeed(children);
    if (!all_done || !board.all_used || board.too_many || semaphore.value() != resources) {
      return 1;
    }
    seeds::say("never over 3");
    return 0;
  });
}

/// Mutual exclusion: a semaphore with a count of 1 lets one of four processes in at a time.
#include "text.hpp"

#include <tenon/ipc/posix_semaphore/named_semaphore.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <atomic>
#include <new>
#include <sched.h>
#include <vector>

using namespace tenon;

namespace {

constexpr int processes = 4;
constexpr int rounds = 50;

struct Board {
  std::atomic<int> inside = 0;
  std::atomic<int> entered = 0;
  std::atomic<bool> met = false;
};

int work(const std::string& name, Board& board) {
  NamedSemaphore semaphore = NamedSemaphore::open(name).or_throw();
  for (int i = 0; i < rounds; ++i) {
    semaphore.wait(seeds::soon()).or_throw();
    if (++board.inside > 1) {
      board.met = true;
    }
    ::sched_yield();  // whoever could come in too would do it now
    --board.inside;
    ++board.entered;
    semaphore.post().or_throw();
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return seeds::run([&] {
    const std::string name = seeds::name_from(argc, argv);
    const NamedSemaphore semaphore = NamedSemaphore::create(name, 1).or_throw();
    const UnlinkOnExit guard(NamedSemaphore::unlink, name);
    const Mapping memory = Mapping::shared_with_children(sizeof(Board)).or_throw();
    Board& board = *new (memory.data()) Board;

    std::vector<Child> children;
    for (int i = 0; i < processes; ++i) {
      children.push_back(spawn([&] { return work(name, board); }).or_throw());
    }
    const bool all_done = seeds::all_succeed(children);
    if (!all_done || board.met || board.entered != processes * rounds) {
      return 1;
    }
    seeds::say("never over 1");
    return 0;
  });
}

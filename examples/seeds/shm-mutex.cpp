/// Four processes add to one counter in shared memory, one at a time. Then one dies holding the lock, and the next is
/// told.
#include "text.hpp"

#include <tenon/ipc/posix_memory/posix_memory.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>
#include <tenon/sync/mutex.hpp>

#include <csignal>
#include <new>

using namespace tenon;

namespace {

constexpr int processes = 4;
constexpr int additions = 1000;

struct SharedData {
  Mutex mutex;
  int counter = 0;
};

// Whoever comes first makes it, and nobody sees it before the mutex in it is made.
Mapping shared_memory(const std::string& name) {
  const auto initialise = [](MutableBytes bytes) { new (bytes.data()) SharedData(); };
  return PosixMemory::open_or_create(name, sizeof(SharedData), owner_only, initialise)
      .or_throw()
      .map(Access::read_write)
      .or_throw();
}

SharedData& data_in(const Mapping& memory) { return *std::launder(reinterpret_cast<SharedData*>(memory.data())); }

int add(const std::string& name) {
  const Mapping memory = shared_memory(name);
  for (int i = 0; i < additions; ++i) {
    const MutexGuard guard = data_in(memory).mutex.lock(seeds::soon()).or_throw();
    ++data_in(memory).counter;
  }
  return 0;
}

int die_holding(const std::string& name) {
  const Mapping memory = shared_memory(name);
  const MutexGuard guard = data_in(memory).mutex.lock(seeds::soon()).or_throw();
  data_in(memory).counter = -1;
  return ::raise(SIGKILL);
}

bool counts_exactly(const std::string& name) {
  std::vector<Child> children;
  for (int i = 0; i < processes; ++i) {
    children.push_back(spawn([&] { return add(name); }).or_throw());
  }
  const bool all = seeds::all_succeed(children);
  return all && data_in(shared_memory(name)).counter == processes * additions;
}

bool reports_the_owners_death(const std::string& name) {
  Child owner = spawn([&] { return die_holding(name); }).or_throw();
  const bool killed = owner.wait(seeds::soon()).or_throw().signal() == SIGKILL;
  const Mapping memory = shared_memory(name);
  MutexGuard guard = data_in(memory).mutex.lock(seeds::soon()).or_throw();
  if (!killed || !guard.owner_died()) {
    return false;
  }
  data_in(memory).counter = 0;  // half-written by the dead: made right before it is said to be
  guard.mark_consistent();
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = seeds::name_from(argc, argv);
  return seeds::run([&] {
    const UnlinkOnExit named(PosixMemory::unlink, name);
    if (!counts_exactly(name)) {
      return 1;
    }
    seeds::say("counter exact");
    if (!reports_the_owners_death(name)) {
      return 1;
    }
    seeds::say("owner's death reported");
    return 0;
  });
}

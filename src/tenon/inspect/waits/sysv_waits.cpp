/// Waits for System V queues and semaphores, which calls name by their identifiers. msgop(2), semop(2)
#include <tenon/inspect/waits/wait_scene.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <map>
#include <sys/sem.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

// An identifier means something in the waiter's IPC namespace alone.
bool add_by_id(WaitScene& scene, const Sleeper& sleeper, Wait& wait, Kind kind) {
  const auto ours = procfs::ipc_namespace(::getpid());
  const auto theirs = procfs::ipc_namespace(sleeper.pid);
  const auto id = static_cast<int>(sleeper.call.arguments[0]);
  const auto object = ours && theirs && *ours == *theirs ? scene.find(kind, id) : std::nullopt;
  if (object) {
    add_object(wait, *object);
  } else if (!scene.lists(kind)) {
    wait.elsewhere = true;
  } else {
    wait.unseen = std::string(name_of(kind)) + " #" + std::to_string(id) + " is of another IPC namespace, or gone";
  }
  return object.has_value();
}

// As the kernel does it: one operation after the other, each on what those before it have left. The first that cannot
// be done keeps back all of them. Nothing for a semaphore of whose value nothing is known.
std::optional<std::size_t> semaphore_that_holds_back(const std::vector<sembuf>& operations, const Object& set) {
  std::map<std::size_t, std::int64_t> values;
  for (const sembuf& one : operations) {
    if (one.sem_num >= set.set.size()) {
      return std::nullopt;
    }
    const auto [value, is_first] = values.try_emplace(one.sem_num, set.set[one.sem_num].value);
    const bool done = one.sem_op == 0 ? value->second == 0 : value->second + one.sem_op >= 0;
    if (!done) {
      return one.sem_num;
    }
    value->second += one.sem_op;
  }
  return std::nullopt;
}

}  // namespace

bool read_queue_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait) {
  add_by_id(scene, sleeper, wait, Kind::sysv_queue);
  return true;
}

bool read_set_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait) {
  constexpr std::uint64_t most_operations = 4096;
  if (!add_by_id(scene, sleeper, wait, Kind::sysv_semaphore)) {
    return true;
  }
  const AddressSpace* memory = scene.memory(sleeper.pid);
  std::vector<sembuf> operations(std::min(sleeper.call.arguments[2], most_operations));
  if (memory == nullptr || !memory->read(sleeper.call.arguments[1], std::as_writable_bytes(std::span(operations)))) {
    wait.unseen = "what it would do to which semaphore of the set";
    return true;
  }
  wait.semaphore = semaphore_that_holds_back(operations, scene.all().objects[wait.objects.front()]);
  return true;
}

}  // namespace tenon::inspect

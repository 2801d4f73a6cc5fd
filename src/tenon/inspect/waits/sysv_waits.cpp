/// Waits for System V queues and semaphores, which calls name by their identifiers; and for children. msgop(2),
/// semop(2), wait4(2)
#include <tenon/inspect/waits/wait_scene.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <sys/sem.h>
#include <sys/wait.h>
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
  } else {
    wait.unseen = std::string(name_of(kind)) + " #" + std::to_string(id) + " is of another IPC namespace, or gone";
  }
  return object.has_value();
}

bool holds_back(const sembuf& one, const Object& set) {
  const std::uint64_t value = set.set.at(one.sem_num).value;
  return one.sem_op == 0 ? value != 0 : one.sem_op < 0 && value < static_cast<std::uint64_t>(-one.sem_op);
}

// The first operation that cannot be done keeps back all of them.
std::optional<std::size_t> semaphore_that_holds_back(const std::vector<sembuf>& operations, const Object& set) {
  for (const sembuf& one : operations) {
    if (one.sem_num < set.set.size() && holds_back(one, set)) {
      return one.sem_num;
    }
  }
  return std::nullopt;
}

std::vector<pid_t> children_of(pid_t pid, pid_t thread) {
  const auto line =
      procfs::text("/proc/" + std::to_string(pid) + "/task/" + std::to_string(thread) + "/children").value_or("");
  std::istringstream words(line);
  std::vector<pid_t> children;
  for (pid_t child = 0; words >> child;) {
    children.push_back(child);
  }
  return children;
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

// A group of processes is told as all children: who waits is rarely so particular.
bool read_child_wait(WaitScene& /*scene*/, const Sleeper& sleeper, Wait& wait) {
  const bool by_id = wait.call == "waitid";
  const auto type = static_cast<idtype_t>(sleeper.call.arguments[0]);
  const auto pid = static_cast<pid_t>(sleeper.call.arguments[by_id ? 1 : 0]);
  const bool single = by_id ? type == P_PID : pid > 0;
  wait.processes = single ? std::vector{pid} : children_of(sleeper.pid, sleeper.thread);
  return true;
}

}  // namespace tenon::inspect

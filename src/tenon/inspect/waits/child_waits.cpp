/// Waits for children. wait4(2), waitid(2), pid_namespaces(7)
#include <tenon/inspect/waits/wait_scene.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <sstream>
#include <sys/wait.h>

namespace tenon::inspect {

namespace {

// Since Linux 5.4; glibc has a name for it since 2.36.
constexpr auto by_descriptor = static_cast<idtype_t>(3);
constexpr std::uint64_t own_thread_alone = 0x20000000;  // __WNOTHREAD

std::vector<pid_t> numbers_in(const std::string& text) {
  std::istringstream words(text);
  std::vector<pid_t> numbers;
  for (pid_t number = 0; words >> number;) {
    numbers.push_back(number);
  }
  return numbers;
}

// A process has an id in each PID namespace from that of /proc down to its own.
std::vector<pid_t> ids_of(pid_t pid) {
  const auto status = procfs::text("/proc/" + std::to_string(pid) + "/status").value_or("");
  return numbers_in(std::string(procfs::field(status, "NSpid").value_or("")));
}

// Any thread of a process may wait for the children of all.
std::vector<pid_t> children_of(const Sleeper& sleeper, std::uint64_t options) {
  const bool alone = (options & own_thread_alone) != 0;
  std::vector<pid_t> children;
  for (const pid_t thread : alone ? std::vector{sleeper.thread} : threads_of(sleeper.pid)) {
    const auto own = numbers_in(
        procfs::text("/proc/" + std::to_string(sleeper.pid) + "/task/" + std::to_string(thread) + "/children")
            .value_or(""));
    children.insert(children.end(), own.begin(), own.end());
  }
  return children;
}

// Who waits names its child as its own namespace does. One that is no child is traced by it: that is looked for in our
// namespace alone.
std::vector<pid_t> process_of_id(const Sleeper& sleeper, pid_t id, std::vector<pid_t> children) {
  const std::size_t depth = ids_of(sleeper.pid).size();
  std::erase_if(children, [&](pid_t child) {
    const auto ids = ids_of(child);
    return depth == 0 || ids.size() < depth || ids[depth - 1] != id;
  });
  return children.empty() && depth == 1 ? std::vector{id} : children;
}

// "Pid:\t812": as /proc counts. -1 of one that is no more, 0 of one that cannot be seen from here.
std::vector<pid_t> process_of_descriptor(const Sleeper& sleeper, std::uint64_t descriptor) {
  const auto info = procfs::text("/proc/" + std::to_string(sleeper.pid) + "/fdinfo/" + std::to_string(descriptor));
  const pid_t pid = static_cast<pid_t>(procfs::number_of(info.value_or(""), "Pid").value_or(0));
  return pid > 0 ? std::vector{pid} : std::vector<pid_t>();
}

}  // namespace

// A group of processes is told as all children: who waits is rarely so particular.
bool read_child_wait(WaitScene& /*scene*/, const Sleeper& sleeper, Wait& wait) {
  const bool by_type = wait.call == "waitid";
  const auto& arguments = sleeper.call.arguments;
  const auto type = static_cast<idtype_t>(arguments[0]);
  const auto id = static_cast<pid_t>(arguments[by_type ? 1 : 0]);
  if (by_type && type == by_descriptor) {
    wait.processes = process_of_descriptor(sleeper, arguments[1]);
  } else {
    wait.processes = children_of(sleeper, arguments[by_type ? 3 : 2]);
    if (by_type ? type == P_PID : id > 0) {
      wait.processes = process_of_id(sleeper, id, std::move(wait.processes));
    }
  }
  if (wait.processes.empty()) {
    wait.unseen = "for which process";
  }
  return true;
}

}  // namespace tenon::inspect

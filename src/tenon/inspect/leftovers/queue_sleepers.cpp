#include <tenon/inspect/leftovers/queue_sleepers.hpp>

#include <tenon/os/procfs.hpp>

#include <charconv>
#include <cstdlib>
#include <dirent.h>
#include <memory>
#include <optional>
#include <string>
#include <sys/syscall.h>

namespace tenon::inspect {

namespace {

std::vector<std::string> threads_of(pid_t pid) {
  std::vector<std::string> paths;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  const std::unique_ptr<DIR, void (*)(DIR*)> open(::opendir(tasks.c_str()), [](DIR* opened) { ::closedir(opened); });
  for (const dirent* entry = open ? ::readdir(open.get()) : nullptr; entry != nullptr; entry = ::readdir(open.get())) {
    if (entry->d_name[0] != '.') {
      paths.push_back(tasks + "/" + entry->d_name + "/syscall");
    }
  }
  return paths;
}

// "70 0x5 0x7ffe…": the call's number and its first argument. "running", or -1, is no sleep in a call.
bool sleeps_at(const std::string& line, int id) {
  char* rest = nullptr;
  const long call = std::strtol(line.c_str(), &rest, 10);
  return (call == SYS_msgrcv || call == SYS_msgsnd) && std::strtoul(rest, nullptr, 16) == static_cast<unsigned>(id);
}

}  // namespace

QueueSleepers sleepers_at_queue(int id) {
  QueueSleepers found;
  for (const pid_t pid : procfs::all_processes()) {
    bool sleeps = false;
    bool refused = false;
    for (const std::string& path : threads_of(pid)) {
      const auto line = procfs::text(path);
      sleeps = sleeps || (line && sleeps_at(*line, id));
      refused = refused || line.failed_with(Errc::permission_denied);
    }
    if (sleeps) {
      found.pids.push_back(pid);
    }
    found.refused += refused ? 1 : 0;
  }
  return found;
}

}  // namespace tenon::inspect

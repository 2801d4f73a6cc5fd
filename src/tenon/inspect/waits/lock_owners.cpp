#include <tenon/inspect/waits/lock_owners.hpp>

#include <tenon/inspect/waits/lock_word.hpp>
#include <tenon/inspect/waits/robust_holds.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

// Who maps which memory, as far as that may be seen.
struct Mappers {
  std::map<FileId, std::map<pid_t, bool>> of;  // whether it may write there
  std::set<pid_t> unseen;
};

Mappers mappers_of(const std::set<FileId>& wanted) {
  Mappers found;
  for (const pid_t pid : wanted.empty() ? std::vector<pid_t>() : procfs::all_processes()) {
    const auto space = AddressSpace::of(pid);
    if (!space && !space.failed_with(Errc::not_found)) {
      found.unseen.insert(pid);
    }
    for (const auto& [file, writes] : space ? space->shared_files() : std::vector<std::pair<FileId, bool>>()) {
      if (wanted.contains(file)) {
        bool& any = found.of[file][pid];
        any = any || writes;
      }
    }
  }
  return found;
}

bool is_of_our_pids(pid_t pid) {
  struct stat status{};
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/pid";
  return ::stat(path.c_str(), &status) == 0 && status.st_ino == procfs::own_pid_namespace();
}

// By the kernel's own word, where /proc does not show it. proc(5), hidepid
bool is_hidden(pid_t thread) noexcept {
  const bool shown = ::access(("/proc/" + std::to_string(thread)).c_str(), F_OK) == 0;
  return !shown && (::kill(thread, 0) == 0 || errno != ESRCH);
}

// The process of a thread that lives. A zombie has given up all that it held.
std::optional<pid_t> process_of(pid_t thread) {
  const auto status = procfs::text("/proc/" + std::to_string(thread) + "/status").value_or("");
  const auto process = procfs::number_of(status, "Tgid");
  const auto state = procfs::field(status, "State");
  const bool lives = state && !state->starts_with('Z') && !state->starts_with('X');
  return process && lives ? std::optional(static_cast<pid_t>(*process)) : std::nullopt;
}

class Owners {
 public:
  Owners(WaitScene& scene, Mappers mappers) : scene_(scene), mappers_(std::move(mappers)) {}

  void add(Wait& wait, std::size_t lock) {
    const FileId file = scene_.all().objects[lock].file;
    if (told_.insert(lock).second) {
      add_mappers(lock, mappers_.of[file]);
    }
    if (wait.lock.owner != 0) {
      add_owner(wait, lock, mappers_.of[file]);
    }
  }

 private:
  void add_mappers(std::size_t lock, const std::map<pid_t, bool>& mappers) {
    auto& edges = scene_.all().edges;
    for (const auto& [pid, writes] : mappers) {
      edges.push_back({.object = lock, .pid = pid, .relation = Relation::maps, .reads = true, .writes = writes});
    }
  }

  // Who has not mapped the memory, or does not know of the lock, owns nothing in it: its id was given out again.
  void add_owner(Wait& wait, std::size_t lock, const std::map<pid_t, bool>& mappers) {
    const bool ours = std::ranges::all_of(mappers, [](const auto& one) { return is_of_our_pids(one.first); });
    const auto process = process_of(wait.lock.owner);
    const bool closed = is_hidden(wait.lock.owner) || (process && mappers_.unseen.contains(*process));
    if (!ours || closed) {
      wait.unseen = "who owns it: thread " + std::to_string(wait.lock.owner) +
                    (ours ? " may not be looked at" : " of some PID namespace");
      return;
    }
    const bool ended =
        wait.lock.owner_died || !process || !mappers.contains(*process) || !may_hold(*process, wait.lock.owner, lock);
    if (owned_.insert({lock, wait.lock.owner}).second) {
      scene_.all().edges.push_back({.object = lock,
                                    .pid = ended ? wait.lock.owner : *process,
                                    .relation = Relation::owns,
                                    .ended = ended,
                                    .thread = wait.lock.owner});
    }
  }

  // Who has a robust lock has it in its list, as far as that may be read.
  bool may_hold(pid_t process, pid_t thread, std::size_t lock) {
    const bool robust = scene_.all().objects[lock].state == name_of(LockKind::robust_mutex);
    const AddressSpace* memory = robust ? scene_.memory(process) : nullptr;
    const AddressSpace::Place* place = scene_.place_of(lock);
    return memory == nullptr || place == nullptr || holds_robust_lock(*memory, thread, *place).value_or(true);
  }

  WaitScene& scene_;
  Mappers mappers_;
  std::set<std::size_t> told_;
  std::set<std::pair<std::size_t, pid_t>> owned_;
};

bool is_lock(const WaitScene& scene, std::size_t object) { return scene.all().objects[object].kind == Kind::lock; }

// How many threads of those processes do not sleep: any of them may have been woken, and be about to leave.
std::size_t threads_awake(const Sleepers& sleepers, std::span<const Edge> mappers, std::size_t lock) {
  std::size_t awake = 0;
  for (const Edge& edge : mappers) {
    const auto standing = sleepers.processes.find(edge.pid);
    if (edge.object == lock && edge.relation == Relation::maps && standing != sleepers.processes.end()) {
      const auto asleep = std::ranges::count(sleepers.all, edge.pid, &Sleeper::pid);
      awake += standing->second.threads - static_cast<std::size_t>(asleep);
    }
  }
  return awake;
}

// Who signals or destroys a condition variable waits for its woken users to leave. One that was killed never will.
// Processes that may not be looked at are taken for none of its users.
void judge_condition(WaitScene& scene, const Sleepers& sleepers, const std::vector<Wait>& waits,
                     const Wait& signaller) {
  const std::size_t lock = signaller.objects.front();
  const auto users = std::ranges::count_if(waits, [&](const Wait& one) {
    const bool same_group = signaller.lock.group == 2 || signaller.lock.group == one.lock.group;
    return one.lock.must_leave == 0 && same_group && one.objects == std::vector{lock};
  });
  const std::size_t alive = static_cast<std::size_t>(users) + threads_awake(sleepers, scene.all().edges, lock);
  if (alive < signaller.lock.must_leave) {
    Object& condition = scene.all().objects[lock];
    condition.state = "condition variable, wedged";
    condition.figures = {{.name = "dead_waiters", .value = signaller.lock.must_leave - alive}};
  }
}

// A lock that no other process sees is owned by one of its threads, or by one that was: that has a higher id than the
// process, unless they began anew meanwhile. Whatever else stands there is no owner, and the word no such lock.
void judge_own_lock(Wait& wait) {
  if (!is_of_our_pids(wait.pid)) {
    wait.unseen = "who owns it: thread " + std::to_string(wait.lock.owner) + " of some PID namespace";
    return;
  }
  const auto process = process_of(wait.lock.owner);
  if (process ? *process != wait.pid : wait.lock.owner < wait.pid) {
    wait.lock = {};
    wait.need = Need::signal;
    return;
  }
  wait.lock.owner_died = wait.lock.owner_died || !process;
}

}  // namespace

void add_lock_owners(WaitScene& scene, const Sleepers& sleepers, std::vector<Wait>& waits) {
  std::set<FileId> wanted;
  for (const Wait& wait : waits) {
    for (const std::size_t object : wait.objects) {
      if (is_lock(scene, object)) {
        wanted.insert(scene.all().objects[object].file);
      }
    }
  }
  Owners owners(scene, mappers_of(wanted));
  for (Wait& wait : waits) {
    for (const std::size_t object : wait.objects) {
      if (is_lock(scene, object)) {
        owners.add(wait, object);
      }
    }
    if (wait.objects.empty() && wait.lock.owner != 0) {
      judge_own_lock(wait);
    }
    if (wait.lock.must_leave > 0 && !wait.objects.empty()) {
      judge_condition(scene, sleepers, waits, wait);
    }
  }
}

}  // namespace tenon::inspect

#include <tenon/inspect/waits/queue_sleepers.hpp>

#include <tenon/inspect/waits/sleepers.hpp>
#include <tenon/os/procfs.hpp>

#include <set>
#include <sys/syscall.h>

namespace tenon::inspect {

namespace {

// Also of one that was stopped there.
std::optional<int> queue_of(const Call& call) {
  const bool waits = call.number == SYS_msgrcv || call.number == SYS_msgsnd;
  return waits ? std::optional(static_cast<int>(call.arguments[0])) : std::nullopt;
}

}  // namespace

QueueSleepers::Look QueueSleepers::take() {
  Look found;
  for (const pid_t pid : procfs::all_processes()) {
    std::set<int> queues;
    bool refused = false;
    for (const pid_t thread : threads_of(pid)) {
      const auto call = call_of(pid, thread);
      refused = refused || call.failed_with(Errc::permission_denied);
      if (const auto id = call && *call ? queue_of(**call) : std::nullopt) {
        queues.insert(*id);
      }
    }
    for (const int id : queues) {
      found.at[id].push_back(pid);
    }
    found.refused += refused ? 1 : 0;
  }
  return found;
}

const QueueSleepers::Look& QueueSleepers::look() {
  if (!look_) {
    look_ = take();
  }
  return *look_;
}

std::span<const pid_t> QueueSleepers::at(int id) {
  const auto found = look().at.find(id);
  return found == look().at.end() ? std::span<const pid_t>() : std::span<const pid_t>(found->second);
}

std::size_t QueueSleepers::refused() { return look().refused; }

}  // namespace tenon::inspect

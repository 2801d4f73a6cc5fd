#pragma once
/// Who sleeps at System V queues: the kernel tells that of sets, and not of queues. msgop(2), proc_pid_syscall(5)
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include <sys/types.h>

namespace tenon::inspect {

/// One look at all threads of this machine, when it is first asked; however many queues it is asked about then.
class QueueSleepers {
 public:
  /// The processes in msgsnd(2) or msgrcv(2) on that identifier, of whatever IPC namespace, by pid.
  std::span<const pid_t> at(int id);
  /// How many processes may not be looked at, and might be others of them.
  std::size_t refused();

 private:
  struct Look {
    std::map<int, std::vector<pid_t>> at = {};
    std::size_t refused = 0;
  };
  static Look take();
  const Look& look();

  std::optional<Look> look_;
};

}  // namespace tenon::inspect

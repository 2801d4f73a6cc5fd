#pragma once
/// Who sleeps at a System V queue: the kernel tells that of sets, and not of queues. msgop(2), proc_pid_syscall(5)
#include <cstddef>
#include <vector>

#include <sys/types.h>

namespace tenon::inspect {

struct QueueSleepers {
  std::vector<pid_t> pids;
  std::size_t refused = 0;  ///< processes that may not be looked at, and might be others of them
};

/// Those in msgsnd(2) or msgrcv(2) on that identifier, of whatever IPC namespace.
QueueSleepers sleepers_at_queue(int id);

}  // namespace tenon::inspect

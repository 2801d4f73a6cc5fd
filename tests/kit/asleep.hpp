#pragma once
/// A process that stands still, and one that waits for it to.
#include <functional>
#include <sys/types.h>
#include <thread>

namespace kit {

/// Returns when the kernel has put a thread to sleep, or it has ended. The one call of its that can sleep is the one
/// that the test is about.
void until_asleep(pid_t process, pid_t thread);
/// Likewise of a process with one thread.
inline void until_asleep(pid_t process) { until_asleep(process, process); }

/// A thread that has begun `body` and is asleep in it by now, or has ended.
std::jthread thread_asleep_in(std::function<void()> body);

/// Does nothing until SIGKILL.
[[noreturn]] void wait_to_be_killed();

}  // namespace kit

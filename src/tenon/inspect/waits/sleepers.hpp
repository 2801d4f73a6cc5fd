#pragma once
/// Which threads of this machine are asleep in a system call, and with which arguments. proc(5)
///
/// One look tells little: who is busy sleeps too, for a moment, between two messages. So there are two, and what lies
/// between them is read while the thread sleeps all the time: it can have changed nothing, and nobody has woken it.
#include <tenon/base/result.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace tenon::inspect {

/// What /proc/PID/task/TID/syscall shows of a thread that is inside a call.
struct Call {
  long number;
  std::array<std::uint64_t, 6> arguments;
  friend bool operator==(const Call&, const Call&) = default;
};
/// Nothing for "running", and where the thread is in the kernel without having called it.
std::optional<Call> parse_call(std::string_view line);

/// The threads of a process; none if it has ended.
std::vector<pid_t> threads_of(pid_t pid);

/// The call that a thread is in, asleep or stopped. Nothing if it runs. Outcomes: not_found. Failures:
/// permission_denied.
Result<std::optional<Call>> call_of(pid_t pid, pid_t thread);

struct Sleeper {
  pid_t pid;
  pid_t thread;
  std::uint64_t start_time;  ///< of the thread, clock ticks since boot
  std::uint64_t switches;    ///< how often it has gone to sleep
  Call call;
};

/// How a process stands while its threads are looked at.
struct Standing {
  std::size_t threads = 0;  ///< that live
  char state = '?';         ///< as Process::state
};
/// How it stands now; '?' of one that has ended, or is not shown.
Standing standing_of(pid_t pid);
/// Its main thread, or another where that one has ended; the main thread where none lives.
pid_t living_thread(pid_t pid);
/// Who traces it; 0: nobody, or it is not shown. ptrace(2)
pid_t tracer_of(pid_t pid);

struct Sleepers {
  std::vector<Sleeper> all = {};  ///< by pid and thread
  std::map<pid_t, Standing> processes = {};
  std::size_t closed = 0;  ///< processes whose calls may not be seen

  /// The first look. `unseen` is told how many could not be looked at. Its own caller sleeps nowhere.
  static Sleepers take(std::vector<std::string>& unseen);
};

/// The second look: whether the thread sleeps in the same call, and has slept ever since.
bool is_still_asleep(const Sleeper& sleeper);

/// The same of a thread that may have looked around in between, and sleeps again.
bool is_asleep_again(const Sleeper& sleeper);

/// For which signals a process has handlers, bit 0 for signal 1: such a one may end its own wait. 0 if that is not
/// seen.
std::uint64_t handled_signals(pid_t pid);

/// When the scheduler last took the thread off a processor: CLOCK_MONOTONIC, nanoseconds, a few milliseconds at most
/// from the truth. Nothing on kernels without /proc/PID/sched.
std::optional<std::int64_t> asleep_since(const Sleeper& sleeper);

}  // namespace tenon::inspect

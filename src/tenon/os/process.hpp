#pragma once
/// Children: started, waited for with a deadline, signalled without fear of a reused process id. pidfd_open(2)
#include <tenon/base/deadline.hpp>
#include <tenon/os/fd.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace tenon {

/// How a process ended: with an exit code, or by a signal. A value.
class ExitStatus {
 public:
  static ExitStatus exited(int code) noexcept { return ExitStatus(code, 0); }
  static ExitStatus killed(int signal) noexcept { return ExitStatus(-1, signal); }

  bool success() const noexcept { return code_ == 0; }
  /// The exit code, -1 if a signal ended it.
  int code() const noexcept { return code_; }
  /// The signal, 0 if it exited.
  int signal() const noexcept { return signal_; }
  /// "exited with 1", "killed by signal 9 (Killed)"
  std::string message() const;
  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;

 private:
  ExitStatus(int code, int signal) noexcept : code_(code), signal_(signal) {}
  int code_;
  int signal_;
};

/// A child of this process. It goes on when the handle goes; unwaited, it then stays a zombie until this process ends.
///
/// Threads: pid, fd and signal from several at once; wait by one at a time, and signal not while it reaps (a wait that
/// has timed out has reaped nothing). fork: a child of this process can neither wait for its parent's children nor
/// needs to.
class Child {
 public:
  /// Takes over a child that was forked otherwise. Failures: not_found, limit_reached.
  static Result<Child> adopt(pid_t pid);

  pid_t pid() const noexcept { return pid_; }
  /// Readable when the child has ended.
  FdView fd() const noexcept { return pidfd_.view(); }

  /// Waits until it has ended, and reaps it. A second call tells the same again. Outcomes: timed_out, stopped,
  /// not_found (it has ended, but the kernel kept no status: SIGCHLD is ignored, or somebody else reaped it).
  Result<ExitStatus> wait(Deadline deadline);
  /// Sends a signal; never to another process that got the same id. One that has ended and was not waited for takes it
  /// without effect. Outcomes: not_found (it has been reaped). pidfd_send_signal(2)
  Result<void> signal(int number) const;

 private:
  Child(pid_t pid, Fd pidfd) noexcept : pidfd_(std::move(pidfd)), pid_(pid) {}

  Fd pidfd_;
  pid_t pid_;
  bool reaped_ = false;
  ExitStatus status_ = ExitStatus::exited(0);
};

/// `dies`: killed when the thread that started it ends, and so with the process at the latest. prctl(2),
/// PR_SET_PDEATHSIG. In the first process of a new PID namespace a parent that died at once goes unnoticed.
enum class WithParent : unsigned char { lives_on, dies };

/// Forks; the child runs `body` and exits with what it returns. An exception ends it with code 1 and its text on
/// standard error. stdout and stderr are flushed on both sides, so that nothing is printed twice; all other streams are
/// the caller's affair, for the child leaves by _exit(). Outcomes: not_found (SIGCHLD is ignored and the child has
/// already ended). Failures: limit_reached (RLIMIT_NPROC, the cgroup's pids.max, kernel.threads-max, descriptors),
/// no_memory. fork(2)
Result<Child> spawn(const std::function<int()>& body, WithParent with_parent = WithParent::dies);

/// What a program starts with beyond its arguments.
/// Which processes a signal to a group reaches together. setpgid(2)
enum class ProcessGroup : std::uint8_t {
  ours,  ///< this process's: Ctrl-C at its terminal reaches the program too
  own,   ///< a new one, whose number is the program's process id, for it and what it starts
};

struct ProgramOptions {
  /// Descriptors of this process and the numbers that they get there; all others are closed by close-on-exec.
  std::vector<std::pair<FdView, int>> descriptors = {};
  /// "NAME=value", beside this process's own environment; replaces a variable of the same name.
  std::vector<std::string> environment = {};
  ProcessGroup group = ProcessGroup::ours;
};

/// Starts a program, found through PATH unless its name has a '/'. Signals are at their defaults there and none is
/// blocked. Outcomes: not_found. Failures: permission_denied, limit_reached, invalid_argument (a NUL in a text, a
/// descriptor number out of range). posix_spawn(3)
Result<Child> spawn_program(const std::string& program, const std::vector<std::string>& arguments,
                            const ProgramOptions& options = {});

}  // namespace tenon

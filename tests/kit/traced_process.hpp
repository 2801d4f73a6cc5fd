#pragma once
/// A child that stands still at any instruction of one operation. ptrace(2)
///
/// The operation must stay in one thread and one process. Children made by fork() have the address space of their
/// parent, so two runs of an operation from like states take the same path; without_random_addresses() makes that so
/// from one start of the program to the next. Child and parent share one processor, on which they take turns. Only
/// x86-64 is known here.
#include <kit/one_processor.hpp>
#include <kit/patience.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>

#include <cstdint>
#include <functional>

namespace kit {

/// How long a process sleeps in a system call before it is asleep. Less than a recheck, which ends a sleep by itself.
inline constexpr Duration nap{20};

/// Starts the program again without address-space randomisation and with all functions bound, those of its libraries
/// too (else the search at a first call is in one path and not in the next), unless it runs so already. Call it first
/// in main().
void without_random_addresses(char** arguments);

class TracedProcess {
 public:
  /// Forks; the child runs `before` and then stops in front of `operation`.
  TracedProcess(const std::function<void()>& before, const std::function<void()>& operation);
  /// Kills what is left of it.
  ~TracedProcess();
  TracedProcess(const TracedProcess&) = delete;
  TracedProcess& operator=(const TracedProcess&) = delete;

  enum class State : std::uint8_t {
    stopped,   ///< at some instruction of the operation
    finished,  ///< the operation is over, the process still there
    asleep,    ///< in a system call that does not return, or not in the time that was given
    dead,      ///< it ended otherwise: a crash, an exit
  };

  /// Executes one instruction. Here and below only time that is spent sleeping counts: who waits for a processor, or
  /// for a disk, is late, and not asleep.
  State step(Duration longest_sleep = nap);
  /// Executes up to `count` instructions; ends early when it is no longer stopped.
  State step_over(std::size_t count, Duration longest_sleep = nap);
  /// Runs freely until the next system call has returned.
  State run_past_system_call(Duration longest_sleep = nap);
  /// Runs freely until the operation is over. It is asleep if that takes longer than `limit`; wait_for_end() goes on.
  State run_to_end(Duration limit);
  State wait_for_end(Duration limit);

  State state() const noexcept { return state_; }
  std::uint64_t instruction_pointer() const;
  /// Whether the next instruction is a system call.
  bool at_system_call() const;

  /// SIGKILL, and reaps it: true if that is what it died of.
  bool kill();

 private:
  struct Mark;
  State go(int request, Duration limit);
  State go_unless_asleep(int request, Duration longest_sleep);
  State wait_on(Duration limit);
  bool sleeps() const;
  State settle(int status);

  OneProcessor shared_with_child_;
  tenon::Mapping mark_;
  tenon::Child child_;
  State state_ = State::stopped;
  int pending_signal_ = 0;
};

}  // namespace kit

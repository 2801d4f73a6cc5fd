#pragma once
/// A child that stands still at any instruction of one operation. ptrace(2)
///
/// The operation must stay in one thread and one process. Children made by fork() have the address space of their
/// parent, so two runs of an operation from like states take the same path; without_random_addresses() makes that so
/// from one start of the program to the next. Only x86-64 is known here.
#include <kit/patience.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>

#include <cstdint>
#include <functional>

namespace kit {

/// Starts the program again without address-space randomisation, unless it runs so already. Call it first in main().
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
    asleep,    ///< in a system call that does not return
    dead,      ///< it ended otherwise: a crash, an exit
  };

  /// Executes one instruction.
  State step();
  /// Executes up to `count` instructions; ends early when it is no longer stopped.
  State step(std::size_t count);
  /// Runs freely until the next system call has returned.
  State run_past_system_call();
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
  State settle(int status);

  tenon::Mapping mark_;
  tenon::Child child_;
  State state_ = State::stopped;
  int pending_signal_ = 0;
};

}  // namespace kit

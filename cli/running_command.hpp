#pragma once
/// A command that runs beside this process, which holds its streams. It is a process group of its own, and when it ends
/// or goes, what it has started and left in that group is ended with it.
#include <tenon/os/process.hpp>
#include <tenon/os/read_end.hpp>
#include <tenon/os/write_end.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tenon::cli {

class RunningCommand {
 public:
  /// held: what it says on standard error is read here. passed_on: it has this process's.
  enum class Errors : unsigned char { held, passed_on };

  /// One text is a script of sh(1); several are a program and its arguments. Outcomes: not_found. Failures: those of
  /// spawn_program and of pipes.
  static Result<std::unique_ptr<RunningCommand>> start(const std::vector<std::string>& command, Errors errors);
  /// Kills it if it still runs, and its group.
  ~RunningCommand();
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;

  /// Readable when it has ended.
  FdView fd() const noexcept { return child_.fd(); }
  /// Waits until it has ended, ends its group, and tells how. A second call tells the same. Outcomes: timed_out,
  /// stopped.
  Result<ExitStatus> wait(Deadline deadline);
  bool has_ended() { return !wait(immediately).failed_with(Errc::timed_out); }

  std::optional<WriteEnd> input;
  std::optional<ReadEnd> output;
  std::optional<ReadEnd> errors;

 private:
  explicit RunningCommand(Child started) : child_(std::move(started)) {}
  void end_group() const noexcept;

  Child child_;
  bool reaped_ = false;
};

}  // namespace tenon::cli

#pragma once
/// A command that runs beside this process, which holds its streams.
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
  /// Kills it if it still runs.
  ~RunningCommand();
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;

  std::optional<WriteEnd> input;
  std::optional<ReadEnd> output;
  std::optional<ReadEnd> errors;
  Child child;

 private:
  explicit RunningCommand(Child started) : child(std::move(started)) {}
};

}  // namespace tenon::cli

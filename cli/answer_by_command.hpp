#pragma once
/// A call's answer, from a command that is run for it.
#include <cli/running_command.hpp>
#include <cli/service_end.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace tenon::cli {

/// The longest part of a response.
inline constexpr std::size_t longest_part = 65536;

/// All of it, in parts if it is long. Outcomes: stopped. What its client did not wait for is no news.
Result<void> respond_whole(ByteCall call, Bytes response);

/// Feeds the request to a command, and answers with what it prints, in parts as they come. A command that fails is an
/// error of the call's, with its exit code and the last line that it said on standard error, which is passed on as
/// well. One whose client waits no more is killed.
class AnswerByCommand {
 public:
  AnswerByCommand(ByteCall call, RunningCommand& command) noexcept : call_(std::move(call)), command_(command) {}

  /// Outcomes: stopped. Failures: those of poll(2).
  Result<void> run() &&;

 private:
  Result<void> wait();
  Result<bool> step();
  void feed();
  bool take_output();
  void take_errors();
  bool send_part();
  void end();
  std::string last_words(const ExitStatus& status) const;

  ByteCall call_;
  RunningCommand& command_;
  std::size_t fed_ = 0;
  std::vector<std::byte> part_;
  std::string said_;  // the end of what it said on standard error
  bool wanted_ = true;
  bool idle_ = false;
};

}  // namespace tenon::cli

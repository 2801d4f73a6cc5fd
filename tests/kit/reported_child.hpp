#pragma once
/// A child whose failed expectations, skips and exceptions fail the test in the parent.
///
/// What the child reports goes through a file in memory, written at once and read when the child has ended: nothing
/// blocks however much it says, and what it said before a SIGKILL is kept.
#include <tenon/os/process.hpp>

#include <functional>
#include <optional>
#include <string>

namespace kit {

class ReportedChild {
 public:
  /// Forks and runs `body` there. `name` stands before each of its messages.
  ReportedChild(std::string name, const std::function<void()>& body,
                tenon::WithParent with_parent = tenon::WithParent::dies);
  /// Kills it if it still runs, and reaps it.
  ~ReportedChild();
  ReportedChild(ReportedChild&&) noexcept = default;
  ReportedChild& operator=(ReportedChild&&) = delete;

  const std::string& name() const noexcept { return name_; }
  tenon::Child& process() noexcept { return process_; }

  /// SIGKILL; the test does not fail for that.
  void kill();
  bool was_killed() const noexcept { return killed_; }

  /// Waits for its end and reports into the running test. It fails the test when the child ended otherwise than by
  /// leaving `body` or by kill(). Outcomes: timed_out, stopped.
  tenon::Result<tenon::ExitStatus> finish(tenon::Deadline deadline);

 private:
  static tenon::Child start(tenon::FdView report, const std::function<void()>& body, tenon::WithParent with_parent);
  void read_report();

  std::string name_;
  tenon::Fd report_;
  tenon::Child process_;
  std::optional<tenon::ExitStatus> ended_;
  bool killed_ = false;
};

/// In a reported child: whether an expectation has failed in it.
bool child_failed() noexcept;

}  // namespace kit

#pragma once
/// What the kill harness found, for assertions and for people.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

namespace kit {

struct KillReport {
  std::string operation = {};
  std::string mode = {};   ///< "kill", "preempt", "copy", "recovery", "soak"
  std::string build = {};  ///< "-O0", "-O2", "" if there is but one
  bool control = false;    ///< known to be unsafe: it must not be clean
  std::size_t instructions = 0;
  std::size_t points = 0;  ///< distinct ones
  std::size_t wanted = 0;  ///< how many of these were to be tried
  std::size_t tried = 0;   ///< of these, until the time was over
  std::size_t struck = 0;  ///< trials that did to a process, at its place, what the mode says
  std::size_t killed = 0;  ///< processes that the harness's SIGKILL ended at their place, killed survivors included
  std::size_t states = 0;  ///< distinct states of the shared memory
  std::size_t hangs = 0;
  std::size_t leaks = 0;
  std::size_t broken = 0;       ///< invariants
  std::size_t ended_early = 0;  ///< trials whose operation was over, or elsewhere, each time the point was tried
  std::size_t late = 0;         ///< over the limit once, in time when tried again: a slow machine, not a hang
  double seconds = 0;
  std::uint64_t seed = 0;
  std::vector<std::string> stories = {};  ///< the first findings, where and what

  /// No hang, nothing left behind, nothing broken.
  bool clean() const noexcept { return hangs == 0 && leaks == 0 && broken == 0; }
  /// Something was killed, or preempted, at all: a run without kills proves nothing.
  bool struck_at_all() const noexcept { return tried > 0 && struck > 0; }
  /// At least nine of ten trials came to their places, where there are fewer than ten all but one.
  bool in_place() const noexcept { return ended_early * 10 < tried + 10; }
  /// At least a quarter of what was wanted was tried before the time was over.
  bool enough() const noexcept { return tried * 4 >= wanted; }
  bool effective() const noexcept { return struck_at_all() && in_place() && enough(); }
  /// As it should be: effective, and clean if and only if it is no control.
  bool as_expected() const noexcept { return effective() && clean() != control; }
};

/// A table with a line for each report, and the stories of those that are not as expected.
void print_table(std::FILE* to, std::span<const KillReport> reports);

/// One JSON object on one line.
std::string json_line(const KillReport& report);

}  // namespace kit

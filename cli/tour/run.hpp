#pragma once
/// Runs one entry of the tour with real processes and holds what they print against the table.
#include <cli/tour/table.hpp>

#include <cstdint>
#include <string>

namespace tenon::cli {

struct TourOutcome {
  bool passed = false;
  std::string output;   ///< what the processes printed, one process after another
  std::string problem;  ///< "" if passed
  std::int64_t milliseconds = 0;
};

/// `programs` is the directory of the example programs. Bounded: what hangs is killed after 20 s and told.
TourOutcome run_entry(const TourEntry& entry, const std::string& programs);

/// Where the example programs stand, seen from this very program. Empty if they are not there.
std::string example_directory();

/// True if the lines are those of the groups, group by group, in any order within a group.
bool matches(const std::vector<std::vector<const char*>>& groups, const std::string& output);

}  // namespace tenon::cli

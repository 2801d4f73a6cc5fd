#pragma once
/// How much of a core `tenon top` uses while somebody watches it.
#include <optional>
#include <string>

namespace inspections {

/// Runs that program, with "top" behind it, at a terminal of 80 columns and 24 lines, and takes what it uses of the
/// processors in so many seconds once it has looked a few times. A part of one core; nothing if it could not be run.
std::optional<double> share_of_top(const std::string& program, double seconds);

}  // namespace inspections

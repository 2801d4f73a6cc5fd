#pragma once
/// On which processors the sides of a benchmark run. sched_setaffinity(2)
#include <tenon/base/result.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace harness {

/// The processors that this process may use, ascending.
std::vector<int> allowed_processors();

/// Binds the calling thread to one processor. Failures: invalid_argument (it is offline or not allowed).
tenon::Result<void> pin_to(int processor);

/// One processor for each side.
struct Placement {
  std::string name;  ///< "across cores", "one core", "alone"
  std::vector<int> processors;
  /// Each side has its processor to itself, so one that is taken off it was disturbed from outside.
  bool exclusive = false;
};

/// Each side on a core of its own; hardware threads of one core do not count twice. Failures: not_supported, when
/// there are fewer cores than sides.
tenon::Result<Placement> across_cores(std::size_t sides);
/// The first side has a core to itself, and the others take turns on those that remain: all of them on one where there
/// are two cores. Failures: not_supported, when there is one core alone.
tenon::Result<Placement> one_and_others(std::size_t sides);
/// The sides take turns on all processors: the first on the first one, and so on.
Placement in_turn(std::size_t sides);
/// All sides on the first processor.
Placement one_core(std::size_t sides);
/// A single side on the first processor.
Placement alone();

}  // namespace harness

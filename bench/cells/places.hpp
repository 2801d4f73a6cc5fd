#pragma once
/// Where the two processes of a cell run: on one core, on two cores beside each other, on two that are far apart.
#include <cells/cell.hpp>
#include <harness/clock.hpp>

#include <string>
#include <vector>

namespace cells {

/// A pair of processors, and how long a cache line takes there and back between them.
struct Pair {
  Place place;
  harness::Placement placement;
  double nanoseconds = 0;  ///< 0 on one core
};

class Places {
 public:
  /// Bounces a line between the first core and up to sixteen others. Far is the farthest pair where it takes more than
  /// twice the time of the nearest: many machines have none, and those with one core have no near one either. Failures:
  /// those of a team.
  static tenon::Result<Places> find(const harness::Clock& clock);

  const std::vector<Pair>& pairs() const noexcept { return pairs_; }
  bool has(Place place) const noexcept;
  /// For the sides of this cell, of which a fan has many: the first has a core to itself, the others share what is
  /// left. Failures: not_supported, where the machine has no such place.
  tenon::Result<harness::Placement> placement_of(const Cell& cell, std::size_t sides) const;
  /// "one core (processor 0), near (0 and 1, 118 ns)".
  std::string description() const;

 private:
  std::vector<Pair> pairs_;
};

}  // namespace cells

#pragma once
/// What a set of figures comes down to.
#include <cstddef>
#include <vector>

namespace harness {

/// Of raw nanoseconds, by nearest rank: each is a figure that was really seen, none is interpolated.
struct Percentiles {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double p999 = 0;
  double max = 0;
  std::size_t samples = 0;
};
/// All zero if there are no samples.
Percentiles percentiles_of(std::vector<double> nanoseconds);

/// The middle one, or the mean of the middle two. There must be at least one.
double median_of(std::vector<double> figures);

/// The median with the quartiles around it: how far the blocks of one cell lay apart.
struct Spread {
  double median = 0;
  double low = 0;   ///< a quarter of the figures lies below
  double high = 0;  ///< a quarter lies above
  /// The distance of the quartiles in parts of the median.
  double relative() const noexcept { return median > 0 ? (high - low) / median : 0; }
};
/// There must be at least one figure.
Spread spread_of(std::vector<double> figures);

}  // namespace harness

#pragma once
/// What several repeats come down to, and how sure that is.
#include <vector>

namespace cells {

/// The median of the repeats, and between which two of them the true median lies with this confidence: by the binomial
/// distribution of how many fall below it, whatever the distribution of the figures is. The innermost pair with 95% or
/// more; with five repeats or fewer all of them, which is less.
struct Interval {
  double median = 0;
  double low = 0;
  double high = 0;
  double confidence = 0;  ///< 0 for one repeat

  bool overlaps(const Interval& other) const noexcept { return low <= other.high && other.low <= high; }
  /// Half its width, in parts of the median.
  double relative() const noexcept { return median > 0 ? (high - low) / 2 / median : 0; }
};

/// There must be at least one figure.
Interval interval_of(std::vector<double> figures);

}  // namespace cells

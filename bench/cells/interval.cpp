#include <cells/interval.hpp>

#include <tenon/base/contract.hpp>
#include <harness/percentiles.hpp>

#include <algorithm>
#include <cmath>

namespace cells {

namespace {

// That fewer than `k` of `n` figures, or more than n - k, lie below the true median.
double outside(std::size_t k, std::size_t n) {
  double ways = 1;
  double sum = 0;
  for (std::size_t i = 0; i < k; ++i) {
    sum += ways;
    ways = ways * static_cast<double>(n - i) / static_cast<double>(i + 1);
  }
  return 2 * sum * std::pow(0.5, static_cast<double>(n));
}

}  // namespace

Interval interval_of(std::vector<double> figures) {
  tenon::expects(!figures.empty(), "an interval is one of figures");
  constexpr double enough = 0.95;
  std::ranges::sort(figures);
  const std::size_t n = figures.size();
  std::size_t k = 1;
  while (k < (n + 1) / 2 && 1 - outside(k + 1, n) >= enough) {
    ++k;
  }
  return {.median = harness::median_of(figures),
          .low = figures[k - 1],
          .high = figures[n - k],
          .confidence = std::max(0.0, 1 - outside(k, n))};
}

}  // namespace cells

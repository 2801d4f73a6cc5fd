#include <harness/percentiles.hpp>

#include <tenon/base/contract.hpp>

#include <algorithm>
#include <cmath>

namespace harness {

namespace {

// The smallest figure that at least this part of all figures does not exceed.
double nearest_rank(const std::vector<double>& sorted, double part) {
  // A hair less: 0.9 * 10 is a little more than 9 in binary, and its ceiling would be 10.
  const double rank = std::ceil(part * static_cast<double>(sorted.size()) - 1e-9);
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace

Percentiles percentiles_of(std::vector<double> nanoseconds) {
  if (nanoseconds.empty()) {
    return {};
  }
  std::ranges::sort(nanoseconds);
  return {.p50 = nearest_rank(nanoseconds, 0.5),
          .p90 = nearest_rank(nanoseconds, 0.9),
          .p99 = nearest_rank(nanoseconds, 0.99),
          .p999 = nearest_rank(nanoseconds, 0.999),
          .max = nanoseconds.back(),
          .samples = nanoseconds.size()};
}

double median_of(std::vector<double> figures) {
  tenon::expects(!figures.empty(), "a median is of at least one figure");
  std::ranges::sort(figures);
  const std::size_t middle = figures.size() / 2;
  return figures.size() % 2 == 1 ? figures[middle] : (figures[middle - 1] + figures[middle]) / 2;
}

Spread spread_of(std::vector<double> figures) {
  tenon::expects(!figures.empty(), "a spread is of at least one figure");
  std::ranges::sort(figures);
  return {.median = median_of(figures), .low = nearest_rank(figures, 0.25), .high = nearest_rank(figures, 0.75)};
}

}  // namespace harness

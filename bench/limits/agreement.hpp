#pragma once
/// Whether two runs tell the same.
#include <tenon/base/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace limits {

/// One row of both runs.
struct Difference {
  std::string name;
  double first = 0;  ///< nanoseconds of an operation
  double second = 0;
  /// Not empty: the two cannot be compared, and why. Rows of near cores and of far ones never agree.
  std::string not_comparable;
  /// In one run alone: that the runs differ needs no figure.
  bool missing = false;

  /// Of the larger from the smaller, in parts of the smaller.
  double relative() const;
};

struct Agreement {
  std::vector<Difference> rows;  ///< the largest difference first, then those that cannot be compared
  /// Nothing when no row can be compared.
  std::optional<double> largest() const;
  bool within(double tolerance) const;
};

/// Compares what json_of(Report) made. Failures: corrupt, which names the run and what is wrong with it.
tenon::Result<Agreement> agreement_of(std::string_view first, std::string_view second);

/// A line for each row, and the verdict.
std::string table_of(const Agreement& agreement, double tolerance);

}  // namespace limits

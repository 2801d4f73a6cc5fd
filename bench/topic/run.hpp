#pragma once
/// Rows, measured: each paired with its limit, between two probes.
#include <limits/run.hpp>
#include <topic/row.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace topics {

struct MeasuredRow {
  std::string group;
  std::string name;
  std::string options;
  std::string limit;  ///< the name of the one that counts
  limits::Kind kind = limits::Kind::cost;
  double deliveries = 1;
  limits::PairRow pair;  ///< of whole operations
  double aim = 0;        ///< the most that ratio() should be; 0 where nothing is asked
  bool failed = false;   ///< pair.not_measured says why: for another reason than too few cores

  /// Time of a delivered message beside the limit's.
  double ratio() const { return pair.figure.ratio.median / deliveries; }
  double nanoseconds() const { return pair.figure.subject.nanoseconds / deliveries; }
};

class Run {
 public:
  /// Failures: those of limits::Bench.
  static tenon::Result<Run> start(limits::Extent extent);

  /// A row whose limits are several measures each of them once before: for several rows with the same limits, once.
  /// A row that fails says why in place of its figures.
  MeasuredRow measure(const Row& row);
  const harness::Clock& clock() const noexcept { return bench_.clock(); }

 private:
  explicit Run(limits::Bench bench) : bench_(std::move(bench)) {}
  tenon::Result<limits::PairRow> beside_its_best(const Row& row, MeasuredRow& measured);
  tenon::Result<std::size_t> best_of(const std::vector<limits::Limit>& limits);

  limits::Bench bench_;
  std::map<std::string, std::size_t> best_;  ///< by all their names
};

/// What the ratio of a row may be on this machine: looks at the clock are allowed for in parts of the limit.
double most_of(const Aim& aim, double limit_nanoseconds, double clock_nanoseconds);

}  // namespace topics

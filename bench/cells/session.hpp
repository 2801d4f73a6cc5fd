#pragma once
/// A run of `tenon bench`: every cell in each of several repeats, in an order drawn anew for each, beside its limit in
/// pairs of blocks. What changes over a run, such as where a virtual machine's processors stand, then falls on all
/// cells alike, and how far the repeats lie apart tells how sure a figure is.
#include <cells/cell.hpp>
#include <cells/interval.hpp>
#include <cells/places.hpp>
#include <limits/run.hpp>

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace cells {

/// What one repeat has seen of a cell. Times are nanoseconds of an operation.
struct Sample {
  harness::PairedFigure figure;
  harness::Attempts attempts;
};

struct Row {
  const Mechanism* mechanism;
  Cell cell;
  std::string limit;                  ///< its name
  std::string not_measured;           ///< not empty: there are no samples, and why
  bool failed = false;                ///< and that is another reason than what this machine lacks
  std::vector<Sample> samples;        ///< one for each repeat
  std::optional<std::size_t> memory;  ///< bytes that the line holds for messages on their way

  /// Over the repeats. There is one at least.
  Interval over(const std::function<double(const Sample&)>& what) const;
  /// Of all processes, for each message; nothing where time is left out of it that is not theirs alone, or where a
  /// repeat could not be counted.
  std::optional<Interval> processor() const;
  std::optional<Interval> switches() const;
  std::optional<Interval> system_calls() const;
  /// Percentiles are of single operations: there are none of rates.
  bool has_percentiles() const;
  double longest() const;        ///< of all single operations of all repeats
  Interval nanoseconds() const;  ///< of one message that arrives; of one trip there and back
  Interval ratio() const;        ///< that beside its limit
};

/// What says whether figures of this machine mean anything just now.
struct SelfTest {
  double clock_nanoseconds = 0;  ///< a look at the clock
  Interval beside_itself;  ///< the ratio of two equal subjects, which is 1 where nothing disturbs; the last look's
  int looks = 0;
  std::string refusal;  ///< not empty: why nothing is reported
};

struct Effort {
  limits::Extent extent = limits::Extent::full;
  int repeats = 11;
};
constexpr Effort quick{.extent = limits::Extent::quick, .repeats = 3};

class Session {
 public:
  /// Failures: those of limits::Bench and of Places.
  static tenon::Result<Session> start(const Effort& effort);

  const Places& places() const noexcept { return places_; }
  const harness::Clock& clock() const noexcept { return bench_.clock(); }

  /// Looks again for a few seconds where something disturbs the machine, for as long as `goes_on` says so. Failures:
  /// those of a team.
  tenon::Result<SelfTest> test_itself(const std::function<bool()>& goes_on);

  /// Told before each measurement what comes, how many were done, and of how many. May throw, which ends the run: what
  /// was opened for it goes.
  using Progress = std::function<void(const std::string& what, std::size_t done, std::size_t all)>;

  /// The limits of this machine, once each.
  std::vector<limits::Row> measure_limits(const Progress& progress);
  /// All cells that the mechanisms can do, a row each, in their order; one that a mechanism cannot do has no row.
  std::vector<Row> measure(const std::vector<const Mechanism*>& mechanisms, const std::vector<Cell>& cells,
                           const Progress& progress);

 private:
  struct Plan;
  Session(limits::Bench bench, Places places, const Effort& effort)
      : bench_(std::move(bench)), places_(std::move(places)), effort_(effort) {}
  tenon::Result<Interval> line_beside_itself();
  std::optional<Plan> plan(const Mechanism& mechanism, const Cell& cell);
  tenon::Result<harness::Subject> best_limit(const Cell& cell);
  void measure_once(Plan& plan);
  harness::Pace pace_for(const Cell& cell) const;

  limits::Bench bench_;
  Places places_;
  Effort effort_;
  std::mt19937_64 draw_{std::random_device{}()};
  std::map<std::string, harness::Subject> best_;  ///< by the names of those it was chosen from
};

}  // namespace cells

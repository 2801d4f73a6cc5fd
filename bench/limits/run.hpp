#pragma once
/// Limits, measured: each between two probes, again when it was disturbed.
#include <harness/compare.hpp>
#include <harness/measure.hpp>
#include <harness/probe.hpp>
#include <harness/undisturbed.hpp>
#include <limits/limit.hpp>

#include <functional>
#include <optional>
#include <string>

namespace limits {

struct Row {
  std::string name;
  std::string family;
  Where where;
  Kind kind;
  std::size_t payload_bytes = 0;
  /// Not empty: there is no figure, and why. Two cores are what many machines lack.
  std::string not_measured;
  harness::Figure figure;
  harness::Attempts attempts;
};

/// Where the two sides of a limit stand. Failures: not_supported, where there is one core alone.
tenon::Result<harness::Placement> placement_of(Where where);

/// Which of two looks at one limit tells more about it: an undisturbed one, then one at near cores, then the faster
/// one, since whatever else a machine does can only add to what it can do at best.
bool tells_more(const Row& row, const Row& than);

struct PairRow {
  std::string name;
  std::string not_measured;
  harness::PairedFigure figure;
  harness::Attempts attempts;
};

/// What all rows of a run are measured with.
class Bench {
 public:
  /// Without a second core it measures what one process or one core can do. Failures: those of Probe.
  static tenon::Result<Bench> start(Extent extent);

  tenon::Result<Row> measure(const Limit& limit);
  tenon::Result<PairRow> compare(const LimitPair& pair);
  /// The same for anything beside its limit. Without a placement, the row says why there is no figure.
  tenon::Result<PairRow> compare(const std::string& name, const harness::Subject& limit,
                                 const harness::Subject& subject, const tenon::Result<harness::Placement>& placement);
  tenon::Result<PairRow> compare(const std::string& name, const harness::Subject& limit,
                                 const harness::Subject& subject, const tenon::Result<harness::Placement>& placement,
                                 const harness::PairedPace& pace);

  const harness::Clock& clock() const noexcept { return clock_; }
  /// One more look at how far the cores are apart; 0 without a second core.
  tenon::Result<double> probe();

 private:
  Bench(Extent extent, const harness::Clock& clock) : clock_(clock), extent_(extent) {}
  harness::Pace pace_for(std::size_t shared_bytes) const;
  tenon::Result<harness::Attempts> between_probes(const std::function<tenon::Result<void>()>& cell);

  harness::Clock clock_;
  Extent extent_;
  std::optional<harness::Probe> probe_;
};

}  // namespace limits

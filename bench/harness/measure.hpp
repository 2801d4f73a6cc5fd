#pragma once
/// One subject's figure: the median over several starts of the median over many blocks.
///
/// Blocks alone are not enough: which physical pages a subject got decides how its memory shares the caches, and stays
/// as it is until the subject is started anew. So a cell is started several times, and more often while the starts
/// disagree.
#include <harness/percentiles.hpp>
#include <harness/team.hpp>

#include <chrono>
#include <optional>

namespace harness {

/// How long to measure.
struct Pace {
  std::chrono::nanoseconds block = std::chrono::milliseconds(1);  ///< what a block should last
  int blocks = 15;                                                ///< of one start
  int starts = 7;
  int max_starts = 15;
  /// Enough starts when half the distance of their quartiles is within this part of their median.
  double tolerance = 0.02;
  /// Of single operations, as far as max_samples_time allows.
  std::uint64_t least_samples = 0;
  std::chrono::nanoseconds max_samples_time = std::chrono::milliseconds(100);
  /// A team that does not come back for so long has hung.
  std::chrono::seconds patience{20};
};

/// What one operation takes.
struct Figure {
  double nanoseconds = 0;    ///< the median of the starts' medians
  Spread blocks;             ///< over the blocks of all starts
  int blocks_kept = 0;       ///< in the figure
  int blocks_preempted = 0;  ///< another process had a processor: done again, and kept only if too few were not
  std::uint64_t operations_per_block = 0;
  std::uint64_t operations = 0;        ///< that it did in all, with those that were not timed; told by compare() alone
  Percentiles single;                  ///< of single operations, with the clock's cost in each; zero if not sampled
  double processor = 0;                ///< nanoseconds of processor time of all sides per operation
  double switches = 0;                 ///< context switches of all sides per operation
  std::optional<double> system_calls;  ///< of all sides per operation, where they can be counted
};

/// Failures: those of Team.
tenon::Result<Figure> measure(const Subject& subject, const Placement& placement, const Clock& clock,
                              const Pace& pace = {});

/// A team that is warm, and how many operations make a block of the asked length.
struct PacedTeam {
  Team team;
  std::uint64_t operations;
};
tenon::Result<PacedTeam> start_paced(const Subject& subject, const Placement& placement, const Clock& clock,
                                     const Pace& pace);

/// What is seen by looking closely at single operations, over several starts: percentiles, context switches and system
/// calls. Blocks of its own, since it costs time itself.
class Observed {
 public:
  /// One more block, of that team. Failures: those of Team.
  tenon::Result<void> look_at(PacedTeam& paced, const Pace& pace);
  /// Writes what was seen into the figure. There was one look at least.
  void describe(Figure& figure) &&;

 private:
  std::vector<double> samples_;
  std::uint64_t operations_ = 0;
  std::uint64_t switches_ = 0;
  std::optional<std::uint64_t> system_calls_ = 0;
};

/// The blocks of one start. The team is asked up to three times as often as for `wanted` blocks; preempted blocks of an
/// exclusive placement are left out as long as half of `wanted` others are there.
class Blocks {
 public:
  explicit Blocks(int wanted) : wanted_(wanted) {}
  void add(double figure, bool preempted);
  bool enough() const noexcept;
  /// There is at least one.
  const std::vector<double>& kept() const noexcept;
  int preempted() const noexcept { return static_cast<int>(preempted_.size()); }

 private:
  int wanted_;
  std::vector<double> clean_;
  std::vector<double> preempted_;
  std::vector<double> all_;
};

}  // namespace harness

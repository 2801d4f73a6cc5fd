#pragma once
/// A subject beside its physical limit, measured so that what disturbs one disturbs the other too.
///
/// The two alternate in blocks, in an order that is drawn anew for each pair; the figure is the median of the pairs'
/// ratios. So a machine that turns slower half-way, or another process that takes its share, moves both absolute
/// figures and hardly the ratio.
#include <harness/measure.hpp>

#include <cstdint>

namespace harness {

struct PairedFigure {
  Figure limit;  ///< the absolute figures, beside; percentiles where both were started by compare()
  Figure subject;
  Spread ratio;  ///< subject : limit of the time of one operation; 1 is the limit, 2 is twice as slow
  int pairs = 0;
};

struct PairedPace {
  Pace pace = {};
  std::uint64_t seed = 1;  ///< of the order
};

/// Both with the same placement, of which one that has fewer sides takes the first processors. What is compared must be
/// the same work: see payload.hpp. Failures: those of Team.
tenon::Result<PairedFigure> compare(const Subject& limit, const Subject& subject, const Placement& placement,
                                    const Clock& clock, const PairedPace& pace = {});

/// The same pairing over blocks that come from anywhere: each call does one block and returns the nanoseconds of one
/// operation, and whether the block was preempted.
struct TimedBlock {
  double per_operation = 0;
  double processor = 0;  ///< time of it for each operation
  double switches = 0;   ///< likewise
  bool preempted = false;
};
using DoBlock = std::function<tenon::Result<TimedBlock>()>;

/// `pairs` pairs in drawn order. Pairs with a preempted block are done again, as Blocks has it.
class Pairing {
 public:
  Pairing(int pairs, std::uint64_t seed) : wanted_(pairs), seed_(seed) {}
  /// May be called again with freshly started subjects: the pairs add up. Failures: those of the blocks.
  tenon::Result<void> run(const DoBlock& limit, const DoBlock& subject);
  /// There is at least one pair.
  PairedFigure figure() const;

 private:
  int wanted_;
  std::uint64_t seed_;
  int preempted_ = 0;
  std::vector<TimedBlock> limit_blocks_;
  std::vector<TimedBlock> subject_blocks_;
  std::vector<double> ratios_;
};

}  // namespace harness

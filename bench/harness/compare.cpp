#include <harness/compare.hpp>

#include <random>
#include <utility>

namespace harness {

using tenon::fail;
using tenon::Result;

namespace {

struct Pair {
  TimedBlock limit;
  TimedBlock subject;
};

// What switches cost is in the blocks that are timed: those that count system calls take another course.
Figure figure_of(const std::vector<TimedBlock>& blocks, int preempted) {
  std::vector<double> times;
  std::vector<double> processor;
  double switches = 0;
  for (const TimedBlock& block : blocks) {
    times.push_back(block.per_operation);
    processor.push_back(block.processor);
    switches += block.switches;
  }
  Figure figure;
  figure.processor = median_of(std::move(processor));
  figure.switches = switches / static_cast<double>(blocks.size());
  figure.blocks = spread_of(std::move(times));
  figure.nanoseconds = figure.blocks.median;
  figure.blocks_kept = static_cast<int>(blocks.size());
  figure.blocks_preempted = preempted;
  return figure;
}

DoBlock blocks_from(Team& team, std::uint64_t operations, const Pace& pace) {
  return [&team, operations, patience = pace.patience]() -> Result<TimedBlock> {
    auto block = team.run(operations, operations / 4 + 1, Observe::time_alone, tenon::after(patience));
    if (!block) {
      return fail(std::move(block.error()));
    }
    return TimedBlock{
        .per_operation = block->per_operation(),
        .processor = block->counts.processor_nanoseconds / static_cast<double>(block->operations),
        .switches = static_cast<double>(block->counts.voluntary_switches + block->counts.involuntary_switches) /
                    static_cast<double>(block->operations),
        .preempted = team.exclusive() && block->preempted()};
  };
}

// A subject of fewer sides stands on the first of the processors.
Placement for_sides(Placement placement, const Subject& subject) {
  if (placement.processors.size() > subject.sides.size()) {
    placement.processors.resize(subject.sides.size());
  }
  return placement;
}

}  // namespace

Result<void> Pairing::run(const DoBlock& limit, const DoBlock& subject) {
  std::mt19937_64 draw(seed_++);
  std::vector<Pair> clean;
  std::vector<Pair> all;
  while (std::cmp_less(clean.size(), wanted_) && std::cmp_less(all.size(), 3 * wanted_)) {
    const bool limit_first = (draw() & 1) != 0;
    auto first = (limit_first ? limit : subject)();
    if (!first) {
      return fail(std::move(first.error()));
    }
    auto second = (limit_first ? subject : limit)();
    if (!second) {
      return fail(std::move(second.error()));
    }
    const Pair pair = limit_first ? Pair{*first, *second} : Pair{*second, *first};
    all.push_back(pair);
    if (first->preempted || second->preempted) {
      ++preempted_;
    } else {
      clean.push_back(pair);
    }
  }
  for (const Pair& pair : std::cmp_greater_equal(2 * clean.size(), wanted_) ? clean : all) {
    limit_blocks_.push_back(pair.limit);
    subject_blocks_.push_back(pair.subject);
    ratios_.push_back(pair.subject.per_operation / pair.limit.per_operation);
  }
  return {};
}

PairedFigure Pairing::figure() const {
  return {.limit = figure_of(limit_blocks_, preempted_),
          .subject = figure_of(subject_blocks_, preempted_),
          .ratio = spread_of(ratios_),
          .pairs = static_cast<int>(ratios_.size())};
}

Result<PairedFigure> compare(const Subject& limit, const Subject& subject, const Placement& placement,
                             const Clock& clock, const PairedPace& paired) {
  const Pace& pace = paired.pace;
  Pairing pairing(pace.blocks, paired.seed);
  Observed of_limit;
  Observed of_subject;
  std::uint64_t limits_operations = 0;
  std::uint64_t operations = 0;
  for (int i = 0; i < pace.starts; ++i) {
    auto one = start_paced(limit, for_sides(placement, limit), clock, pace);
    if (!one) {
      return fail(std::move(one.error()));
    }
    auto other = start_paced(subject, for_sides(placement, subject), clock, pace);
    if (!other) {
      return fail(std::move(other.error()));
    }
    if (auto done = pairing.run(blocks_from(one->team, one->operations, pace),
                                blocks_from(other->team, other->operations, pace));
        !done) {
      return fail(std::move(done.error()));
    }
    if (auto seen = of_limit.look_at(*one, pace); !seen) {
      return fail(std::move(seen.error()));
    }
    if (auto seen = of_subject.look_at(*other, pace); !seen) {
      return fail(std::move(seen.error()));
    }
    limits_operations += one->team.operations();
    operations += other->team.operations();
  }
  PairedFigure figure = pairing.figure();
  figure.limit.operations = limits_operations;
  figure.subject.operations = operations;
  const double of_limit_blocks = figure.limit.switches;
  const double of_subject_blocks = figure.subject.switches;
  std::move(of_limit).describe(figure.limit);
  std::move(of_subject).describe(figure.subject);
  figure.limit.switches = of_limit_blocks;
  figure.subject.switches = of_subject_blocks;
  return figure;
}

}  // namespace harness

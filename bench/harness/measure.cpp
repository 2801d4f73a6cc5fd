#include <harness/measure.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace harness {

using tenon::fail;
using tenon::Result;

namespace {

std::uint64_t warm_up_for(std::uint64_t operations) { return operations / 4 + 1; }

Result<Blocks> blocks_of(PacedTeam& paced, const Pace& pace) {
  Blocks blocks(pace.blocks);
  while (!blocks.enough()) {
    const std::uint64_t warm_up = warm_up_for(paced.operations);
    auto block = paced.team.run(paced.operations, warm_up, Observe::time_alone, tenon::after(pace.patience));
    if (!block) {
      return fail(std::move(block.error()));
    }
    blocks.add(block->per_operation(), paced.team.exclusive() && block->preempted());
  }
  return blocks;
}

bool agree(const std::vector<double>& starts, const Pace& pace) {
  return spread_of(starts).relative() / 2 <= pace.tolerance;
}

}  // namespace

Result<void> Observed::look_at(PacedTeam& paced, const Pace& pace) {
  const double of_one = static_cast<double>(pace.block.count()) / static_cast<double>(paced.operations);
  const auto affordable = static_cast<std::uint64_t>(static_cast<double>(pace.max_samples_time.count()) / of_one);
  const std::uint64_t operations =
      std::min<std::uint64_t>(std::max(paced.operations, std::min(pace.least_samples, affordable)), Team::max_samples);
  auto block = paced.team.run(operations, warm_up_for(operations), Observe::everything, tenon::after(pace.patience));
  if (!block) {
    return fail(std::move(block.error()));
  }
  samples_.insert(samples_.end(), block->samples.begin(), block->samples.end());
  operations_ += operations;
  switches_ += block->counts.voluntary_switches + block->counts.involuntary_switches;
  const std::optional<std::uint64_t> calls = block->counts.system_calls;
  if (calls && system_calls_) {
    system_calls_ = *system_calls_ + *calls;
  } else {
    system_calls_.reset();
  }
  return {};
}

void Observed::describe(Figure& figure) && {
  const auto operations = static_cast<double>(operations_);
  figure.single = percentiles_of(std::move(samples_));
  figure.switches = static_cast<double>(switches_) / operations;
  if (system_calls_) {
    figure.system_calls = static_cast<double>(*system_calls_) / operations;
  }
}

void Blocks::add(double figure, bool preempted) {
  (preempted ? preempted_ : clean_).push_back(figure);
  all_.push_back(figure);
}

bool Blocks::enough() const noexcept {
  return std::cmp_greater_equal(clean_.size(), wanted_) || std::cmp_greater_equal(all_.size(), 3 * wanted_);
}

const std::vector<double>& Blocks::kept() const noexcept {
  return std::cmp_greater_equal(2 * clean_.size(), wanted_) ? clean_ : all_;
}

namespace {

Result<std::uint64_t> operations_for(Team& team, std::uint64_t lap, const Pace& pace) {
  const double wanted = static_cast<double>(pace.block.count());
  std::uint64_t operations = 1;
  while (true) {
    auto block = team.run(operations, 0, Observe::time_alone, tenon::after(pace.patience));
    if (!block) {
      return fail(std::move(block.error()));
    }
    if (block->nanoseconds >= wanted / 4) {
      const double fitting = std::max(1.0, std::round(wanted / block->per_operation()));
      return static_cast<std::uint64_t>(std::max(fitting, std::min(static_cast<double>(lap), 4 * fitting)));
    }
    operations *= 4;
  }
}

}  // namespace

Result<PacedTeam> start_paced(const Subject& subject, const Placement& placement, const Clock& clock,
                              const Pace& pace) {
  auto team = Team::start(subject, placement, clock, tenon::after(pace.patience));
  if (!team) {
    return fail(std::move(team.error()));
  }
  if (auto settled = team->run(2 * subject.lap, 0, Observe::time_alone, tenon::after(pace.patience)); !settled) {
    return fail(std::move(settled.error()));
  }
  auto operations = operations_for(*team, subject.lap, pace);
  if (!operations) {
    return fail(std::move(operations.error()));
  }
  return PacedTeam{.team = std::move(*team), .operations = *operations};
}

Result<Figure> measure(const Subject& subject, const Placement& placement, const Clock& clock, const Pace& pace) {
  Figure figure;
  Observed seen;
  std::vector<double> starts;
  std::vector<double> all;
  while (std::cmp_less(starts.size(), pace.starts) ||
         (std::cmp_less(starts.size(), pace.max_starts) && !agree(starts, pace))) {
    auto paced = start_paced(subject, placement, clock, pace);
    if (!paced) {
      return fail(std::move(paced.error()));
    }
    auto blocks = blocks_of(*paced, pace);
    if (!blocks) {
      return fail(std::move(blocks.error()));
    }
    if (auto observed = seen.look_at(*paced, pace); !observed) {
      return fail(std::move(observed.error()));
    }
    starts.push_back(median_of(blocks->kept()));
    all.insert(all.end(), blocks->kept().begin(), blocks->kept().end());
    figure.blocks_preempted += blocks->preempted();
    figure.operations_per_block = paced->operations;
  }
  std::move(seen).describe(figure);
  figure.nanoseconds = median_of(starts);
  figure.blocks_kept = static_cast<int>(all.size());
  figure.blocks = spread_of(std::move(all));
  return figure;
}

}  // namespace harness

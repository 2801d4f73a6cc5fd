#include <kit/kill_run.hpp>

#include <map>
#include <random>

namespace kit {

namespace {

// To record a survivor costs as much as many trials, so that each one's recording serves several.
constexpr std::size_t pairs_for_a_victim = 8;
// How often it is tried to bring the victim to its place, for a recording.
constexpr int most_rounds = 4;

Arrival kill_victim(KillRun& run, KillTrial& trial, const Recording& recording, std::size_t i) {
  TracedProcess victim = victim_of(trial);
  return run.kill_at(victim, recording, i);
}

// How a recovery goes depends on the state that it finds: the point of its last change stands for all up to the next.
std::size_t last_change(const Recording& recording, std::size_t i) {
  while (i > 0 && !recording.instructions[i - 1].changed) {
    --i;
  }
  return i;
}

class Recoveries {
 public:
  Recoveries(KillRun& run, const Recording& operation) : run_(run), operation_(operation) {}

  const Recording& after(std::size_t i) {
    const std::size_t state = last_change(operation_, i);
    if (const auto known = known_.find(state); known != known_.end()) {
      return known->second;
    }
    return known_.emplace(state, run_.aside([&] { return record_after(state); })).first->second;
  }

 private:
  Recording record_after(std::size_t state) {
    auto world = run_.trial();
    for (int round = 1; kill_victim(run_, *world, operation_, state) != Arrival::in_place && round < most_rounds;
         ++round) {
      world = run_.trial();
    }
    TracedProcess survivor = survivor_of(*world);
    return record(*world, survivor);
  }

  KillRun& run_;
  const Recording& operation_;
  std::map<std::size_t, Recording> known_;
};

}  // namespace

KillReport kill_during_recovery(const KillCase& which, const KillOptions& options) {
  KillRun run(which, "recovery", options);
  const Recording operation = run.record_operation();
  Recoveries recoveries(run, operation);
  std::mt19937_64 random(options.seed);
  const auto points = operation.points(options.exhaustive, options.stride);
  run.report.points = run.report.wanted = options.samples;
  std::size_t i = 0;
  while (run.report.tried < options.samples && !run.out_of_time()) {
    if (run.report.tried % pairs_for_a_victim == 0) {
      i = points[std::uniform_int_distribution<std::size_t>(0, points.size() - 1)(random)];
    }
    const Recording& recovery = recoveries.after(i);
    const std::size_t j = std::uniform_int_distribution<std::size_t>(0, recovery.instructions.size())(random);
    run.attempt("killed at " + std::to_string(i) + ", its survivor at " + std::to_string(j), [&](KillTrial& trial) {
      if (kill_victim(run, trial, operation, i) == Arrival::elsewhere) {
        return Arrival::elsewhere;
      }
      TracedProcess survivor = survivor_of(trial);
      return run.kill_at(survivor, recovery, j);
    });
  }
  return run.finish();
}

}  // namespace kit

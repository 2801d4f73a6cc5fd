#include <kit/kill_run.hpp>

#include <map>
#include <random>

namespace kit {

namespace {

void kill_victim(KillRun& run, KillTrial& trial, const Recording& recording, std::size_t i) {
  TracedProcess victim = victim_of(trial);
  advance(victim, recording, i);
  run.check_place(victim, recording, i);
  run.kill(victim);
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
    const auto world = run_.trial();
    kill_victim(run_, *world, operation_, state);
    TracedProcess survivor = survivor_of(*world);
    return known_.emplace(state, record(*world, survivor)).first->second;
  }

 private:
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
  const auto points = operation.points(options.exhaustive, 1);
  run.report.points = options.samples;
  while (run.report.tried < options.samples && !run.out_of_time()) {
    const std::size_t i = points[std::uniform_int_distribution<std::size_t>(0, points.size() - 1)(random)];
    const Recording& recovery = recoveries.after(i);
    const std::size_t j = std::uniform_int_distribution<std::size_t>(0, recovery.instructions.size())(random);
    run.attempt("killed at " + std::to_string(i) + ", its survivor at " + std::to_string(j), [&](KillTrial& trial) {
      kill_victim(run, trial, operation, i);
      TracedProcess survivor = survivor_of(trial);
      advance(survivor, recovery, j);
      run.check_place(survivor, recovery, j);
      run.kill(survivor);
      return true;
    });
  }
  return run.finish();
}

}  // namespace kit

#include <kit/kill_run.hpp>

#include <random>

namespace kit {

namespace {

using State = TracedProcess::State;

constexpr std::size_t whole = SIZE_MAX;
// How long a rival is given to show that it has to wait.
constexpr Duration rival_patience{20};

TracedProcess rival_of(KillTrial& trial) {
  return TracedProcess([&] { trial.before(); }, [&] { trial.rival(); });
}

// Both at once have the limit, then each must be at its end.
bool both_end(TracedProcess& first, TracedProcess& rival, Duration limit) {
  if (first.run_to_end(rival_patience) != State::finished) {
    rival.wait_for_end(limit);
    first.wait_for_end(limit);
  }
  rival.wait_for_end(limit);
  return first.state() == State::finished && rival.state() == State::finished;
}

// With the kills out: one after the other.
Arrival in_peace(TracedProcess& first, TracedProcess& rival, Duration limit) {
  const bool over = first.run_to_end(limit) == State::finished && rival.run_to_end(limit) == State::finished;
  return over ? Arrival::in_place : Arrival::hung;
}

void preempt(KillRun& run, const Recording& recording, std::size_t i, std::size_t j) {
  const std::string where =
      "stopped at instruction " + std::to_string(i) + (j == whole ? "" : ", its rival at " + std::to_string(j));
  run.attempt(where, [&](KillTrial& trial) {
    TracedProcess first = victim_of(trial);
    const Duration limit = run.options().hang_limit;
    if (!run.options().kills) {
      TracedProcess rival = rival_of(trial);
      return in_peace(first, rival, limit);
    }
    // What the rival prepares must not change the first one's path: it begins when the first stands still.
    const Arrival arrival = KillRun::bring(first, recording, i);
    TracedProcess rival = rival_of(trial);
    if (j == whole) {
      rival.run_to_end(trial.rival_may_wait() ? rival_patience : limit);
    } else {
      rival.step_over(j);
    }
    if (first.state() == State::dead || rival.state() == State::dead) {
      run.add_broken(where + ": one of them died of it");
      return arrival;
    }
    const bool waits = rival.state() == State::asleep;
    const bool go_on = (!waits || trial.rival_may_wait()) && both_end(first, rival, limit);
    return go_on ? arrival : Arrival::hung;
  });
}

}  // namespace

KillReport preempt_everywhere(const KillCase& which, const KillOptions& options) {
  KillRun run(which, "preempt", options);
  const Recording recording = run.record_operation();
  for (const std::size_t i : run.drawn(recording.points(options.exhaustive, options.stride))) {
    if (run.out_of_time()) {
      break;
    }
    preempt(run, recording, i, whole);
  }
  return run.finish();
}

KillReport preempt_pairs(const KillCase& which, const KillOptions& options) {
  KillRun run(which, "preempt", options);
  const Recording recording = run.record_operation();
  std::mt19937_64 random(options.seed);
  std::uniform_int_distribution<std::size_t> any(0, recording.instructions.size());
  run.report.points = run.report.wanted = options.samples;
  while (run.report.tried < options.samples && !run.out_of_time()) {
    const std::size_t i = any(random);
    preempt(run, recording, i, any(random));
  }
  return run.finish();
}

}  // namespace kit

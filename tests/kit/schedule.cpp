#include <kit/schedule.hpp>

#include <tenon/base/contract.hpp>

#include <stdexcept>

namespace kit {

namespace {

Choices choices_for(const ScheduleOptions& options) {
  if (!options.replay.empty()) {
    auto choices = Choices::replay(options.replay);
    tenon::expects(choices.has_value(), "a schedule to replay is one that a report printed");
    return std::move(*choices);
  }
  if (options.random_runs > 0) {
    return Choices::random(options.seed);
  }
  return Choices::exhaustive({.preemptions = options.preemptions, .stale_reads = options.stale_reads});
}

// The failure, or "".
std::string run_once(const Scenario& scenario, Choices& choices, std::size_t most_yields) {
  ScheduleRun run(choices, most_yields);
  run.run(scenario.threads);
  if (run.failure().empty()) {
    try {
      scenario.at_end();
    } catch (const std::exception& error) {
      return error.what();
    }
  }
  return run.failure();
}

}  // namespace

void yield() {
  if (ScheduleRun* run = ScheduleRun::current()) {
    run->yield();
  }
}

void require(bool holds, const char* sentence) {
  if (!holds) {
    throw std::runtime_error(sentence);
  }
}

std::string ScheduleReport::message() const {
  const std::string runs_text =
      std::to_string(runs) + (exhaustive ? " schedules, all within the budget" : " schedules");
  return passed() ? runs_text : failure + "; replay \"" + schedule + "\"; after " + runs_text;
}

ScheduleReport explore(const std::function<Scenario()>& make, const ScheduleOptions& options) {
  ScheduleReport report;
  Choices choices = choices_for(options);
  const std::size_t most = !options.replay.empty()   ? 1
                           : options.random_runs > 0 ? options.random_runs
                                                     : options.most_runs;
  while (report.runs < most) {
    ++report.runs;
    const Scenario scenario = make();
    report.failure = run_once(scenario, choices, options.most_yields);
    if (!report.passed()) {
      report.schedule = choices.text();
      return report;
    }
    if (!choices.next()) {
      report.exhaustive = options.replay.empty();
      return report;
    }
  }
  return report;
}

}  // namespace kit

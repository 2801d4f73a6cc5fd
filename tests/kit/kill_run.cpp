#include <kit/kill_run.hpp>

#include <kit/guarded_run.hpp>
#include <kit/steady.hpp>
#include <tenon/os/clock.hpp>

#include <algorithm>
#include <random>

namespace kit {

using State = TracedProcess::State;
using Clock = std::chrono::steady_clock;

namespace {

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr std::size_t most_stories = 8;
// How often a point is tried until a process comes to it.
constexpr int most_rounds = 4;
// How many times as long the survivor may take whose trial is tried once more.
constexpr int more_patience = 5;

// The first reading is a real one, whose path is another when the kernel sets the clock meanwhile.
void steady_process(const KillTrial& trial, unsigned number) {
  wants_steady_random = number;
  wants_steady_clock = trial.wants_steady_clock();
  (void)tenon::monotonic_now();
  (void)tenon::realtime_now();
}

}  // namespace

TracedProcess victim_of(KillTrial& trial) {
  return TracedProcess(
      [&] {
        steady_process(trial, 1);
        trial.before();
      },
      [&] { trial.operation(); });
}

TracedProcess survivor_of(KillTrial& trial) {
  return TracedProcess([&] { steady_process(trial, 2); }, [&] { trial.survive(); });
}

KillRun::KillRun(const KillCase& which, const char* mode, const KillOptions& options)
    : case_(which), options_(options), start_(Clock::now()) {
  report.operation = which.name;
  report.mode = mode;
  report.control = which.control;
  report.seed = options.seed;
}

bool KillRun::out_of_time() const { return options_.seconds > 0 && seconds_since(start_) - aside_ > options_.seconds; }

Recording record_operation(const KillCase& which) {
  const auto world = which.make();
  TracedProcess process = victim_of(*world);
  return record(*world, process);
}

Recording KillRun::aside(const std::function<Recording()>& recording) {
  const Clock::time_point begun = Clock::now();
  Recording made = recording();
  aside_ += seconds_since(begun);
  return made;
}

Recording KillRun::record_operation() {
  Recording recording =
      options_.recording != nullptr ? *options_.recording : aside([&] { return kit::record_operation(case_); });
  report.instructions = recording.instructions.size();
  report.states = recording.states;
  if (recording.died) {
    add_broken("the operation does not survive being watched");
  }
  return recording;
}

// In their own order a run that ends early would never come to the last of them.
std::vector<std::size_t> KillRun::drawn(std::vector<std::size_t> points) {
  std::mt19937_64 random(options_.seed);
  std::ranges::shuffle(points, random);
  report.points = points.size();
  points.resize(std::min(points.size(), options_.most_points));
  report.wanted = points.size();
  return points;
}

void KillRun::attempt(const std::string& where, const std::function<Arrival(KillTrial&)>& until_judgement) {
  ++report.tried;
  std::size_t hangs = 0;
  for (int round = 0; round < most_rounds && hangs < 2; ++round) {
    const auto world = trial();
    killed_now_ = 0;
    const Arrival arrival = until_judgement(*world);
    if (arrival == Arrival::hung || !judge(*world, where, hangs == 0 ? 1 : more_patience)) {
      ++hangs;
    } else if (arrival == Arrival::in_place) {
      report.late += hangs;
      report.killed += killed_now_;
      report.struck += options_.kills;
      return;
    }
  }
  if (hangs == 2) {
    add_hang(where + ": hangs");
  } else {
    ++report.ended_early;
  }
}

Arrival KillRun::bring(TracedProcess& process, const Recording& recording, std::size_t k) {
  const State state = advance(process, recording, k);
  const State last = recording.sleeps ? State::asleep : State::finished;
  const State wanted = k < recording.instructions.size() ? State::stopped : last;
  const bool there = state == wanted && (state != State::stopped || recording.agrees(k, process.instruction_pointer()));
  return there ? Arrival::in_place : Arrival::elsewhere;
}

Arrival KillRun::kill_at(TracedProcess& process, const Recording& recording, std::size_t k) {
  const Arrival arrival = bring(process, recording, k);
  if (!options_.kills) {
    process.wait_for_end(options_.hang_limit);
  } else if (process.kill() && arrival == Arrival::in_place) {
    ++killed_now_;
  }
  return arrival;
}

bool KillRun::judge(KillTrial& trial, const std::string& where, int patience) {
  const GuardedRun run = run_guarded([&] { trial.survive(); }, options_.hang_limit * patience);
  if (run.end == GuardedRun::End::hung) {
    return false;
  }
  if (run.end == GuardedRun::End::failed) {
    add_broken(where + ": " + run.story);
    return true;
  }
  for (const std::string& story : trial.broken()) {
    add_broken(where + ": " + story);
  }
  for (const std::string& line : trial.leaked()) {
    ++report.leaks;
    add_story(where + ": left behind: " + line);
  }
  return true;
}

void KillRun::add_story(const std::string& story) {
  if (report.stories.size() < most_stories) {
    report.stories.push_back(story);
  }
}

void KillRun::add_hang(const std::string& story) {
  ++report.hangs;
  add_story(story);
}

void KillRun::add_broken(const std::string& story) {
  ++report.broken;
  add_story(story);
}

KillReport KillRun::finish() {
  report.seconds = seconds_since(start_);
  return std::move(report);
}

}  // namespace kit

#include <kit/kill_run.hpp>

#include <kit/guarded_run.hpp>

namespace kit {

using State = TracedProcess::State;
using Clock = std::chrono::steady_clock;

namespace {

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr std::size_t most_stories = 8;

}  // namespace

TracedProcess victim_of(KillTrial& trial) {
  return TracedProcess([&] { trial.before(); }, [&] { trial.operation(); });
}

TracedProcess survivor_of(KillTrial& trial) {
  return TracedProcess([] {}, [&] { trial.survive(); });
}

KillRun::KillRun(const KillCase& which, const char* mode, const KillOptions& options)
    : case_(which), options_(options), start_(Clock::now()) {
  report.operation = which.name;
  report.mode = mode;
  report.control = which.control;
  report.seed = options.seed;
}

bool KillRun::out_of_time() const { return options_.seconds > 0 && seconds_since(start_) > options_.seconds; }

Recording KillRun::record_operation() {
  const auto world = trial();
  TracedProcess process = victim_of(*world);
  Recording recording = record(*world, process);
  report.instructions = recording.instructions.size();
  report.states = recording.states;
  if (process.state() == State::dead) {
    add_broken("the operation does not survive being watched");
  }
  return recording;
}

void KillRun::attempt(const std::string& where, const std::function<bool(KillTrial&)>& until_judgement) {
  ++report.tried;
  for (int round = 0; round < 2; ++round) {
    const auto world = trial();
    if (until_judgement(*world) && judge(*world, where)) {
      report.late += round == 1;
      return;
    }
  }
  add_hang(where + ": hangs");
}

void KillRun::kill(TracedProcess& process) {
  if (options_.kills) {
    report.killed += process.kill();
  } else {
    process.wait_for_end(options_.hang_limit);
  }
}

void KillRun::check_place(const TracedProcess& process, const Recording& recording, std::size_t k) {
  const bool at_its_end = k == recording.instructions.size() && process.state() != State::stopped;
  const bool there = process.state() == State::stopped && recording.agrees(k, process.instruction_pointer());
  report.ended_early += !at_its_end && !there;
}

bool KillRun::judge(KillTrial& trial, const std::string& where) {
  const GuardedRun run = run_guarded([&] { trial.survive(); }, options_.hang_limit);
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

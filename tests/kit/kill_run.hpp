#pragma once
/// What all ways of killing have in common: the report in the making, the clock, and the judgement after a trial.
#include <kit/kill_harness.hpp>
#include <kit/kill_recording.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace kit {

/// The two processes of a trial. All victims are started in this one place, so that they take the same path to the
/// first instruction that counts.
TracedProcess victim_of(KillTrial& trial);
TracedProcess survivor_of(KillTrial& trial);

class KillRun {
 public:
  KillRun(const KillCase& which, const char* mode, const KillOptions& options);

  KillReport report;

  std::unique_ptr<KillTrial> trial() const { return case_.make(); }
  const KillOptions& options() const noexcept { return options_; }
  bool out_of_time() const;

  /// Records the operation once, in a trial of its own.
  Recording record_operation();

  /// Does one trial and judges it. `until_judgement` brings the trial to where a survivor goes on; it may itself
  /// find a hang, and says so. What hangs is tried once more from the start: only what hangs again counts, since a busy
  /// machine is late, too, but not at the same place. `where` opens the story of a finding.
  void attempt(const std::string& where, const std::function<bool(KillTrial&)>& until_judgement);

  /// Kills the process, if kills are on, and counts it.
  void kill(TracedProcess& process);
  /// Notes whether a process is where the recording says, at point k.
  void check_place(const TracedProcess& process, const Recording& recording, std::size_t k);

  void add_broken(const std::string& story);
  /// Survivor, then invariants and leaks. False if the survivor hung.
  bool judge(KillTrial& trial, const std::string& where);
  void add_hang(const std::string& story);

  KillReport finish();

 private:
  void add_story(const std::string& story);

  const KillCase& case_;
  KillOptions options_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace kit

#pragma once
/// What all ways of killing have in common: the report in the making, the clock, and the judgement after a trial.
#include <kit/kill_harness.hpp>
#include <kit/kill_recording.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace kit {

/// The two processes of a trial. All victims are started in this one place, so that they take the same path to the
/// first instruction that counts.
TracedProcess victim_of(KillTrial& trial);
TracedProcess survivor_of(KillTrial& trial);

/// How a trial came to where a survivor goes on.
enum class Arrival : std::uint8_t {
  in_place,   ///< each process was where it was wanted
  elsewhere,  ///< one took another path than in its recording, or was late or over
  hung,
};

class KillRun {
 public:
  KillRun(const KillCase& which, const char* mode, const KillOptions& options);

  KillReport report;

  std::unique_ptr<KillTrial> trial() const { return case_.make(); }
  const KillOptions& options() const noexcept { return options_; }
  bool out_of_time() const;

  /// The operation's: that of the options, or one that is made now. Call it once.
  Recording record_operation();
  /// The time that `recording` takes is not that of the trials.
  Recording aside(const std::function<Recording()>& recording);
  /// `points` in an order that the seed draws, as many of them as the options want.
  std::vector<std::size_t> drawn(std::vector<std::size_t> points);

  /// Does one trial and judges it. `until_judgement` brings the trial to where a survivor goes on. What hangs is tried
  /// once more from the start, with more patience: only what hangs again counts, since a busy machine is late, too, but
  /// not at the same place. So is what did not come to its place. `where` opens the story of a finding.
  void attempt(const std::string& where, const std::function<Arrival(KillTrial&)>& until_judgement);

  /// Brings a process that stands at instruction 0 to point k.
  static Arrival bring(TracedProcess& process, const Recording& recording, std::size_t k);
  /// The same, and kills it there; with the kills out it goes on to its end.
  Arrival kill_at(TracedProcess& process, const Recording& recording, std::size_t k);

  void add_broken(const std::string& story);
  /// Survivor, then invariants and leaks. False if the survivor hung.
  bool judge(KillTrial& trial, const std::string& where, int patience = 1);
  void add_hang(const std::string& story);

  KillReport finish();

 private:
  void add_story(const std::string& story);

  const KillCase& case_;
  KillOptions options_;
  std::chrono::steady_clock::time_point start_;
  double aside_ = 0;
  std::size_t killed_now_ = 0;
};

}  // namespace kit

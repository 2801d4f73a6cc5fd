#pragma once
/// The kill harness: a process dies, or stands still, at every place of an operation, and the others go on.
///
/// Each function takes a case (kit/kill_case.hpp) and returns a report (kit/kill_report.hpp). The process that calls
/// them must have one thread, since it forks for each trial.
#include <kit/kill_case.hpp>
#include <kit/kill_recording.hpp>
#include <kit/kill_report.hpp>
#include <kit/patience.hpp>

#include <cstddef>
#include <cstdint>

namespace kit {

struct KillOptions {
  /// Every instruction is a point up to this one; beyond it those that changed the state, and both sides of each
  /// system call.
  std::size_t exhaustive = 2000;
  /// Of the instructions that neither change the state nor adjoin a system call, only every stride-th is a point.
  std::size_t stride = 1;
  /// Of the points that are left, so many are drawn.
  std::size_t most_points = SIZE_MAX;
  /// How many pairs, schedules or random kills, where these are sampled.
  std::size_t samples = 1000;
  /// How many processes a soak has.
  std::size_t processes = 8;
  /// Ends the trials early; 0: never. Recordings come on top. What is tried first is drawn, and a run that has tried
  /// less than a quarter of what it should proves nothing.
  double seconds = 0;
  std::uint64_t seed = 1;
  /// How long a survivor may take; stretched by slowness().
  Duration hang_limit{100};
  /// False takes the kills out, and the stops and copies: the operation ends in peace. A run like that must not count
  /// as a proof.
  bool kills = true;
  /// That of the operation, where several ways share it; else each makes its own.
  const Recording* recording = nullptr;
};

/// Steps through the operation once.
Recording record_operation(const KillCase& which);

/// The victim is killed at each point; then a survivor goes on, and the invariants are looked at.
KillReport kill_everywhere(const KillCase& which, const KillOptions& options = {});

/// The first process is stopped at a point, the rival runs its operation whole, the first goes on to its end.
KillReport preempt_everywhere(const KillCase& which, const KillOptions& options = {});
/// As above, but the rival too stops at a point until the first has ended; `samples` pairs of points.
KillReport preempt_pairs(const KillCase& which, const KillOptions& options = {});

/// After each instruction that changed the segment, it is copied, and a fresh process recovers from the copy.
KillReport recover_copies(const KillCase& which, const KillOptions& options = {});

/// The victim is killed at a point, its survivor at a point too, and a third process goes on; `samples` pairs, of which
/// eight each share the victim's point, since the survivor is recorded for it.
KillReport kill_during_recovery(const KillCase& which, const KillOptions& options = {});

/// `processes` processes repeat the operation; one of them is killed at a random moment and replaced, `samples` times.
/// Every 256 kills all are killed at once, a survivor goes on alone, and the invariants are looked at.
KillReport soak(const KillCase& which, const KillOptions& options = {});

}  // namespace kit

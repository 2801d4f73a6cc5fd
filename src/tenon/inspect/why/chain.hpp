#pragma once
/// Why a process does not go on: from its wait to who could end it, to what that one waits for, and so on.
///
/// A wait is hopeless if nobody who could end it will ever act: each is dead, stopped, or in a hopeless wait itself.
/// What is left when all others have been taken away is what a deadlock is in a system where any one of several may
/// help. Anything unknown counts as able to help: nobody is accused for what could not be seen.
#include <tenon/inspect/snapshot.hpp>
#include <tenon/inspect/why/rescue.hpp>

#include <optional>
#include <vector>

namespace tenon::inspect {

/// How a chain ends.
enum class Ending : std::uint8_t {
  runs,     ///< at a process that runs, or sleeps for reasons of its own
  idle,     ///< at one that waits for whoever comes, for input from elsewhere, or for a deadline
  unseen,   ///< where it cannot be told
  dead,     ///< at an owner that is dead
  stopped,  ///< at a process that a signal or a debugger has stopped
  circle,   ///< where it began, or somewhere on the way
  nobody,   ///< at a thing that nobody can change
};
/// "runs", "idle", …
std::string_view name_of(Ending ending) noexcept;
/// Whether nothing will go on until somebody interferes.
constexpr bool is_stuck(Ending ending) noexcept { return ending >= Ending::dead; }

/// One wait of a chain, and who could end it.
struct Link {
  std::size_t wait;              ///< in Snapshot::waits
  std::vector<Rescuer> helpers;  ///< all of them
  Outside outside;
  std::optional<std::size_t> next;  ///< of `helpers`: the one that the chain goes on with, or ends at
};

struct Chain {
  std::vector<Link> links = {};  ///< empty for a process that waits for nothing
  Ending ending;
  pid_t last = 0;           ///< the process at its end: who runs, is dead, or is stopped; 0: none
  std::size_t back_to = 0;  ///< of a circle: the link to which the last one leads back
};

class Chains {
 public:
  /// The snapshot, taken with `waits`, is to outlive it.
  explicit Chains(const Snapshot& all);

  /// One for each thread of the process that waits, those that are stuck first.
  std::vector<Chain> of(pid_t pid) const;
  /// All that are stuck, each from its farthest beginning; of a circle, one.
  std::vector<Chain> stuck() const;

 private:
  bool can_act(const Wait& waiting, const Rescuer& helper) const;
  bool can_act(const Wait& waiting, pid_t pid) const;
  bool is_stopped(pid_t pid) const;
  std::vector<std::size_t> waits_behind(std::size_t waiting, const Rescuer& helper) const;
  std::optional<std::size_t> wait_behind(std::size_t waiting, const Rescuer& helper, const Chain& so_far) const;
  Chain chain_from(std::size_t wait) const;
  bool end_hopeless(Chain& chain) const;
  bool end_hopeful(Chain& chain) const;

  const Snapshot& all_;
  std::vector<Rescue> rescues_;  // one for each wait
  std::vector<bool> hopeless_;
};

}  // namespace tenon::inspect

#pragma once
/// Why a process does not go on: from its wait to who could end it, to what that one waits for, and so on.
///
/// Whether a wait has an end is told by prospects.hpp; a chain says how that comes. It leads to whoever is dead or
/// stopped, or to what nobody serves, wherever that can be reached, and else into a circle.
#include <tenon/inspect/snapshot.hpp>
#include <tenon/inspect/why/prospects.hpp>
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
  nobody,   ///< at a thing that nobody can change, or which all who could wait for as well
};
/// "runs", "idle", …
std::string_view name_of(Ending ending) noexcept;
/// Whether nothing will go on until somebody interferes, as far as is known.
constexpr bool is_stuck(Ending ending) noexcept { return ending >= Ending::dead; }

/// One wait of a chain, and who could end it.
struct Link {
  std::size_t wait;              ///< in Snapshot::waits
  std::vector<Rescuer> helpers;  ///< all of them
  Outside outside;
  Others others;
  std::optional<std::size_t> next = {};  ///< of `helpers`: the one that the chain goes on with, or ends at
};

struct Chain {
  std::vector<Link> links = {};  ///< empty for a process that waits for nothing
  Ending ending;
  Plight plight = Plight::none;  ///< of its first wait
  pid_t last = 0;                ///< the process at its end: who runs, is dead, or is stopped; 0: none
  std::size_t back_to = 0;       ///< of a circle: the link to which the last one leads back
};

class Chains {
 public:
  /// The snapshot, taken with `waits`, is to outlive it.
  explicit Chains(const Snapshot& all);

  /// One for each thread of the process that waits, those that are stuck first.
  std::vector<Chain> of(pid_t pid) const;
  /// All that are stuck or possibly so, each from its farthest beginning; of a circle, one.
  std::vector<Chain> stuck() const;
  /// How many helpers have been looked at so far: what it costs.
  std::size_t looks() const noexcept { return looks_ + prospects_.looks(); }

 private:
  struct Step {
    std::size_t helper;  // of the rescue of a wait
    std::size_t to;      // the wait behind
  };
  using Path = std::vector<Step>;

  bool is_told(std::size_t wait) const { return prospects_.of(wait) != Plight::none; }
  std::vector<Step> steps_from(std::size_t wait) const;
  bool is_fellow(std::size_t wait, std::size_t other) const;
  std::optional<std::size_t> which(std::size_t wait, Ending ending) const;
  std::optional<Ending> end_at(std::size_t wait) const;
  Chain chain_from(std::size_t start) const;
  std::optional<Chain> shortest_from(std::size_t start) const;
  Chain circle_from(std::size_t start) const;
  Chain hopeful_from(std::size_t start) const;
  Chain along(std::size_t start, const Path& path) const;
  std::vector<std::size_t> beginnings() const;

  const Snapshot& all_;
  std::vector<Rescue> rescues_;  // one for each wait
  Prospects prospects_;
  mutable std::size_t looks_ = 0;
};

}  // namespace tenon::inspect

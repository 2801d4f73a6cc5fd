#pragma once
/// Which waits have no end, and how sure that is.
///
/// A wait is hopeless if nobody who could end it will ever act: each is dead, stopped, or in a hopeless wait itself.
/// What is left when all others have been taken away is what a deadlock is in a system where any one of several may
/// help. Anything unknown counts as able to help.
///
/// That is asked three times. *Stuck* is what is left when all who might be there besides count as able. Where they
/// count for nothing, more is left, and some of that is how servers rest: each waits for the message of another. So of
/// that only such is *possibly* stuck as has a cause: it leads to one that is dead or stopped or that nobody serves, or
/// to a wait that is stuck but for processes that may not be looked at, or into a circle in which somebody has what
/// another wants.
#include <tenon/inspect/why/held.hpp>

#include <string_view>

namespace tenon::inspect {

enum class Plight : std::uint8_t { none, possibly, stuck };
/// "none", "possibly", "stuck"
std::string_view name_of(Plight plight) noexcept;

class Prospects {
 public:
  /// `rescues`: one for each wait of the snapshot, which was taken with `waits`. Both are to outlive it.
  Prospects(const Snapshot& all, std::span<const Rescue> rescues);

  Plight of(std::size_t wait) const noexcept;
  /// Whether a helper could end that wait, where all that is stuck or possibly stuck stays so.
  bool can_act(std::size_t waiting, const Rescuer& helper) const { return told_.can_act(waiting, helper); }
  /// How many helpers were looked at.
  std::size_t looks() const noexcept { return looks_; }

 private:
  enum class Doubt : std::uint8_t { none, unseen, any };  // which others count for nothing
  std::vector<bool> hopeless(Doubt doubt);
  std::vector<bool> what_stays(std::vector<bool> waits);
  std::vector<bool> causes(const std::vector<bool>& hopeless) const;
  std::vector<bool> with_cause(const std::vector<bool>& hopeless) const;
  bool is_stopped_or_dead(const Rescuer& helper) const;

  const Snapshot& all_;
  std::span<const Rescue> rescues_;
  std::size_t looks_ = 0;
  std::vector<bool> stuck_;
  std::vector<bool> but_for_unseen_;
  Held told_;
};

}  // namespace tenon::inspect

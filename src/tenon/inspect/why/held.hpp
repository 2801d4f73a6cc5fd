#pragma once
/// A set of waits that are taken to have no end, and which processes and threads can act if that is so.
#include <tenon/inspect/snapshot.hpp>
#include <tenon/inspect/why/rescue.hpp>

#include <algorithm>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

namespace tenon::inspect {

class Held {
 public:
  /// `waits`: for each of the snapshot whether it is in the set. Both, and `rescues`, are to outlive it.
  Held(const Snapshot& all, std::span<const Rescue> rescues, std::vector<bool> waits);

  /// Takes out all that somebody can end, and what those can end who are let go by that. Each helper is looked at once
  /// or twice, however many wait for one another.
  void release_what_can_go();

  bool operator[](std::size_t wait) const noexcept { return held_[wait]; }
  const std::vector<bool>& waits() const noexcept { return held_; }
  /// Whether he could end that wait: he lives, is not stopped, and has a thread that is not held. A thread does not
  /// help itself.
  bool can_act(std::size_t waiting, const Rescuer& helper) const;
  /// How many helpers were looked at.
  std::size_t looks() const noexcept { return looks_; }

 private:
  struct Busy {
    std::size_t threads = 0;  // in waits of the set
    std::size_t unknown = 0;  // waits of which it is not known whose they are
  };

  bool has_free_thread(pid_t pid, std::size_t besides) const;
  bool is_helped(std::size_t wait) const;
  void release(std::size_t wait);

  const Snapshot& all_;
  std::span<const Rescue> rescues_;
  std::vector<bool> held_;
  std::unordered_map<pid_t, Busy> busy_;
  std::set<pid_t> free_threads_;                                           // that wait, and are not held
  std::unordered_map<pid_t, std::vector<std::size_t>> dependents_;         // on any thread of a process
  std::unordered_map<pid_t, std::vector<std::size_t>> thread_dependents_;  // on that one
  std::vector<std::size_t> again_;                                         // to be looked at
  mutable std::size_t looks_ = 0;
};

/// Hands on the waits of those threads of a helper that could help, but wait. Whose wait it is does not help itself,
/// unless he is named as the owner.
template <class Each>
void each_wait_behind(const Snapshot& all, std::size_t waiting, const Rescuer& helper, Each each) {
  const auto [first, last] = std::ranges::equal_range(all.waits, helper.pid, {}, &Wait::pid);
  for (auto wait = first; wait != last; ++wait) {
    const auto at = static_cast<std::size_t>(wait - all.waits.begin());
    if (helper.thread == 0 ? at != waiting : wait->thread == helper.thread) {
      each(at);
    }
  }
}

}  // namespace tenon::inspect

#pragma once
/// The members that a Roster knows, and how they come and go. Asks and keeps account; waits for nothing.
///
/// A member goes only when its lock or its name is seen to be gone. Who cannot be asked, for want of descriptors say,
/// is kept and asked again.
///
/// Threads: one at a time.
#include <tenon/os/life_ends.hpp>
#include <tenon/os/life_events.hpp>
#include <tenon/os/life_peer.hpp>

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace tenon {

/// A member joined (alive), left, died, or went in a way that does not tell which (absent): swept up by another after a
/// death without an event, or its file was removed from outside. Nobody who goes is said to be alive.
struct Change {
  Member who;
  Standing now;
};

class LifeKnown {
 public:
  /// Nobody, of the domain with this directory.
  explicit LifeKnown(Fd directory) noexcept : directory_(std::move(directory)) {}

  /// Before the first is known, where no events will tell: keeps each one's file open from now on, and is told by
  /// pidfds. Failures: limit_reached (descriptors).
  Result<void> do_without_events();

  FdView directory() const noexcept { return directory_.view(); }
  /// Readable when take_ends() has something to do. Only without events.
  FdView ends() const noexcept { return ends_->fd(); }

  void take_event(const LifeEvent& event);
  void take_ends();

  /// Asks all who are known, and meets all who are not. Outcomes: not_found (the directory was removed). Failures:
  /// limit_reached (descriptors); then only some were met, and one looks again.
  Result<void> look_at_directory();
  /// Asks those of whom nothing tells: the watched, who could not be asked, and without events some more in turn.
  void look_at_members();

  /// look_at_members() asks this one too, from now on. Costs a descriptor. Outcomes: not_found.
  Result<void> watch(Token token);

  /// Whether look_at_members() has anybody to ask.
  bool has_to_look() const noexcept { return ends_ || !watched_.empty() || !doubted_.empty(); }
  bool is_empty() const noexcept { return known_.empty(); }
  std::vector<Member> members() const;

  bool has_changed() const noexcept { return !found_.empty(); }
  /// What has been found since the last call, in order.
  std::vector<Change> take_changes() noexcept { return std::exchange(found_, {}); }

 private:
  struct Known {
    LifeName name;
    std::optional<Peer> peer = {};  ///< of the watched, and of all without events
  };
  using Place = std::map<Token, Known>::iterator;

  void enter(Known known);
  Result<void> enter_if_alive(const LifeName& name);
  Place part(Place place, Standing how);
  Place look_at(Place place, Standing if_nameless);

  Fd directory_;
  std::optional<LifeEnds> ends_ = {};
  std::map<Token, Known> known_ = {};
  std::vector<Change> found_ = {};
  std::set<Token> watched_ = {};
  std::set<Token> doubted_ = {};  // asked in vain
  Token looked_at_ = nobody;
};

}  // namespace tenon

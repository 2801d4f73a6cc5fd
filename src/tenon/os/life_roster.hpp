#pragma once
/// Who is in a domain, and who comes and goes. inotify(7), epoll(7)
///
/// One inotify instance tells of joins, leaves and deaths as they happen; a process needs one Roster for each domain.
/// Where the user's instances are used up (fs.inotify.max_user_instances), or /proc is missing, the Roster looks by
/// itself every 50 ms, and says so: notice(). It then sees joins and leaves at the next look; deaths at once where a
/// pidfd can tell of them (the same PID namespace), else, and after an exec, after at most one look for every 4
/// members.
///
/// A child that was made by the bare clone(2) and keeps its dead parent's file holds the event back. watch() has chosen
/// members looked at every 50 ms as well, which nothing holds back.
///
/// Threads: one at a time. After fork(), the child's copy answers in_child: both would take each other's events.
#include <tenon/base/deadline.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/life_events.hpp>
#include <tenon/os/life_peer.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <sys/types.h>
#include <vector>

namespace tenon {

/// A member joined (alive), left, died, or went in a way that does not tell which (absent): swept up by another after a
/// death without an event, or its file was removed from outside.
struct Change {
  Member who;
  Standing now;
};

class Roster {
 public:
  /// Those alive now are its members from the start. Failures: limit_reached (descriptors), not_found (the directory
  /// was removed), permission_denied.
  static Result<Roster> open(const Domain& domain);

  /// Readable when changes() may have something to tell.
  FdView fd() const noexcept { return ready_.view(); }

  /// What has happened since the last call, in order; empty if nothing has. Never waits.
  /// Outcomes: not_found (the directory was removed). Failures: in_child, limit_reached (descriptors).
  Result<std::vector<Change>> changes();
  /// Waits until something has happened. Outcomes: timed_out, stopped, not_found. Failures: as changes().
  Result<std::vector<Change>> wait(Deadline deadline);

  /// From now on also looks at this member itself, every 50 ms. Costs a descriptor. Outcomes: not_found.
  Result<void> watch(Token token);

  /// The living, by token.
  std::vector<Member> members() const;
  /// Why it has to look by itself, with the limit and the remedy; nullptr if the kernel tells it.
  const Error* notice() const noexcept { return notice_ ? &*notice_ : nullptr; }

 private:
  struct Known {
    LifeName name;
    std::optional<Peer> peer = {};  ///< of the chosen, and of all where it has to look by itself
    Fd pidfd = Fd::adopt(-1);
  };
  using Changes = std::vector<Change>;
  using Place = std::map<Token, Known>::iterator;

  Roster(Fd directory, Fd ready, Fd ticks);
  Result<void> start();
  Result<void> tick_if_needed();
  Result<void> take_events(LifeEvents& events, Changes& changes);
  Result<void> take_event(const LifeEvent& event, Changes& changes);
  Result<void> meet(const LifeName& name, Changes& changes);
  Fd pidfd_of(const Member& who, const Peer& peer) const;
  Place part(Place place, Standing how, Changes& changes);
  Result<void> look_at_directory(Changes& changes);
  Result<void> look(Changes& changes);
  Result<void> take_ends(Changes& changes);
  void look_at_members(Changes& changes);
  Place look_at(Place place, Changes& changes);
  Result<bool> check_directory();

  Fd directory_;
  Fd ready_;                 // an epoll of the timer, and of either inotify or the pidfds
  Fd ticks_;                 // a timer, which runs while there is something to look at
  Fd ends_ = Fd::adopt(-1);  // an epoll of the pidfds, where there is no inotify
  std::optional<LifeEvents> events_ = {};
  std::optional<Error> notice_ = {};
  std::map<Token, Known> known_ = {};
  bool ticking_ = false;
  std::set<Token> chosen_ = {};
  Token looked_at_ = nobody;
  std::int64_t directory_time_ = 0;
  pid_t opener_;
};

}  // namespace tenon

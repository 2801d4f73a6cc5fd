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
/// What cannot be asked for a while, for want of descriptors say, is asked again every 50 ms: a member goes only when
/// its lock or its name is seen to be gone.
///
/// Threads: one at a time. After fork(), the child's copy answers in_child: both would take each other's events.
#include <tenon/base/deadline.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/life_events.hpp>
#include <tenon/os/life_known.hpp>

#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace tenon {

class Roster {
 public:
  /// Those alive now are its members from the start. Failures: limit_reached (descriptors), not_found (the directory
  /// was removed), permission_denied.
  static Result<Roster> open(const Domain& domain);

  /// Readable when changes() may have something to tell.
  FdView fd() const noexcept { return ready_.view(); }

  /// What has happened since the last call, in order; empty if nothing has. Never waits. No failure loses a change:
  /// what was found before it is told first, what it hid by a later call.
  /// Outcomes: not_found (the directory was removed). Failures: in_child, limit_reached (descriptors).
  Result<std::vector<Change>> changes();
  /// Waits until something has happened. Outcomes: timed_out, stopped, not_found. Failures: as changes().
  Result<std::vector<Change>> wait(Deadline deadline);

  /// From now on also looks at this member itself, every 50 ms. Costs a descriptor. Outcomes: not_found.
  /// Failures: in_child, limit_reached (descriptors).
  Result<void> watch(Token token);

  /// The living, by token.
  std::vector<Member> members() const { return known_.members(); }
  /// Why it has to look by itself, with the limit and the remedy; nullptr if the kernel tells it.
  const Error* notice() const noexcept { return notice_ ? &*notice_ : nullptr; }

 private:
  Roster(Fd directory, Fd ready, Fd ticks);
  Result<void> start();
  Result<void> tick_if_needed();
  FdView teller() const noexcept { return events_ ? events_->fd() : known_.ends(); }
  Result<std::vector<Change>> tell(Result<void> done);
  Result<void> take_told();
  Result<void> look();
  Result<void> look_at_directory();
  Result<bool> check_directory();

  Fd ready_;  // an epoll of the timer, and of either inotify or the pidfds
  Fd ticks_;  // a timer, which runs while there is something to look at
  std::optional<LifeEvents> events_ = {};
  std::optional<Error> notice_ = {};
  LifeKnown known_;
  bool ticking_ = false;
  bool must_look_ = false;  // the directory has changed in ways that nothing has told
  std::int64_t directory_time_ = 0;
  pid_t opener_;
};

}  // namespace tenon

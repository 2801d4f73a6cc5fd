#pragma once
/// What a checked build does at each acquisition: it is refused if it could deadlock, and noted if it succeeds.
///
/// Each process that locks in a checked build joins the domain of its environment (TENON_DOMAIN) with the first lock,
/// and keeps its orders in the file `lock-order` there, which LockGraph describes. What is refused is not what
/// deadlocks, but what could: two locks taken in one order by somebody once, and in the other now, whether or not both
/// are at it. What cannot be recorded is refused as well, so that what is not refused is in order.
///
/// An acquisition that does not wait (try_lock, or a deadline that has passed) is never refused, for it cannot
/// deadlock; it is held from then on like any other. A deadline in the future is no excuse. Reading counts as writing:
/// readers queue behind a writer that waits, so two who read in opposite orders wait for each other as soon as two
/// others want to write. A thread that wants what it holds is refused. Several taken in one step, as by
/// SysvSemaphore::operate, have no order among them.
///
/// Threads: all calls by any thread, about the calling one. fork: the child holds nothing of its parent's, and joins
/// for itself. A process that exits leaves; one that dies does not, and its holds are shown as a dead one's.
#include <tenon/base/lock_hooks.hpp>

#include <span>
#include <string_view>

namespace tenon {

class LockOrder {
 public:
  /// What acquisitions call. From the first call on the kernel's semaphores are told of it too.
  static const LockHooks* hooks() noexcept;

  /// Before an acquisition of all these at once that may wait. Failures: deadlock, which names both chains: who holds
  /// what, taken where; limit_reached (a table is full), corrupt, permission_denied: it cannot be recorded.
  static Result<void> wanted(std::span<const LockRef> locks, LockPlace at);
  /// The same for a lock that this thread holds, and lets go of before it takes it again: a wait for a condition.
  static Result<void> wanted_again(const LockRef& lock, LockPlace at);
  /// Before an acquisition that does not wait. Failures: as of wanted(), but deadlock.
  static Result<void> tried(std::span<const LockRef> locks, LockPlace at);
  /// What was wanted or tried last has been acquired.
  static void taken(const LockRef& lock);
  static void released(const LockRef& lock);
  /// A new lock begins its life there, which has nothing to do with what lay there before.
  static void made(const LockRef& lock);

  /// From now on this process's acquisitions of that semaphore count as a lock's, and it has a name for people.
  /// Failures: as of wanted().
  static Result<void> use_as_lock(const LockRef& lock, std::string_view name);
};

}  // namespace tenon

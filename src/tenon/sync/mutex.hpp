#pragma once
/// One process at a time, in shared memory, and the next is told when the last one died in it.
/// pthread_mutexattr_setrobust(3), robust futexes: get_robust_list(2)
///
/// 1. Roles. Any thread of any process that maps the mutex for writing locks it; the thread that holds it unlocks it.
/// 2. Layout. A pthread_mutex_t of this C library and word size, nothing beside: 40 bytes on 64-bit glibc. So 32-bit
///    processes, and other C libraries, cannot share it.
/// 3. Invariants. I1: at most one thread holds it. I2: after a holder's death the next lock is told so, exactly once
///    unless that one dies too. I3: unlocked by one who was told and did not say mark_consistent(), it is
///    not_recoverable to all, but for this: one who tries it is killed while the C library, which locks before it
///    looks, turns it away. Then the next is told owner_died again, and may repair.
/// 4. Edges. The C library's: unlocking publishes what was written to whoever locks next, after a death too.
/// 5. Progress. Blocking. Alone, locking and unlocking make no system call. Who waits sleeps at most 50 ms
///    (recheck_interval) before it looks again, so no lost wake-up lasts longer, and wakes for its Stop in that time.
/// 6. If a process dies here. The kernel walks the list of what its threads held, marks each mutex and wakes one
///    waiter: within 0.2 ms, before its memory is torn down; but after it has written a core dump, which takes as long
///    as its memory is large: RLIMIT_CORE bounds it, MADV_DONTDUMP leaves memory out. Killed in the middle of locking
///    or unlocking, it stands in that list as pending, and the kernel looks whether it had the mutex. A thread that
///    ends is a death as well.
/// 7. Use instead. Between processes that do not trust each other nothing of this kind: whoever may write the page can
///    hold it for ever, and write what the kernel follows at death. Between processes of different PID namespaces
///    neither: the mutex holds the thread id as its own namespace sees it, and of two threads with the same id either
///    passes for the holder. If one is killed while it locks what the other holds, the kernel frees that. There a
///    file lock. To wait for a condition, Condition or Event.
///
/// A thread holds at most 1,024 (RobustList::most): the kernel's walk ends after 2,048. Memory must not be unmapped
/// while a mutex in it is held, for it would stay locked: RobustList::held_in tells whether one is. Locking it again in
/// the thread that holds it waits until the deadline, like for anybody else. A fork() while holding it: the parent
/// holds it, the child does not.
#include <tenon/base/deadline.hpp>
#include <tenon/base/result.hpp>
#include <tenon/sync/lock_order.hpp>
#include <tenon/sync/locker.hpp>
#include <tenon/sync/robust_list.hpp>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <linux/futex.h>
#include <pthread.h>
#include <type_traits>
#include <utility>

namespace tenon {

class Mutex;

/// As which lock a checked build has recorded what a guard holds.
#ifdef TENON_CHECKED
struct RecordedLock {
  LockRef lock = {};
  bool is_recorded = false;
  static RecordedLock as(const LockRef& lock) noexcept { return {.lock = lock, .is_recorded = true}; }
  void released() const {
    if (is_recorded) {
      LockOrder::released(lock);
    }
  }
};
#else
struct RecordedLock {
  static constexpr RecordedLock as(const LockRef&) noexcept { return {}; }
  static constexpr void released() noexcept {}
};
#endif

/// Holds the mutex; unlocks it when it goes. Moved from, it holds nothing.
class [[nodiscard]] MutexGuard {
 public:
  MutexGuard(MutexGuard&& other) noexcept
      : mutex_(std::exchange(other.mutex_, nullptr)),
        locker_(other.locker_),
        owner_died_(other.owner_died_),
        recorded_(other.recorded_) {}
  MutexGuard& operator=(MutexGuard&& other) noexcept {
    MutexGuard taken(std::move(other));
    std::swap(mutex_, taken.mutex_);
    std::swap(locker_, taken.locker_);
    std::swap(owner_died_, taken.owner_died_);
    std::swap(recorded_, taken.recorded_);
    return *this;
  }
  MutexGuard(const MutexGuard&) = delete;
  MutexGuard& operator=(const MutexGuard&) = delete;
  ~MutexGuard() { std::move(*this).unlock(); }

  /// Whether the last holder died holding it: what it guards may be half-written. Repair it and say mark_consistent();
  /// if the guard goes without that, the mutex is not_recoverable to all.
  bool owner_died() const noexcept { return owner_died_; }
  /// What the mutex guards is right again. Not for another thread than the one that locked it to say, nor for a forked
  /// child: then it stays as it is.
  void mark_consistent() noexcept;

  /// False once it was unlocked or moved from.
  bool holds() const noexcept { return mutex_ != nullptr; }

  /// Unlocks now. Another thread than the one that locked it is refused: it leaves the mutex as it is, and the guard
  /// holding it. So is a forked child, whose copy is of its parent's lock; either may have locked it anew for itself.
  void unlock() && noexcept {
    if (mutex_ != nullptr && is_called_by_locker() && ::pthread_mutex_unlock(mutex_) == 0) {
      mutex_ = nullptr;
      RobustList::removed();
      recorded_.released();
    }
  }

 private:
  friend class Mutex;
  friend class Condition;
  friend class RwLock;
  Mutex& mutex() const noexcept;
  // For locks that are made of several mutexes: they are unlocked one by one, in an order of its own.
  pthread_mutex_t* let_go() noexcept { return std::exchange(mutex_, nullptr); }
  bool is_called_by_locker() const noexcept { return locker_ == Locker::known_self(); }
  MutexGuard(pthread_mutex_t& mutex, bool owner_died) noexcept
      : mutex_(&mutex), locker_(Locker::known_self()), owner_died_(owner_died) {}

  pthread_mutex_t* mutex_;
  std::uint32_t locker_;
  bool owner_died_;
  [[no_unique_address]] RecordedLock recorded_ = {};
};

/// Stands in shared memory, at the same offset for all: made once with placement new before others see it, as in
/// PosixMemory's `initialise`, and found by others with a cast. It is never destroyed, since others may still use it.
class Mutex {
 public:
  Mutex(TakenAt made_at = TakenAt::current()) noexcept;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  /// Outcomes: timed_out, stopped, not_recoverable. Who gets it asks the guard whether the last owner died.
  /// Failures: limit_reached (this thread holds 1,024 locks); in checked builds deadlock, and others of LockOrder.
  Result<MutexGuard> lock(Deadline deadline, TakenAt at = TakenAt::current()) {
    if constexpr (is_checked) {
      return take_in_order(LockOrder::hooks(), lock_ref(), at, !deadline.passed(),
                           [&] { return recorded(lock_unrecorded(deadline)); });
    }
    return lock_unrecorded(deadline);
  }
  /// Outcomes: would_block, not_recoverable. Failures: as of lock(), but deadlock.
  Result<MutexGuard> try_lock(TakenAt at = TakenAt::current()) {
    if constexpr (is_checked) {
      return take_in_order(LockOrder::hooks(), lock_ref(), at, false, [&] { return recorded(try_lock_unrecorded()); });
    }
    return try_lock_unrecorded();
  }

 private:
  friend class RwLock;
  friend class Condition;
  friend class Barrier;
  // For what is itself a lock, or never waits for another while it is held.
  struct Unrecorded {};
  explicit Mutex(Unrecorded) noexcept;

  Result<MutexGuard> lock_unrecorded(Deadline deadline) {
    if (deadline.stop() != nullptr || !RobustList::has_room()) [[unlikely]] {
      return lock_watchfully(deadline, TakenAt());
    }
    const int returned = lock_at_once();
    if (returned == 0) [[likely]] {
      RobustList::added();
      return MutexGuard(mutex_, false);
    }
    return after_a_look(returned, deadline);
  }
  Result<MutexGuard> try_lock_unrecorded() {
    if (is_held_by_the_living()) {
      return fail(Errc::would_block, "pthread_mutex_lock");  // a timed lock would ask the kernel first
    }
    const int returned = RobustList::has_room() ? lock_at_once() : EAGAIN;
    if (returned == 0) [[likely]] {
      RobustList::added();
      return MutexGuard(mutex_, false);
    }
    return after_a_try(returned, TakenAt());
  }
  LockRef lock_ref() const noexcept { return LockRef::in_memory(LockKind::mutex, this); }
  Result<MutexGuard> recorded(Result<MutexGuard> guard) const {
    if (guard) {
      guard->recorded_ = RecordedLock::as(lock_ref());
    }
    return guard;
  }
  // Never pthread_mutex_trylock: what is not recoverable glibc leaves locked by whoever tries it, for good. A timed
  // lock whose time is over takes a mutex that is free just as well.
  int lock_at_once() noexcept {
    constexpr timespec past{};
    return ::pthread_mutex_clocklock(&mutex_, CLOCK_MONOTONIC, &past);
  }
  // True unless another than this thread holds it.
  bool unlock() noexcept {
    if (::pthread_mutex_unlock(&mutex_) != 0) {
      return false;
    }
    RobustList::removed();
    return true;
  }
  bool is_held_by_the_living() noexcept {
    // relaxed: a look that decides nothing but whether to try; what is not held is then locked, in order.
    const auto word = static_cast<std::uint32_t>(std::atomic_ref(mutex_.__data.__lock).load(std::memory_order_relaxed));
    return (word & FUTEX_TID_MASK) != 0 && (word & FUTEX_OWNER_DIED) == 0;
  }
  // TakenAt: so that a checked program does not link to an unchecked library.
  Result<MutexGuard> after_a_try(int returned, TakenAt);
  Result<MutexGuard> lock_watchfully(Deadline deadline, TakenAt);
  Result<MutexGuard> after_a_look(int returned, Deadline deadline);
  Result<MutexGuard> wait(Deadline deadline);
  Result<MutexGuard> outcome_of(int returned, Errc not_free);

  pthread_mutex_t mutex_;
};

static_assert(is_checked || sizeof(MutexGuard) == 16);

// Mutex is of standard layout, and this its first member.
inline Mutex& MutexGuard::mutex() const noexcept { return *reinterpret_cast<Mutex*>(mutex_); }

static_assert(sizeof(Mutex) == sizeof(pthread_mutex_t));
static_assert(std::is_trivially_destructible_v<Mutex> && std::is_standard_layout_v<Mutex>);

}  // namespace tenon

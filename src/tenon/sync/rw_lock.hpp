#pragma once
/// Many readers or one writer, in shared memory; a reader that dies is nobody's concern, a writer that dies is told.
///
/// 1. Roles. Any thread of any process that maps it for writing reads or writes under it, and unlocks what it locked.
/// 2. Layout. The gate and 32 slots, each a robust Mutex on a cache line of its own. Beside the gate two words.
///
///      0                     40              44              48       64
///     +---------------------+---------------+---------------+--------+
///     | gate                | writer comes  | writing       | –      |
///     +---------------------+---------------+---------------+--------+
///      64                    104            128
///     +---------------------+--------------+---------------+----------
///     | slot 0              | –            | slot 1        | … 32 of them
///     +---------------------+--------------+---------------+----------
///
/// 3. Invariants. I1: a reader holds one slot. I2: a writer holds all slots, and held the gate while it took them. I3:
///    only who holds all slots changes `writing`: 0 nobody writes, 1 somebody does, 2 what a dead writer left was not
///    repaired. I4: so who holds a slot and finds 1 knows that a writer died. I5: only who holds the gate changes
///    `writer comes`, which a reader sets, too, that waits there for a slot.
/// 4. Edges. The mutexes'. Both words are read and written under one, but for a reader's first look at `writer comes`,
///    which decides nothing but where it queues.
/// 5. Progress. Blocking. A reader alone locks and unlocks one slot, which no other thread is likely to use. A writer
///    locks 33 mutexes. Readers that come after a writer queue behind it at the gate, so it waits for those before it
///    alone; more than 32 readers at once wait for one another, and whoever comes then queues behind them.
/// 6. If a process dies here. Reading, or on the way in or out: its slot is free as soon as a Mutex is, and nobody is
///    told.
///    Waiting at the gate: `writer comes` stays, and the next one at the gate takes it away.
///    Writing: the next writer is told by its guard and repairs; until it has, readers get the outcome owner_died.
///    A writer that unlocks without a word about a death makes the lock not_recoverable to all. A writer that dies
///    before it has all slots has changed nothing; one that dies in unlocking is told of if `writing` was still 1.
/// 7. Use instead. Few readers, or short ones: Mutex, which is a fiftieth of the size. One value, read often:
///    a sequence lock.
///
/// Not for a thread that reads already: with a writer between its two locks both wait until their deadlines. A fork()
/// while holding it: the parent holds it, the child does not. A writer counts as 33 of the 1,024 locks of its thread.
#include <tenon/base/cache_line.hpp>
#include <tenon/sync/locker.hpp>
#include <tenon/sync/mutex.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace tenon {

class RwLock;

/// Reads until it goes.
class [[nodiscard]] ReadGuard {
 public:
  void unlock() && noexcept { std::move(slot_).unlock(); }
  bool holds() const noexcept { return slot_.holds(); }

 private:
  friend class RwLock;
  explicit ReadGuard(MutexGuard slot) noexcept : slot_(std::move(slot)) {}
  MutexGuard slot_;
};

/// Writes until it goes. As MutexGuard.
class [[nodiscard]] WriteGuard {
 public:
  WriteGuard(WriteGuard&& other) noexcept
      : lock_(std::exchange(other.lock_, nullptr)), locker_(other.locker_), owner_died_(other.owner_died_) {}
  WriteGuard& operator=(WriteGuard&& other) noexcept {
    WriteGuard taken(std::move(other));
    std::swap(lock_, taken.lock_);
    std::swap(locker_, taken.locker_);
    std::swap(owner_died_, taken.owner_died_);
    return *this;
  }
  WriteGuard(const WriteGuard&) = delete;
  WriteGuard& operator=(const WriteGuard&) = delete;
  ~WriteGuard() { std::move(*this).unlock(); }

  /// Whether the last writer died: repair what it wrote and say mark_consistent().
  bool owner_died() const noexcept { return owner_died_; }
  void mark_consistent() noexcept { owner_died_ = owner_died_ && !is_called_by_locker(); }
  bool holds() const noexcept { return lock_ != nullptr; }
  /// Refused to other threads and to forked children, as with MutexGuard.
  void unlock() && noexcept;

 private:
  friend class RwLock;
  bool is_called_by_locker() const noexcept { return locker_ == Locker::known_self(); }
  WriteGuard(RwLock& lock, bool owner_died) noexcept
      : lock_(&lock), locker_(Locker::known_self()), owner_died_(owner_died) {}
  RwLock* lock_;
  std::uint32_t locker_;
  bool owner_died_;
};

class RwLock {
 public:
  static constexpr std::size_t most_readers = 32;

  RwLock(TakenAt made_at = TakenAt::current()) noexcept;
  RwLock(const RwLock&) = delete;
  RwLock& operator=(const RwLock&) = delete;

  /// Outcomes: timed_out, stopped, owner_died (a writer died, and none has repaired it yet: nothing is held),
  /// not_recoverable. Failures: limit_reached, as Mutex; in checked builds deadlock, and others of LockOrder.
  Result<ReadGuard> read(Deadline deadline, TakenAt at = TakenAt::current());
  /// Outcomes: would_block (also for a moment after writing, while another reader passes the gate), owner_died,
  /// not_recoverable.
  Result<ReadGuard> try_read(TakenAt at = TakenAt::current());

  /// Outcomes: timed_out, stopped, not_recoverable. Who gets it asks the guard whether the last writer died.
  Result<WriteGuard> write(Deadline deadline, TakenAt at = TakenAt::current());
  /// Outcomes: would_block, not_recoverable.
  Result<WriteGuard> try_write(TakenAt at = TakenAt::current());

 private:
  friend class WriteGuard;
  enum Writing : std::uint32_t { nobody_writes, somebody_writes, never_repaired };

  struct alignas(cache_line) Gate {
    Mutex mutex{Mutex::Unrecorded()};
    std::atomic<std::uint32_t> writer_comes = 0;
    std::atomic<std::uint32_t> writing = nobody_writes;
  };
  static_assert(offsetof(Gate, writer_comes) == sizeof(Mutex) && offsetof(Gate, writing) == sizeof(Mutex) + 4);
  struct alignas(cache_line) Slot {
    Mutex mutex{Mutex::Unrecorded()};
  };

  LockRef lock_ref() const noexcept { return LockRef::in_memory(LockKind::rw_lock, this); }
  inline Result<ReadGuard> read_unrecorded(Deadline deadline);
  inline Result<ReadGuard> try_read_unrecorded();
  Result<ReadGuard> recorded(Result<ReadGuard> guard) const;
  Result<ReadGuard> read_behind_gate(Deadline deadline);
  Result<ReadGuard> read_in_next_slot(Deadline deadline);
  std::optional<Result<ReadGuard>> read_in_free_slot();
  Result<ReadGuard> reading(MutexGuard slot);
  template <class Lock>
  Result<WriteGuard> write_with(Lock lock);
  void give_back(std::size_t slots) noexcept;
  bool finish_writing(bool owner_died) noexcept;

  Gate gate_;
  std::array<Slot, most_readers> slots_;
};

static_assert(sizeof(RwLock) == (1 + RwLock::most_readers) * cache_line && std::is_standard_layout_v<RwLock>);
static_assert(std::is_trivially_destructible_v<RwLock>);

inline void WriteGuard::unlock() && noexcept {
  if (lock_ != nullptr && is_called_by_locker() && lock_->finish_writing(owner_died_)) {
    [[maybe_unused]] const RwLock* const lock = std::exchange(lock_, nullptr);
    if constexpr (is_checked) {
      LockOrder::released(lock->lock_ref());
    }
  }
}

}  // namespace tenon

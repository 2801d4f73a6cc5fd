#include <tenon/sync/rw_lock.hpp>

#include <tenon/os/futex.hpp>
#include <tenon/os/stop.hpp>

#include <unistd.h>

namespace tenon {

namespace {

// Threads that were started one after the other have neighbouring numbers, and so slots of their own. A forked child
// keeps its parent's, which costs nothing but that both like the same one.
std::size_t preferred_slot() noexcept {
  static thread_local const auto slot = static_cast<std::size_t>(::gettid()) % RwLock::most_readers;
  return slot;
}

// A lock whose holder died left nothing half-made but what `writing` tells of.
MutexGuard repaired(MutexGuard guard) noexcept {
  guard.mark_consistent();
  return guard;
}

}  // namespace

RwLock::RwLock(TakenAt) noexcept {
  if constexpr (is_checked) {
    LockOrder::made(lock_ref());
  }
}

Result<ReadGuard> RwLock::reading(MutexGuard slot) {
  MutexGuard held = repaired(std::move(slot));
  // relaxed: what is read under a slot was written under all of them
  switch (gate_.writing.load(std::memory_order_relaxed)) {
    case nobody_writes:
      return ReadGuard(std::move(held));
    case somebody_writes:
      return fail(Errc::owner_died);
    default:
      return fail(Errc::not_recoverable);
  }
}

// What the guard of a slot lets go of is the lock.
Result<ReadGuard> RwLock::recorded(Result<ReadGuard> guard) const {
  if (guard) {
    guard->slot_.recorded_ = RecordedLock::as(lock_ref());
  }
  return guard;
}

Result<ReadGuard> RwLock::read(Deadline deadline, [[maybe_unused]] TakenAt at) {
  if constexpr (is_checked) {
    return take_in_order(LockOrder::hooks(), lock_ref(), at, !deadline.passed(),
                         [&] { return recorded(read_unrecorded(deadline)); });
  }
  return read_unrecorded(deadline);
}

Result<ReadGuard> RwLock::try_read([[maybe_unused]] TakenAt at) {
  if constexpr (is_checked) {
    return take_in_order(LockOrder::hooks(), lock_ref(), at, false, [&] { return recorded(try_read_unrecorded()); });
  }
  return try_read_unrecorded();
}

std::optional<Result<ReadGuard>> RwLock::read_in_free_slot() {
  for (std::size_t i = 0; i < most_readers; ++i) {
    auto slot = slots_[(preferred_slot() + i) % most_readers].mutex.try_lock_unrecorded();
    if (slot) {
      return reading(std::move(*slot));
    }
    if (!slot.failed_with(Errc::would_block)) {
      return fail(std::move(slot.error()));
    }
  }
  return std::nullopt;
}

Result<ReadGuard> RwLock::read_unrecorded(Deadline deadline) {
  if (stop_requested(deadline)) [[unlikely]] {
    return fail(Errc::stopped, "pthread_mutex_lock");
  }
  // relaxed: a reader that does not see the writer yet is one that came before it
  if (gate_.writer_comes.load(std::memory_order_relaxed) == 0) [[likely]] {
    if (auto got = read_in_free_slot()) [[likely]] {
      return std::move(*got);
    }
  }
  return read_behind_gate(deadline);
}

Result<ReadGuard> RwLock::read_behind_gate(Deadline deadline) {
  auto gate = gate_.mutex.lock_unrecorded(deadline);
  if (!gate) {
    return fail(std::move(gate.error()));
  }
  gate->mark_consistent();
  // relaxed: only who holds the gate writes it. No writer is between the gate and its last slot, so none comes
  gate_.writer_comes.store(0, std::memory_order_relaxed);
  if (auto got = read_in_free_slot()) {
    return std::move(*got);
  }
  // Those who come now queue behind the gate: else they would take each slot that becomes free before this reader, and
  // before a writer that waits for the gate.
  gate_.writer_comes.store(1, std::memory_order_relaxed);  // only who holds the gate writes it
  auto got = read_in_next_slot(deadline);
  gate_.writer_comes.store(0, std::memory_order_relaxed);  // only who holds the gate writes it
  return got;
}

// Any slot may be the next that is free: one is waited for, the others are looked at again soon.
Result<ReadGuard> RwLock::read_in_next_slot(Deadline deadline) {
  while (true) {
    auto slot = slots_[preferred_slot()].mutex.lock_unrecorded(deadline.or_sooner(after(recheck_interval)));
    if (slot) {
      return reading(std::move(*slot));
    }
    if (!slot.failed_with(Errc::timed_out) || deadline.passed()) {
      return fail(std::move(slot.error()));
    }
    if (auto got = read_in_free_slot()) {
      return std::move(*got);
    }
  }
}

Result<ReadGuard> RwLock::try_read_unrecorded() {
  // relaxed: a reader that does not see the writer yet is one that came before it
  if (gate_.writer_comes.load(std::memory_order_relaxed) != 0) {
    auto gate = gate_.mutex.try_lock_unrecorded();
    if (!gate) {
      return fail(std::move(gate.error()));
    }
    gate->mark_consistent();
    gate_.writer_comes.store(0, std::memory_order_relaxed);  // only who holds the gate writes it
  }
  auto got = read_in_free_slot();
  return got ? std::move(*got) : fail(Errc::would_block);
}

void RwLock::give_back(std::size_t slots) noexcept {
  for (std::size_t i = 0; i < slots; ++i) {
    slots_[i].mutex.unlock();
  }
}

/// `lock` locks one mutex: with a deadline, or only at once.
template <class Lock>
Result<WriteGuard> RwLock::write_with(Lock lock) {
  if (!RobustList::has_room(most_readers + 1)) {
    return fail(RobustList::no_room(most_readers + 1));
  }
  Result<MutexGuard> gate = lock(gate_.mutex);
  if (!gate) {
    return fail(std::move(gate.error()));
  }
  gate->mark_consistent();
  gate_.writer_comes.store(1, std::memory_order_relaxed);  // only who holds the gate writes it
  for (std::size_t i = 0; i < most_readers; ++i) {
    Result<MutexGuard> slot = lock(slots_[i].mutex);
    if (!slot) {
      gate_.writer_comes.store(0, std::memory_order_relaxed);  // only who holds the gate writes it
      give_back(i);
      return fail(std::move(slot.error()));
    }
    repaired(std::move(*slot)).let_go();
  }
  const std::uint32_t before = gate_.writing.load(std::memory_order_relaxed);  // written under all slots, read so
  if (before == never_repaired) {
    gate_.writer_comes.store(0, std::memory_order_relaxed);  // only who holds the gate writes it
    give_back(most_readers);
    return fail(Errc::not_recoverable);
  }
  gate_.writing.store(somebody_writes, std::memory_order_relaxed);  // read by who holds a slot later
  gate->let_go();
  return WriteGuard(*this, before == somebody_writes);
}

Result<WriteGuard> RwLock::write(Deadline deadline, [[maybe_unused]] TakenAt at) {
  auto take = [&] { return write_with([deadline](Mutex& mutex) { return mutex.lock_unrecorded(deadline); }); };
  if constexpr (is_checked) {
    return take_in_order(LockOrder::hooks(), lock_ref(), at, !deadline.passed(), take);
  }
  return take();
}

Result<WriteGuard> RwLock::try_write([[maybe_unused]] TakenAt at) {
  auto take = [&] { return write_with([](Mutex& mutex) { return mutex.try_lock_unrecorded(); }); };
  if constexpr (is_checked) {
    return take_in_order(LockOrder::hooks(), lock_ref(), at, false, take);
  }
  return take();
}

// The gate first: that it is refused tells a thread, or a forked child, that all of it is another's. `writer comes`
// stays for the next one at the gate to take away, since this one holds it no more.
bool RwLock::finish_writing(bool owner_died) noexcept {
  if (!gate_.mutex.unlock()) {
    return false;
  }
  // relaxed: read by who holds a slot later
  gate_.writing.store(owner_died ? never_repaired : nobody_writes, std::memory_order_relaxed);
  give_back(most_readers);
  return true;
}

}  // namespace tenon

/// Long messages: room for them in the arena, and how it comes back. Under the lock `allocating`.
///
/// Edges: Q3, Q4, Q6 and Q7, as queue_slots.hpp has them.
#include <tenon/messaging/queue/queue_slots.hpp>

namespace tenon {

Result<MutexGuard> QueueSlots::lock_allocating() {
  auto guard = lock_soon(memory_.allocating());
  if (guard && guard->owner_died()) {
    rebuild_map();
    guard->mark_consistent();
  }
  return guard;
}

// First the room, then the slot: whoever finds no room has not kept a slot from others meanwhile.
Result<HeldSlot> QueueSlots::claim_with_blocks(std::uint32_t count) {
  auto guard = lock_allocating();
  if (!guard) {
    return fail(std::move(guard.error()));
  }
  QueueState& state = memory_.state();
  BlockMap map = memory_.blocks();
  auto first = map.find(count, state.next_block);
  if (!first && collect_spent()) {
    first = map.find(count, state.next_block);
  }
  auto held = first ? claim_slot() : std::nullopt;
  if (first && !held && collect_spent()) {
    held = claim_slot();
  }
  if (!held) {
    return fail(Errc::would_block, "Queue::send");
  }
  map.take(*first, count);
  QueueSlot& slot = memory_.slot(held->slot);
  slot.first_block = *first;
  // Who dies between the two has no blocks, rather than some that another slot had before.
  std::atomic_signal_fence(std::memory_order_release);  // Q7
  slot.blocks = count;
  state.next_block = *first + count;
  // relaxed: a figure, under the lock
  state.free_blocks.store(state.free_blocks.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
  return *held;
}

// For who needs a slot, and no blocks.
bool QueueSlots::collect_what_was_left() noexcept {
  if (memory_.state().left_spent.load(std::memory_order_seq_cst) == 0) {  // Q6, before the lock
    return false;
  }
  const auto guard = lock_allocating();
  return guard && collect_spent();
}

// Of those who could not get the lock in their time. Under the lock.
bool QueueSlots::collect_spent() noexcept {
  bool any = false;
  if (memory_.state().left_spent.load(std::memory_order_seq_cst) == 0) {  // Q6
    return any;
  }
  memory_.state().left_spent.store(0, std::memory_order_seq_cst);  // Q6, who leaves one from now on says so
  for (std::uint32_t i = 0; i < memory_.header().slots; ++i) {
    if (const SlotState state = state_of(memory_.slot(i)); state.phase == SlotPhase::spent) {
      give_blocks_back(i, state);
      any = true;
    }
  }
  return any;
}

// Under the lock. Who is forestalled finds the slot changed.
void QueueSlots::give_blocks_back(std::uint32_t at, SlotState spent) noexcept {
  QueueSlot& slot = memory_.slot(at);
  if (state_of(slot) != spent) {
    return;
  }
  const bool is_garbage = slot.blocks != 0 && !memory_.has_blocks(slot);
  if (memory_.has_blocks(slot)) {
    memory_.blocks().give_back(slot.first_block, slot.blocks);
    std::atomic<std::uint32_t>& free = memory_.state().free_blocks;
    free.store(free.load(std::memory_order_relaxed) + slot.blocks, std::memory_order_relaxed);  // as above
  }
  slot.blocks = 0;
  change(at, spent, SlotPhase::free);
  hint_free(at);
  if (is_garbage) {
    rebuild_map();  // what it had is nobody's
  }
}

// The last one died under the lock, and may have been about to free a slot of somebody who lives.
void QueueSlots::rebuild_map() noexcept {
  memory_.state().left_spent.store(1, std::memory_order_relaxed);  // under the lock
  BlockMap map = memory_.blocks();
  map.clear();
  for (std::uint32_t i = 0; i < memory_.header().slots; ++i) {
    if (const QueueSlot& slot = memory_.slot(i); memory_.has_blocks(slot)) {
      map.take(slot.first_block, slot.blocks);
    }
  }
  memory_.state().free_blocks.store(memory_.header().blocks - map.taken(), std::memory_order_relaxed);  // as above
}

// Who cannot get the lock leaves the slot to whoever needs it.
void QueueSlots::give_back_spent(std::uint32_t at, SlotState spent) noexcept {
  if (auto guard = lock_allocating()) {
    give_blocks_back(at, spent);
  } else {
    memory_.state().left_spent.store(1, std::memory_order_seq_cst);  // Q6
  }
}

}  // namespace tenon

/// What is under the lock `taking`: which message comes first, who takes it, and what the dead had.
///
/// Edges: Q1, Q2, Q4, Q5 and M1, as queue_slots.hpp has them.
#include <tenon/base/prefetch.hpp>
#include <tenon/messaging/queue/queue_slots.hpp>

namespace tenon {

namespace {

constexpr bool is_later(std::uint64_t one, std::uint64_t other) noexcept {
  return static_cast<std::int64_t>(one - other) > 0;  // they may wrap
}

constexpr std::uint64_t later_of(std::uint64_t one, std::uint64_t other) noexcept {
  return is_later(one, other) ? one : other;
}

}  // namespace

Result<MutexGuard> QueueSlots::lock_taking() {
  auto guard = lock_soon(memory_.taking());
  if (guard && guard->owner_died()) {
    rebuild_heap();
    guard->mark_consistent();
  }
  return guard;
}

// The heap first: what leaves it is not looked for among the hints, and what comes into it changes `drains`.
bool QueueSlots::seems_filled() const noexcept {
  const QueueState& state = memory_.state();
  const std::uint32_t drains = state.drains.load(std::memory_order_acquire);                                   // Q5
  return state.queued.load(std::memory_order_acquire) != 0 || drains % 2 != 0 ||                               // Q5
         !ready_.is_empty() || !urgent_.is_empty() || state.drains.load(std::memory_order_acquire) != drains;  // Q5
}

// Under the lock, without which no state changes from ready, or to queued.
void QueueSlots::queue_up(RankHeap& heap, std::uint32_t at, SlotState state) noexcept {
  QueueSlot& slot = memory_.slot(at);
  slot.state.store(state.in(SlotPhase::queued).word(), std::memory_order_relaxed);  // by the lock: Q1 was its sender's
  if (!heap.push({.seq = slot.seq, .priority = slot.priority, .slot = at})) {
    rebuild_heap();  // it is full of what is not queued
  }
}

// Returns a number behind all that it has moved.
std::uint64_t QueueSlots::drain(RankHeap& heap) noexcept {
  QueueState& state = memory_.state();
  std::uint64_t behind = state.ordered_below.load(std::memory_order_relaxed);  // by the lock
  const std::uint32_t drains = state.drains.load(std::memory_order_relaxed);   // own, under the lock
  state.drains.store(drains | 1U, std::memory_order_relaxed);                  // Q5, before the hints are taken
  const auto queue_if_ready = [&](std::uint32_t hinted) {
    if (hinted >= memory_.header().slots) {
      return;  // garbage
    }
    if (const SlotState seen = state_of(memory_.slot(hinted)); seen.phase == SlotPhase::ready) {
      queue_up(heap, hinted, seen);
      behind = later_of(behind, memory_.slot(hinted).seq + 1);
    }
  };
  urgent_.take_all(queue_if_ready);
  ready_.take_all(queue_if_ready);
  state.drains.store((drains | 1U) + 1, std::memory_order_release);  // Q5
  drop_garbage(heap);
  return behind;
}

// Under the lock: what comes first in the heap comes first of all. That is so if no hint is left; or if nothing urgent
// is hinted at, and it has a number below `ordered_below`, to which all of the lowest priority was in order once; or if
// it has a number that was drawn before the hints were taken. The line with the next number is the senders': it is
// asked for only if more came while the hints were taken.
Result<void> QueueSlots::order_ready(RankHeap& heap) {
  if (!heap.is_sound()) {
    return fail(Error(Errc::corrupt, "Queue::receive").because("more is queued than there are slots"));
  }
  QueueState& state = memory_.state();
  const auto is_ordered = [&] { return heap.size() != 0 && is_later(ordered_below(), heap.first().seq); };
  drop_garbage(heap);
  for (bool again = false; !is_ordered() || !urgent_.is_empty(); again = true) {
    const std::uint64_t drawn = again ? state.next_seq.load(std::memory_order_acquire) : 0;  // Q2
    const std::uint64_t behind = drain(heap);
    const bool is_quiet = ready_.is_empty() && urgent_.is_empty();
    if (heap.size() == 0 && is_quiet) {
      return fail(Errc::would_block, "Queue::receive");
    }
    if (is_quiet) {
      // What was taken back from the dead had no hint.
      state.ordered_below.store(later_of(behind, heap.first().seq + 1), std::memory_order_relaxed);  // by the lock
      break;
    }
    // Else it goes on; not for ever, also where the number is garbage, since all slots are used up at last.
    if (again) {
      state.ordered_below.store(later_of(ordered_below(), drawn), std::memory_order_relaxed);  // by the lock
    }
    if (again && is_ordered()) {
      break;
    }
  }
  return {};
}

// What somebody wrote into the heap that is not queued.
void QueueSlots::drop_garbage(RankHeap& heap) const noexcept {
  while (heap.size() != 0 && !is_queued(heap.first().slot)) {
    heap.pop();
  }
}

bool QueueSlots::is_queued(std::uint32_t slot) const noexcept {
  return slot < memory_.header().slots && state_of(memory_.slot(slot)).phase == SlotPhase::queued;
}

// The last one died under the lock, and may have left it half-changed.
void QueueSlots::rebuild_heap() noexcept {
  QueueState& state = memory_.state();
  RankHeap heap = memory_.heap();
  const std::uint32_t drains = state.drains.load(std::memory_order_relaxed) | 1U;  // own, under the lock
  state.drains.store(drains, std::memory_order_seq_cst);                           // Q5
  state.ordered_below.store(state.next_seq.load(std::memory_order_acquire),
                            std::memory_order_relaxed);  // Q2, by the lock
  heap.clear();
  for (std::uint32_t i = 0; i < memory_.header().slots; ++i) {
    const SlotState seen = state_of(memory_.slot(i));
    if (seen.phase == SlotPhase::ready || seen.phase == SlotPhase::queued) {
      queue_up(heap, i, seen);
    }
  }
  state.drains.store(drains + 1, std::memory_order_release);  // Q5
}

// Where a single message is on its way, its lines come while the lock is taken.
void QueueSlots::ask_for_first() const noexcept {
  const bool is_alone = memory_.state().queued.load(std::memory_order_relaxed) == 0;  // a guess
  const auto likely = is_alone ? ready_.first() : std::nullopt;
  if (likely && *likely < memory_.header().slots) {
    const QueueSlot& slot = memory_.slot(*likely);
    prefetch_for_writing(&slot);
    __builtin_prefetch(reinterpret_cast<const std::byte*>(&slot) + slot_bytes_at);
  }
}

Result<HeldSlot> QueueSlots::take() {
  if (!seems_filled()) {
    return fail(Errc::would_block, "Queue::receive");
  }
  ask_for_first();
  auto guard = lock_taking();
  if (!guard) {
    return fail(std::move(guard.error()));
  }
  // Its place is given up under this lock alone. What is taken in the name of nobody, nobody takes back.
  if (memory_.member(place_).token.load(std::memory_order_relaxed) != self_.value()) {  // by the lock
    return fail(Errc::not_found, "Queue::receive");
  }
  RankHeap heap = memory_.heap();
  if (auto ordered = order_ready(heap); !ordered) {
    return fail(std::move(ordered.error()));
  }
  const std::uint32_t first = heap.first().slot;
  QueueSlot& slot = memory_.slot(first);
  const SlotState queued = state_of(slot);
  // Another use: who was taken for dead with it may have had the place that this one has now.
  const SlotState own{.phase = SlotPhase::taken, .member = place_, .use = queued.use + 1};
  slot.state.store(own.word(), std::memory_order_relaxed);  // by the lock, which who takes back from the dead has too
  ++slot.deliveries;
  heap.pop();
  const HeldSlot held{.slot = first, .state = own};
  if (!memory_.is_sound(slot)) {
    release(held.slot, own);
    return fail(Error(Errc::corrupt, "Queue::receive").because("a message lies outside of the queue"));
  }
  return held;
}

// Under the lock. Returns whether a message came back.
bool QueueSlots::take_back(RankHeap& heap, std::uint32_t at, std::uint32_t place) noexcept {
  const SlotState seen = state_of(memory_.slot(at));
  // The dead may have taken the hint away, or what is above it, of whatever slot.
  if (seen.phase == SlotPhase::free || free_.has(at)) {
    free_.set(at);
  }
  if (seen.phase == SlotPhase::free || seen.member != place) {
    return false;
  }
  switch (seen.phase) {
    case SlotPhase::writing:
      release(at, seen);
      return false;
    case SlotPhase::ready:
      queue_up(heap, at, seen);
      return false;
    case SlotPhase::taken:
      // Who was taken for dead and lives may be delivering it.
      if (!change(at, seen, SlotPhase::ready)) {  // Q1
        return false;
      }
      queue_up(heap, at, seen);
      return true;
    case SlotPhase::spent:
      give_back_spent(at, seen);
      return false;
    case SlotPhase::free:
    case SlotPhase::queued:
      return false;
  }
  return false;
}

Result<std::optional<std::uint32_t>> QueueSlots::reclaim(std::uint32_t place, Token dead) {
  auto guard = lock_taking();
  if (!guard) {
    return fail(std::move(guard.error()));
  }
  QueueMember& member = memory_.member(place);
  if (member.token.load(std::memory_order_relaxed) != dead.value()) {  // given up under the lock alone, but by itself
    return std::optional<std::uint32_t>();
  }
  RankHeap heap = memory_.heap();
  if (!heap.is_sound()) {
    rebuild_heap();
  }
  std::uint32_t returned = 0;
  for (std::uint32_t i = 0; i < memory_.header().slots; ++i) {
    returned += take_back(heap, i, place) ? 1 : 0;
  }
  member.polls.store(0, std::memory_order_relaxed);                         // before the place is another's
  member.token.store(0, std::memory_order_release);                         // M1, another's from now on
  memory_.state().returned.fetch_add(returned, std::memory_order_relaxed);  // a figure
  return std::optional(returned);
}

}  // namespace tenon

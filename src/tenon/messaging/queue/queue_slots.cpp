#include <tenon/messaging/queue/queue_slots.hpp>

#include <tenon/base/prefetch.hpp>
#include <tenon/os/own_processor.hpp>

#include <chrono>
#include <ctime>

namespace tenon {

namespace {

constexpr bool is_later(std::uint64_t one, std::uint64_t other) noexcept {
  return static_cast<std::int64_t>(one - other) > 0;  // they may wrap
}

constexpr std::uint64_t later_of(std::uint64_t one, std::uint64_t other) noexcept {
  return is_later(one, other) ? one : other;
}

// Longer than anybody who runs holds a lock, and no deadline's business.
constexpr std::chrono::milliseconds kept_in_lock{10};

SlotState state_of(const QueueSlot& slot) noexcept {
  return SlotState::of(slot.state.load(std::memory_order_seq_cst));  // Q1 Q4
}

// Who is stopped in the lock keeps nobody for longer than this; who runs in it is waited for.
Result<MutexGuard> lock_soon(Mutex& mutex) {
  auto guard = mutex.try_lock();
  if (guard.failed_with(Errc::would_block)) {
    guard = mutex.lock(after(kept_in_lock));
    if (guard.failed_with(Errc::timed_out)) {
      return fail(Errc::would_block, "Queue");
    }
  }
  return guard;
}

}  // namespace

std::int64_t coarse_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

Result<MutexGuard> QueueSlots::lock_taking() {
  auto guard = lock_soon(memory_.taking());
  if (guard && guard->owner_died()) {
    rebuild_heap();
    guard->mark_consistent();
  }
  return guard;
}

Result<MutexGuard> QueueSlots::lock_allocating() {
  auto guard = lock_soon(memory_.allocating());
  if (guard && guard->owner_died()) {
    rebuild_map();
    guard->mark_consistent();
  }
  return guard;
}

std::optional<HeldSlot> QueueSlots::claim_if_free(std::uint32_t at) noexcept {
  std::atomic<std::uint64_t>& state = memory_.slot(at).state;
  std::uint64_t seen = state.load(std::memory_order_seq_cst);  // Q4
  const SlotState free = SlotState::of(seen);
  const SlotState own{.phase = SlotPhase::writing, .member = place_, .use = free.use + 1};
  if (free.phase != SlotPhase::free ||
      !state.compare_exchange_strong(seen, own.word(), std::memory_order_seq_cst)) {  // Q3
    return std::nullopt;
  }
  memory_.slot(at).blocks = 0;  // as it is, but for garbage
  return HeldSlot{.slot = at, .state = own};
}

// The next in turn, if that is free: its lines were asked for when the last one was sent. Its hint then stays, and
// costs whoever finds it a look.
std::optional<HeldSlot> QueueSlots::claim_slot() noexcept {
  auto claimed = claim_if_free(next_.load(std::memory_order_relaxed));  // a guess
  if (!claimed) {
    for (auto hint = free_.take_one(); hint; hint = free_.take_one()) {
      if (claimed = *hint < memory_.header().slots ? claim_if_free(*hint) : std::nullopt; claimed) {
        break;
      }
    }
  }
  return claimed;
}

void QueueSlots::prepare_next(std::uint32_t after) noexcept {
  const std::uint32_t next = after + 1 < memory_.header().slots ? after + 1 : 0;
  const QueueSlot& slot = memory_.slot(next);
  prefetch_for_writing(&slot);
  prefetch_for_writing(reinterpret_cast<const std::byte*>(&slot) + slot_bytes_at);
  next_.store(next, std::memory_order_relaxed);  // a guess
}

Result<HeldSlot> QueueSlots::claim(std::uint64_t bytes) {
  if (const std::uint64_t count = memory_.blocks_for(bytes); count != 0) {
    return claim_with_blocks(static_cast<std::uint32_t>(count));
  }
  auto held = claim_slot();
  if (!held && collect_what_was_left()) {
    held = claim_slot();
  }
  return held ? Result<HeldSlot>(*held) : fail(Errc::would_block, "Queue::send");
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
  std::atomic_signal_fence(std::memory_order_release);
  slot.blocks = count;
  state.next_block = *first + count;
  // relaxed: a figure, under the lock
  state.free_blocks.store(state.free_blocks.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
  return *held;
}

// For who needs a slot, and no blocks.
bool QueueSlots::collect_what_was_left() noexcept {
  if (memory_.state().left_spent.load(std::memory_order_seq_cst) == 0) {  // Q6
    return false;
  }
  const auto guard = lock_allocating();
  return guard && collect_spent();
}

// Of those who could not get the lock in their time. Under the lock.
bool QueueSlots::collect_spent() noexcept {
  bool any = false;
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
  if (slot.blocks != 0 && memory_.is_sound(slot)) {
    memory_.blocks().give_back(slot.first_block, slot.blocks);
    std::atomic<std::uint32_t>& free = memory_.state().free_blocks;
    free.store(free.load(std::memory_order_relaxed) + slot.blocks, std::memory_order_relaxed);  // as above
  }
  const bool is_garbage = slot.blocks != 0 && !memory_.is_sound(slot);
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
    if (const QueueSlot& slot = memory_.slot(i); slot.blocks != 0 && memory_.is_sound(slot)) {
      map.take(slot.first_block, slot.blocks);
    }
  }
  memory_.state().free_blocks.store(memory_.header().blocks - map.taken(), std::memory_order_relaxed);  // as above
}

void QueueSlots::hint_free(std::uint32_t slot) noexcept {
  if (!free_.has(slot)) {  // Q4
    free_.set(slot);
  }
}

bool QueueSlots::commit(const HeldSlot& held, std::uint64_t length, Priority priority) noexcept {
  QueueSlot& slot = memory_.slot(held.slot);
  slot.length = length;
  slot.priority = static_cast<std::uint32_t>(priority);
  slot.deliveries = 0;
  slot.sent = coarse_now();
  slot.from = self_.value();
  slot.sent_on = own_processor();
  slot.seq = memory_.state().next_seq.fetch_add(1, std::memory_order_acq_rel);  // Q2
  if (!change(held.slot, held.state, SlotPhase::ready)) {                       // Q1
    return false;
  }
  if (priority == lowest_priority) [[likely]] {
    ready_.set(held.slot);
  } else {
    urgent_.set(held.slot);
  }
  prepare_next(held.slot);
  return true;
}

bool QueueSlots::seems_filled() const noexcept {
  const QueueState& state = memory_.state();
  const std::uint32_t drains = state.drains.load(std::memory_order_acquire);                                // Q5
  return !ready_.is_empty() || state.queued.load(std::memory_order_acquire) != 0 ||                         // Q5
         !urgent_.is_empty() || drains % 2 != 0 || state.drains.load(std::memory_order_acquire) != drains;  // Q5
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
  std::uint64_t behind = state.ordered_below;
  const std::uint32_t drains = state.drains.load(std::memory_order_relaxed);  // own, under the lock
  state.drains.store(drains | 1U, std::memory_order_relaxed);                 // Q5, before the hints are taken
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

// Under the lock: what comes first in the heap comes first of all. Nothing urgent is elsewhere, or it has a number from
// before the hints were taken; and of the lowest priority, what is elsewhere was not sent before it. The senders' line
// with the next number is asked for only if more came meanwhile.
Result<void> QueueSlots::order_ready(RankHeap& heap) {
  if (!heap.is_sound()) {
    return fail(Error(Errc::corrupt, "Queue::receive").because("more is queued than there are slots"));
  }
  QueueState& state = memory_.state();
  const auto is_ordered = [&] { return heap.size() != 0 && is_later(state.ordered_below, heap.first().seq); };
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
      state.ordered_below = later_of(behind, heap.first().seq + 1);
      break;
    }
    // Else it goes on; not for ever, also where the number is garbage, since all slots are used up at last.
    state.ordered_below = again ? later_of(state.ordered_below, drawn) : state.ordered_below;
    if (again && is_ordered()) {
      break;
    }
  }
  return {};
}

// Where a single message is on its way, its lines come while the lock is taken.
void QueueSlots::ask_for_first() const noexcept {
  const auto likely = ready_.seen_first();
  if (likely && *likely < memory_.header().slots && memory_.state().queued.load(std::memory_order_relaxed) == 0) {
    const QueueSlot& slot = memory_.slot(*likely);  // relaxed: a guess
    prefetch_for_writing(&memory_.state().ready);
    prefetch_for_writing(&slot);
    __builtin_prefetch(reinterpret_cast<const std::byte*>(&slot) + slot_bytes_at);
  }
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
  state.ordered_below = state.next_seq.load(std::memory_order_acquire);            // Q2
  heap.clear();
  for (std::uint32_t i = 0; i < memory_.header().slots; ++i) {
    const SlotState seen = state_of(memory_.slot(i));
    if (seen.phase == SlotPhase::ready || seen.phase == SlotPhase::queued) {
      queue_up(heap, i, seen);
    }
  }
  state.drains.store(drains + 1, std::memory_order_release);  // Q5
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

bool QueueSlots::release(std::uint32_t at, SlotState held) noexcept {
  if (memory_.slot(at).blocks == 0) {
    if (!change(at, held, SlotPhase::free)) {  // Q3 Q4
      return false;
    }
    hint_free(at);
    return true;
  }
  if (!change(at, held, SlotPhase::spent)) {
    return false;
  }
  give_back_spent(at, held.in(SlotPhase::spent));
  return true;
}

// Who cannot get the lock leaves the slot to whoever needs it.
void QueueSlots::give_back_spent(std::uint32_t at, SlotState spent) noexcept {
  if (auto guard = lock_allocating()) {
    give_blocks_back(at, spent);
  } else {
    memory_.state().left_spent.store(1, std::memory_order_seq_cst);  // Q6
  }
}

bool QueueSlots::deliver(const HeldSlot& held) noexcept { return release(held.slot, held.state); }

void QueueSlots::abandon(const HeldSlot& held) noexcept { release(held.slot, held.state); }

// Without the lock: like a message just sent, but with the number that it had, by which it finds its place. Of the
// lowest priority, too, it is looked for as what is urgent is: it comes before what is in order already.
bool QueueSlots::give_back(const HeldSlot& held) noexcept {
  if (!change(held.slot, held.state, SlotPhase::ready)) {  // Q1
    return false;
  }
  urgent_.set(held.slot);
  return true;
}

void QueueSlots::leave_to_others() noexcept {
  std::uint64_t own = self_.value();
  memory_.member(place_).token.compare_exchange_strong(own, Token::random().value(), std::memory_order_acq_rel);  // M1
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

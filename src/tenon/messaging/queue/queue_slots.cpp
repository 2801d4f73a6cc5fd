#include <tenon/messaging/queue/queue_slots.hpp>

#include <tenon/base/prefetch.hpp>
#include <tenon/os/own_processor.hpp>

#include <chrono>
#include <ctime>

namespace tenon {

namespace {

// Longer than most hold a lock; whoever waits looks again.
constexpr std::chrono::milliseconds kept_in_lock{10};

}  // namespace

std::int64_t coarse_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

// Who is stopped in the lock keeps nobody for longer than this; who runs in it is waited for.
Result<MutexGuard> QueueSlots::lock_soon(Mutex& mutex) {
  auto guard = mutex.try_lock();
  if (guard.failed_with(Errc::would_block)) {
    guard = mutex.lock(after(kept_in_lock));
    if (guard.failed_with(Errc::timed_out)) {
      return fail(Errc::would_block, "Queue");
    }
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

// The next in turn, if that is free. Its hint then stays, and costs whoever finds it a look.
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

void QueueSlots::hint_free(std::uint32_t slot) noexcept {
  if (!free_.has(slot)) {  // Q4
    free_.set(slot);
  }
}

// Its lines come while nobody waits for them.
void QueueSlots::turn_to_next(std::uint32_t used) noexcept {
  const std::uint32_t slots = memory_.header().slots;
  const std::uint32_t next = used < slots - stride_ ? used + stride_ : used + stride_ - slots;
  next_.store(next, std::memory_order_relaxed);  // a guess
  const auto* const line = reinterpret_cast<const std::byte*>(&memory_.slot(next));
  prefetch_for_writing(line);
  prefetch_for_writing(line + slot_bytes_at);
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
  turn_to_next(held.slot);
  return true;
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

}  // namespace tenon

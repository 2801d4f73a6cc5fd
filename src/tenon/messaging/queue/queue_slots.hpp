#pragma once
/// What a member of a queue does with its slots: claims one, writes it, makes it ready; takes the first, delivers it or
/// gives it back; and takes back what the dead had.
///
/// 1. Roles. Any thread of any member claims, commits, delivers what it took or gives it back. Who takes or reclaims
///    does so under the lock `taking`, which this takes itself; who changes the map of blocks under `allocating`, taken
///    last.
/// 2. Layout. queue_layout.hpp.
/// 3. Invariants. I1: a slot's state decides what it holds; hints, heap and map are made from it. I2: only who claimed
///    a slot writes it until it is ready; only who took it, under the lock, reads it until it is free or queued again.
///    Who is dead does neither, and only who holds the lock does it for them. I3: a slot that is queued is in the heap
///    once, when nobody holds the lock; one that is ready has its hint, or who sent it or gave it back lives and sets
///    it next, or its death is not known yet. I4: what a message is taken before has a lower priority, or the same and
///    a later number; numbers are drawn before the message is ready. I5: blocks that stand in a slot are taken in the
///    map; they are written under the lock, and are none in a slot that is free.
/// 4. Edges.
///      Q1  compare-exchange of a state, to ready (commit) → load-acquire (order_ready): publishes the message.
///      Q2  fetch_add of next_seq (commit) → load-acquire (order_ready): who sees a number drawn sees the hints of all
///          that was sent before it was drawn. So what has a number below one that was read first, and comes first
///          among all that was found after, comes first. So does what comes first when no hint is left.
///      Q3  compare-exchange of a state, to free (release) → compare-exchange (claim): the message has been read.
///      Q4  state free, then has(); hint taken, then state: sequentially consistent, so that who takes a hint away and
///          finds no free slot is seen by who frees it.
///      Q5  `drains` odd, hints, heap, `drains` even (take) ↔ `drains`, heap, hints, `drains` (seems_filled): who sees
///          it even and the same before and after has not missed what was on its way from one to the other.
///      Q6  slot spent, `left_spent` (release) ↔ announce, `left_spent` (claim): sequentially consistent, and news as
///          queue_bell.hpp has it (B1).
///      Q7  a slot's first block, then its count of blocks (claim_with_blocks), in program order: the death of the one
///          process that writes them between the two leaves no blocks of another slot's there.
///      M1  store-release of a member's token, 0 (reclaim) → those of queue_port.hpp: the place is free.
///      What is under a lock is published by it.
/// 5. Progress. Claiming a slot, writing, making it ready and delivering are lock-free for messages that stand in their
///    slots: a sender that is stopped holds its own slot alone. Receivers block each other for as long as it takes to
///    move what is ready into the heap, and to take one; long messages, for as long as it takes to find room.
/// 6. If a process dies here. A sender before its message is ready: it was never sent; from then on it is sent, and
///    found by its hint, or when the death is known. A receiver before it says that it was delivered: the message is
///    where it was, by its number, once the death is known; from then on it is gone. In the lock: the next one makes
///    the heap anew from the states. In `allocating`: the map, from what stands in the slots.
/// 7. Use instead. MpmcRing between threads that live and die together.
#include <tenon/base/deadline.hpp>
#include <tenon/base/result.hpp>
#include <tenon/messaging/queue/queue_memory.hpp>
#include <tenon/messaging/queue/queue_options.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace tenon {

/// A slot that is this member's: to be written, or taken.
struct HeldSlot {
  std::uint32_t slot;
  SlotState state;
};

/// CLOCK_MONOTONIC_COARSE in nanoseconds: some 4 ms late, for a tenth of the exact one's price.
std::int64_t coarse_now() noexcept;

inline SlotState state_of(const QueueSlot& slot) noexcept {
  return SlotState::of(slot.state.load(std::memory_order_seq_cst));  // Q1 Q4
}

class QueueSlots {
 public:
  QueueSlots(QueueMemory memory, Token self, std::uint16_t place) noexcept
      : memory_(memory),
        ready_(memory_.ready()),
        urgent_(memory_.urgent()),
        free_(memory_.free()),
        self_(self),
        place_(place),
        stride_(stride_of(memory.header())),
        next_(first_of(place, memory.header())) {}

  const QueueMemory& memory() const noexcept { return memory_; }

  /// A slot with room for so many bytes, which is no more than there ever is. Outcomes: would_block (no slot is free,
  /// no room for so long a message, or somebody is kept in the lock). Failures: those of Mutex::lock, here and below.
  Result<HeldSlot> claim(std::uint64_t bytes);
  /// Its message is there from now on. False: this process was taken for dead, and the slot is another's.
  bool commit(const HeldSlot& held, std::uint64_t length, Priority priority) noexcept;
  /// A slot that was claimed and is not to be committed.
  void abandon(const HeldSlot& held) noexcept;

  /// False only if there was a moment during the call at which nothing was to be received.
  bool seems_filled() const noexcept;
  /// A number that grows as messages are found by receivers, some by some.
  std::uint64_t ordered_below() const noexcept {
    return memory_.state().ordered_below.load(std::memory_order_relaxed);  // by the lock, or a guess
  }
  /// How many messages wait, or fewer: of more than 512 slots, those not yet in order count once for 64 slots.
  std::uint32_t seen_waiting() const noexcept {
    const std::uint32_t queued = memory_.state().queued.load(std::memory_order_relaxed);  // a guess
    return queued + ready_.seen_at_top() + urgent_.seen_at_top();
  }
  /// Takes the first. Outcomes: would_block (there is none, or somebody is kept in the lock). Failures: corrupt,
  /// not_found (this process was taken for dead, and its place is given up).
  Result<HeldSlot> take();
  /// What `look` makes of the first, which stays where it is; nobody takes one meanwhile. As take().
  template <class Look>
  auto look_at_first(Look look) -> Result<decltype(look(std::declval<const QueueSlot&>()))>;
  /// Delivered, and its slot free. False: it had been taken back, since this process was taken for dead.
  bool deliver(const HeldSlot& held) noexcept;
  /// It is where it was. False: it had been taken back before.
  bool give_back(const HeldSlot& held) noexcept;

  /// Takes back what the member at this place had, whose token this is, and gives the place up. Returns how many
  /// messages came back; nothing where it is another's by now. Outcomes: would_block (somebody is kept in the lock).
  Result<std::optional<std::uint32_t>> reclaim(std::uint32_t place, Token dead);
  /// Who goes while somebody is kept in the lock: its place and all that it has are a dead one's from now on.
  void leave_to_others() noexcept;

 private:
  // Each member begins elsewhere, so that they do not all try the same.
  static std::uint32_t first_of(std::uint16_t place, const QueueHeader& header) noexcept {
    return static_cast<std::uint32_t>(std::uint64_t{place} * header.slots / header.members);
  }
  // From one slot to the next that is tried: by the golden section, so that no slots near each other are written or
  // read one soon after the other. What they stand in, processors would fetch ahead, as readers of a stream do, and so
  // take it away from whoever is about to write it.
  static std::uint32_t stride_of(const QueueHeader& header) noexcept {
    return static_cast<std::uint32_t>(std::uint64_t{header.slots} * 618 / 1000) | 1U;
  }
  void turn_to_next(std::uint32_t used) noexcept;
  std::optional<HeldSlot> claim_if_free(std::uint32_t at) noexcept;
  std::optional<HeldSlot> claim_slot() noexcept;
  void hint_free(std::uint32_t slot) noexcept;
  bool release(std::uint32_t at, SlotState held) noexcept;

  static Result<MutexGuard> lock_soon(Mutex& mutex);
  Result<MutexGuard> lock_taking();
  Result<void> order_ready(RankHeap& heap);
  void queue_up(RankHeap& heap, std::uint32_t at, SlotState state) noexcept;
  void ask_for_first() const noexcept;
  std::uint64_t drain(RankHeap& heap) noexcept;
  bool is_queued(std::uint32_t slot) const noexcept;
  void drop_garbage(RankHeap& heap) const noexcept;
  bool take_back(RankHeap& heap, std::uint32_t at, std::uint32_t place) noexcept;
  void rebuild_heap() noexcept;

  Result<MutexGuard> lock_allocating();
  Result<HeldSlot> claim_with_blocks(std::uint32_t count);
  void give_back_spent(std::uint32_t at, SlotState spent) noexcept;
  void give_blocks_back(std::uint32_t at, SlotState spent) noexcept;
  bool collect_spent() noexcept;
  bool collect_what_was_left() noexcept;
  void rebuild_map() noexcept;

  bool change(std::uint32_t at, SlotState from, SlotPhase to) noexcept {
    std::uint64_t expected = from.word();
    return memory_.slot(at).state.compare_exchange_strong(expected, from.in(to).word(),
                                                          std::memory_order_seq_cst);  // Q1 Q3 Q4
  }

  QueueMemory memory_;
  HintSet<> ready_;
  HintSet<> urgent_;
  HintSet<> free_;
  Token self_;
  std::uint16_t place_;
  std::uint32_t stride_;
  std::atomic<std::uint32_t> next_;  // the slot to try first
};

template <class Look>
auto QueueSlots::look_at_first(Look look) -> Result<decltype(look(std::declval<const QueueSlot&>()))> {
  auto guard = lock_taking();
  if (!guard) {
    return fail(std::move(guard.error()));
  }
  RankHeap heap = memory_.heap();
  if (auto ordered = order_ready(heap); !ordered) {
    return fail(std::move(ordered.error()));
  }
  const QueueSlot& first = memory_.slot(heap.first().slot);
  return memory_.is_sound(first) ? Result<decltype(look(first))>(look(first)) : fail(Errc::corrupt, "Queue::peek");
}

}  // namespace tenon

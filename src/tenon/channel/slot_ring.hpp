#pragma once
/// Slots in shared memory that carry frames from any number of senders to one receiver.
///
/// 1. Roles. Any number of processes call put(), one thread each on its own SlotRing; one process calls take(),
/// pending()
///    and reclaim(). Waiting and waking are others' business (slot_carrier.hpp): a wake is a hint, the slots are the
///    truth.
///
/// 2. Layout.
///
///     byte 0     8         12      16            24          64        72          128          192
///          | magic | version | slots | frame bytes | reserved … | tickets | reserved … | bell "filled" | bell "freed"
///          | | u64   | u32     | u32   | u64         |            | u64     |            | 64 bytes      | 64 bytes |
///
///     slot i, at 4096 + i × (64 + frame bytes rounded up to 64)
///          byte 0     8        16       20           64
///               | owner | ticket | length | reserved … | frame … |
///               | u64   | u64    | u32    |            |         |
///
/// 3. Invariants. I1: owner is 0 for a free slot, else the token of who claimed it. I2: ticket is 0 until the frame is
///    whole. I3: only who turned owner from 0 into its token writes the slot, until it sets the ticket; then only the
///    receiver does. I4: of two frames of one sender the earlier has the smaller ticket, and is whole before the later.
///    Tickets wrap at 2^64 and leave out 0: one is smaller that was drawn before, seen from the last one taken.
///
/// 4. Edges. S1 store-release owner (the receiver frees a slot) → load-acquire owner (a sender claims it): what was
/// read
///    from the slot has been read. S2 store-release ticket (put) → load-acquire ticket (take): publishes the frame and
///    its length.
///
/// 5. Progress. put() and take() are lock-free: who claims a slot holds nobody up but the slot. take() looks again
/// until
///    two looks agree on the oldest frame, which arriving frames can only delay as often as there are slots.
///
/// 6. If a process dies here. A sender before it claims: nothing. Between claim and ticket: the slot is lost until the
///    receiver hears that its owner is dead, and reclaims it. After the ticket, before the bell: the frame is there,
///    and the receiver looks again by itself. The receiver between copying a frame and freeing its slot: the frame
///    stays, and the conversation is over anyway. Nobody leaves anything half-made that others could take for whole.
///
/// 7. Use instead: a kernel queue where messages shall outlive both sides, a Unix socket where the other side's
/// identity
///    matters. Whoever may write the memory may forge frames: senders trust each other; the receiver takes nothing
///    from the slots that it has not copied and checked, and loads each length once.
#include <tenon/base/bytes.hpp>
#include <tenon/base/result.hpp>
#include <tenon/os/token.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tenon {

struct SlotRingHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t slots;
  std::uint64_t frame_bytes;
  std::uint64_t reserved[5];
  std::atomic<std::uint64_t> tickets;
  std::uint64_t more_reserved[7];
  std::byte bells[2][64];
};
static_assert(sizeof(SlotRingHeader) == 256 && offsetof(SlotRingHeader, frame_bytes) == 16);
static_assert(offsetof(SlotRingHeader, tickets) == 64 && offsetof(SlotRingHeader, bells) == 128);

struct SlotHeader {
  std::atomic<std::uint64_t> owner;
  std::atomic<std::uint64_t> ticket;
  std::atomic<std::uint32_t> length;
  std::uint32_t reserved[11];
};
static_assert(sizeof(SlotHeader) == 64 && offsetof(SlotHeader, ticket) == 8 && offsetof(SlotHeader, length) == 16);

class SlotRing {
 public:
  /// What so many slots for frames of so many bytes need.
  static std::size_t bytes_for(std::uint32_t slots, std::size_t frame_bytes) noexcept;
  /// Makes an empty ring in zeroed memory of that size, which nobody else sees yet.
  static void initialise(MutableBytes memory, std::uint32_t slots, std::size_t frame_bytes) noexcept;
  /// The ring that stands in this memory, which must outlive it. Failures: wrong_kind (it is none), version_mismatch,
  /// corrupt (it says that it is larger than the memory).
  static Result<SlotRing> open(MutableBytes memory);

  std::size_t frame_bytes() const noexcept { return frame_bytes_; }
  std::uint32_t slots() const noexcept { return slots_; }
  /// Room for a semaphore: 0 rings when a frame is there, 1 when a slot is free.
  MutableBytes bell(std::size_t which) const noexcept { return bell_in(memory_, which); }
  static MutableBytes bell_in(MutableBytes memory, std::size_t which) noexcept {
    return memory.subspan(offsetof(SlotRingHeader, bells) + sizeof(SlotRingHeader::bells[0]) * which,
                          sizeof(SlotRingHeader::bells[0]));
  }

  /// For senders: puts a frame of at most frame_bytes() into a free slot; false if there is none.
  bool put(Token owner, Bytes frame) noexcept;

  /// For the receiver: copies the oldest frame to `into`, which has room for frame_bytes(), and frees its slot; returns
  /// its size. Outcomes: would_block (there is none). Failures: corrupt (it says that it is longer than a slot; the
  /// slot is free again).
  Result<std::size_t> take(MutableBytes into) noexcept;
  /// Who has claimed a slot and not yet filled it.
  std::vector<Token> unfinished() const;
  /// Frees what `dead`, who runs no more, had claimed and not filled; returns how many slots.
  std::size_t reclaim(Token dead) noexcept;

 private:
  SlotRing(MutableBytes memory, std::uint32_t slots, std::size_t frame_bytes, std::uint64_t tickets) noexcept
      : memory_(memory), frame_bytes_(frame_bytes), slots_(slots), last_taken_(tickets) {}
  SlotRingHeader& header() const noexcept { return *reinterpret_cast<SlotRingHeader*>(memory_.data()); }
  std::byte* place(std::uint32_t slot) const noexcept;
  SlotHeader& slot(std::uint32_t slot) const noexcept { return *reinterpret_cast<SlotHeader*>(place(slot)); }
  std::uint64_t draw_ticket() noexcept;
  struct Found {
    std::uint32_t slot;
    std::uint64_t ticket;
  };
  std::optional<Found> find_oldest() const noexcept;
  void free(SlotHeader& slot) noexcept;

  MutableBytes memory_;
  std::size_t frame_bytes_;  // as it was when it was checked: what stands in the memory may change
  std::uint32_t slots_;
  std::uint32_t next_ = 0;    // where to look for a free slot first
  std::uint64_t last_taken_;  // the ticket from which the receiver counts; when it opened the ring, the last one drawn
};

}  // namespace tenon

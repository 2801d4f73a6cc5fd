#pragma once
/// What stands in a queue's memory: the file `queue.NAME` of its domain, or a part of somebody's segment. Plain C, in
/// the machine's byte order: who shares memory shares a machine.
///
///     byte 0        256     1152       type_at   members_at   hints_at          heap_at   map_at   slots_at  arena_at
///          | header | state | …        | type    | members    | ready, urgent, free | ranks   | blocks | slots   |
///          arena |
///
/// The header is written once, before others see it. The type is a record of memory/type_record_layout.hpp.
///
///     member, byte 0       8                      64
///                 | token | polls u32 | reserved |
///
///     slot, byte 0       8     16       24     28            32         36           40     48     56    64
///               | state | seq | length | first | count u32  | priority | deliveries | sent | from | …   | bytes | …
///
/// A slot's state, of 64 bits, is the truth of it:
///
///     bits 0 … 3   4 … 15     16 … 31                       32 … 63
///     | phase    | 0        | member's place, of whoever   | how often the slot was claimed or taken, which     |
///     |          |          | writes or took it            | wraps                                              |
///
/// Its message's bytes stand in the slot, or, where they have no room there, in `count` blocks of the arena from
/// `first` on. What is queued has the order of (priority, seq). `sent` is CLOCK_MONOTONIC_COARSE in nanoseconds,
/// `from` the token of the sender's life.
///
/// Everything else is an index of the slots, which can be made anew from them: the hints, bits of slots that may be
/// ready or free (hint_set.hpp), the heap of what is queued (rank_heap.hpp), the map of blocks (block_map.hpp).
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

namespace tenon {

inline constexpr std::array<char, 8> queue_magic = {'T', 'E', 'N', 'O', 'N', 'Q', 'U', 'E'};
inline constexpr std::uint32_t queue_layout_version = 1;
inline constexpr const char* queue_prefix = "queue.";

struct QueueHeader {
  std::array<char, 8> magic;
  std::uint32_t layout_version;
  std::uint32_t mode;     ///< 0
  std::uint64_t bytes;    ///< of all of it
  std::uint64_t made_by;  ///< the token of its maker's life
  std::uint64_t id;       ///< of this queue and no other
  std::uint64_t domain_device;
  std::uint64_t domain_inode;
  std::uint64_t type_at;
  std::uint64_t type_bytes;
  std::uint64_t members_at;
  std::uint64_t hints_at;
  std::uint64_t heap_at;
  std::uint64_t map_at;
  std::uint64_t slots_at;
  std::uint64_t arena_at;
  std::uint64_t slot_bytes;   ///< from one to the next
  std::uint64_t short_bytes;  ///< of a message that stands in its slot, at most
  std::uint64_t block_bytes;  ///< a power of two
  std::uint32_t slots;
  std::uint32_t members;
  std::uint32_t blocks;  ///< of the arena; may be 0
  std::uint32_t reserved;
  std::array<std::uint64_t, 12> reserved_too;
};

/// Room for a tenon::Mutex, and for a bell's word, which stand there.
using QueueMutexBytes = std::array<std::byte, 40>;
using QueueBellBytes = std::array<std::byte, 4>;

/// The topmost words of a set of hints, in one line: of up to 512 slots there are no others.
using HintTop = std::array<std::atomic<std::uint64_t>, 8>;

/// Processors fetch lines in pairs: what is written by one and read by another has two.
inline constexpr std::size_t line_pair = 128;

/// Each line is one kind of participant's, so that receivers and senders take as few as can be from each other.
struct QueueState {
  // Read by all, and written by who goes to sleep, or is alone.
  alignas(line_pair) std::atomic<std::uint32_t> removed;  ///< 1: its name was taken away
  alignas(4) QueueBellBytes arrived;                      ///< for who waits for a message
  alignas(4) QueueBellBytes freed;                        ///< for who waits for room
  std::atomic<std::uint32_t> polls_arrivals;              ///< how many members are rung by a socket as well
  std::atomic<std::uint32_t> polls_room;
  std::uint32_t reserved_0;
  std::atomic<std::int64_t> looked;     ///< when somebody last looked for the dead; CLOCK_MONOTONIC_COARSE
  std::atomic<std::uint64_t> returned;  ///< messages that the dead gave back
  std::array<std::uint64_t, 3> reserved;
  // What a sender tells a receiver by.
  alignas(line_pair) HintTop ready;   ///< the top of the hints of slots that are ready, of the lowest priority
  alignas(line_pair) HintTop urgent;  ///< and of all others, and those given back
  // Senders'.
  alignas(line_pair) std::atomic<std::uint64_t> next_seq;
  std::array<std::uint64_t, 7> reserved_2;
  // Of who found no free slot, and who frees one then.
  alignas(line_pair) HintTop free;  ///< of slots that are free
  // Receivers'.
  alignas(line_pair) QueueMutexBytes taking;  ///< whoever orders what is ready, and takes the first, holds it
  std::atomic<std::uint32_t> drains;          ///< odd while hints are taken out and not yet in the heap
  std::atomic<std::uint32_t> queued;          ///< how many are in the heap
  /// What is queued with a lower number comes before all that is not yet.
  std::atomic<std::uint64_t> ordered_below;
  std::uint64_t reserved_4;
  // The arena's.
  alignas(line_pair) QueueMutexBytes allocating;  ///< whoever changes the map of blocks holds it
  std::uint32_t next_block;                       ///< where to look for room
  std::atomic<std::uint32_t> free_blocks;
  std::atomic<std::uint32_t> left_spent;  ///< 1: there may be slots that are spent, and nobody is about to free
  std::uint32_t reserved_5;
  std::uint64_t reserved_6;
};

struct QueueMember {
  std::atomic<std::uint64_t> token;  ///< 0: nobody's
  std::atomic<std::uint32_t> polls;  ///< bit 0: it has a socket to be rung by for arrivals, bit 1: for room
  std::uint32_t owner;               ///< the user id that its socket belongs to
  std::array<std::uint64_t, 6> reserved;
};

enum class SlotPhase : std::uint8_t {
  free = 0,
  writing = 1,  ///< by the member; no message yet
  ready = 2,    ///< a message, from the member
  queued = 3,   ///< and in the heap
  taken = 4,    ///< by the member, who has it until it says that it was delivered, or gives it back, or dies
  spent = 5,    ///< delivered to the member, which is giving its blocks back
};

struct QueueSlot {
  std::atomic<std::uint64_t> state;
  std::uint64_t seq;
  std::uint64_t length;
  std::uint32_t first_block;
  std::uint32_t blocks;
  std::uint32_t priority;
  std::uint32_t deliveries;  ///< how often it was taken
  std::int64_t sent;
  std::uint64_t from;
  std::uint32_t sent_on;  ///< the processor
  std::uint32_t reserved;
};

/// What a slot's state says.
struct SlotState {
  SlotPhase phase;
  std::uint16_t member;
  std::uint32_t use;

  static constexpr SlotState of(std::uint64_t word) noexcept {
    return {.phase = static_cast<SlotPhase>(word & 15U),
            .member = static_cast<std::uint16_t>(word >> 16U),
            .use = static_cast<std::uint32_t>(word >> 32U)};
  }
  constexpr std::uint64_t word() const noexcept {
    return std::uint64_t{static_cast<std::uint8_t>(phase)} | std::uint64_t{member} << 16U | std::uint64_t{use} << 32U;
  }
  constexpr SlotState in(SlotPhase next) const noexcept { return {.phase = next, .member = member, .use = use}; }
  friend constexpr bool operator==(SlotState, SlotState) = default;
};

/// One of the heap's.
struct QueueRank {
  std::uint64_t seq;
  std::uint32_t priority;
  std::uint32_t slot;
};

inline constexpr std::size_t queue_state_at = 256;
inline constexpr std::size_t queue_type_at = 1152;
inline constexpr std::size_t slot_bytes_at = 64;

inline constexpr std::uint64_t most_queue_bytes = std::uint64_t{1} << 40;
inline constexpr std::uint32_t most_queue_slots = std::uint32_t{1} << 24;
inline constexpr std::uint32_t most_queue_members = 4096;
inline constexpr std::uint32_t most_queue_blocks = std::uint32_t{1} << 20;

/// How many words the hints of so many slots have below their topmost ones, all levels together: bits of slots, then
/// bits of words, until there are no more words than the top has.
constexpr std::uint64_t hint_words(std::uint64_t slots) noexcept {
  std::uint64_t words = 0;
  for (std::uint64_t level = (slots + 63) / 64; level > std::tuple_size_v<HintTop>; level = (level + 63) / 64) {
    words += level;
  }
  return words;
}

/// Whether all that a header tells of lies in a memory of so many bytes. No overflow: what is multiplied is bounded
/// before.
constexpr bool fits(const QueueHeader& header, std::uint64_t bytes) noexcept {
  const auto lies = [&](std::uint64_t at, std::uint64_t length) {
    return at >= queue_type_at && at % 64 == 0 && at <= bytes && length <= bytes - at;
  };
  const bool counts = header.slots >= 1 && header.slots <= most_queue_slots && header.members >= 1 &&
                      header.members <= most_queue_members && header.blocks <= most_queue_blocks &&
                      header.short_bytes <= most_queue_bytes && header.slot_bytes <= most_queue_bytes &&
                      header.block_bytes <= most_queue_bytes / most_queue_blocks;
  return counts && bytes <= most_queue_bytes && header.bytes == bytes && header.slot_bytes % 64 == 0 &&
         header.slot_bytes >= slot_bytes_at + header.short_bytes && std::has_single_bit(header.block_bytes) &&
         header.block_bytes >= 64 && header.slots <= most_queue_bytes / header.slot_bytes &&
         lies(header.type_at, header.type_bytes) && lies(header.members_at, header.members * sizeof(QueueMember)) &&
         lies(header.hints_at, 3 * hint_words(header.slots) * 8) &&
         lies(header.heap_at, header.slots * sizeof(QueueRank)) &&
         lies(header.map_at, (header.blocks + std::uint64_t{63}) / 64 * 8) &&
         lies(header.slots_at, header.slots * header.slot_bytes) &&
         lies(header.arena_at, header.blocks * header.block_bytes);
}

static_assert(sizeof(QueueHeader) == 256 && std::is_trivially_copyable_v<QueueHeader>);
static_assert(offsetof(QueueHeader, bytes) == 16 && offsetof(QueueHeader, id) == 32);
static_assert(offsetof(QueueHeader, type_at) == 56 && offsetof(QueueHeader, members_at) == 72);
static_assert(offsetof(QueueHeader, hints_at) == 80 && offsetof(QueueHeader, heap_at) == 88);
static_assert(offsetof(QueueHeader, map_at) == 96 && offsetof(QueueHeader, slots_at) == 104);
static_assert(offsetof(QueueHeader, arena_at) == 112 && offsetof(QueueHeader, slot_bytes) == 120);
static_assert(offsetof(QueueHeader, slots) == 144 && offsetof(QueueHeader, blocks) == 152);
static_assert(sizeof(QueueState) == 896 && offsetof(QueueState, arrived) == 4 && offsetof(QueueState, freed) == 8);
static_assert(offsetof(QueueState, looked) == 24 && offsetof(QueueState, returned) == 32);
static_assert(offsetof(QueueState, ready) == 128 && offsetof(QueueState, urgent) == 256);
static_assert(offsetof(QueueState, next_seq) == 384 && offsetof(QueueState, free) == 512);
static_assert(offsetof(QueueState, taking) == 640 && offsetof(QueueState, drains) == 680);
static_assert(offsetof(QueueState, queued) == 684 && offsetof(QueueState, ordered_below) == 688);
static_assert(offsetof(QueueState, allocating) == 768 && offsetof(QueueState, free_blocks) == 812 &&
              offsetof(QueueState, left_spent) == 816);
static_assert(sizeof(QueueMember) == 64 && sizeof(QueueSlot) == slot_bytes_at && sizeof(QueueRank) == 16);
static_assert(offsetof(QueueSlot, seq) == 8 && offsetof(QueueSlot, length) == 16 && offsetof(QueueSlot, blocks) == 28);
static_assert(offsetof(QueueSlot, priority) == 32 && offsetof(QueueSlot, sent) == 40 &&
              offsetof(QueueSlot, from) == 48);

}  // namespace tenon

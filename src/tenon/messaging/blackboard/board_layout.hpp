#pragma once
/// What stands in the file of a blackboard, `board.NAME` of its domain. Plain C, in the machine's byte order: who
/// shares memory shares a machine.
///
///     byte 0        256     384     types_at            table_at          entries_at                  file_bytes
///          | header | state | …     | key's, values'    | index u32 …     | entry 0 | entry 1 | …     |
///
/// The header is written once, before the file has its name. The types are records, memory/type_record_layout.hpp, one
/// behind the other: the key's, then `types` of values. The table is of a power of two places, at least twice as many
/// as there are entries; a place has 1 + the entry's number, or 0, and a key's is the first free one from the hash of
/// its bytes (FNV-1a, 64 bits) on, or one before that has its entry.
///
///     entry, byte 0       40     44     48      52         64      72      128         copies_at of the entry
///                 | mutex | bell | type | ready | reserved | state | …     | key | …   | copy 0 | copy 1 | …
///
///     copy, byte 0      8        16
///                | time | writer | value, and zeros up to a multiple of 8 | … up to a multiple of 64
///
/// Entries are used in their order; `ready` is 1 once key and type stand there, which never change after. State and
/// copies are ring/sequence_lock/sequenced_copies.hpp's. Time is CLOCK_MONOTONIC in nanoseconds, the writer the token
/// of its life (os/life).
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tenon {

inline constexpr std::array<char, 8> board_magic = {'T', 'E', 'N', 'O', 'N', 'B', 'R', 'D'};
inline constexpr std::uint32_t board_layout_version = 1;
inline constexpr const char* board_prefix = "board.";

struct BoardHeader {
  std::array<char, 8> magic;
  std::uint32_t layout_version;
  std::uint32_t mode;  ///< 0
  std::uint64_t file_bytes;
  std::uint64_t made_by;  ///< the token of its maker's life
  std::uint64_t types_at;
  std::uint64_t types_bytes;
  std::uint64_t table_at;
  std::uint32_t table_places;
  std::uint32_t types;  ///< of values
  std::uint64_t entries_at;
  std::uint64_t entry_bytes;
  std::uint32_t entries;
  std::uint32_t copies;  ///< a power of two, at least 4
  std::uint64_t key_bytes;
  std::uint64_t copies_at;  ///< in an entry
  std::uint64_t copy_bytes;
  std::uint64_t value_bytes;  ///< of the longest
  std::array<std::uint64_t, 17> reserved;
};

/// Room for a tenon::Mutex, and for a word of topic_bell.hpp, which stand there.
using BoardMutexBytes = std::array<std::byte, 40>;
using BoardBellBytes = std::array<std::byte, 4>;

struct BoardState {
  alignas(8) BoardMutexBytes adding;  ///< whoever adds a key holds it
  std::atomic<std::uint32_t> used;    ///< entries that are ready, at least: where to look for the first that is not
  std::atomic<std::uint32_t>
      barred;  ///< 1: one who may wait cannot make barriers for others: writers fence from then on
  std::array<std::uint32_t, 4> reserved;
  alignas(4) BoardBellBytes any_bell;  ///< for who waits for any key
  std::array<std::uint32_t, 15> reserved_too;
};

struct BoardEntryHead {
  alignas(8) BoardMutexBytes mutex;  ///< whoever writes holds it
  alignas(4) BoardBellBytes bell;    ///< for who waits for this key
  std::uint32_t type;                ///< which of the value types it is
  std::atomic<std::uint32_t> ready;
  std::array<std::uint32_t, 3> reserved;
  std::atomic<std::uint64_t> state;
  std::array<std::uint64_t, 7> reserved_too;
};

/// What a copy begins with; the value follows.
struct BoardCopyHead {
  std::int64_t time;
  std::uint64_t writer;
};

inline constexpr std::size_t board_state_at = 256;
inline constexpr std::size_t board_types_at = 384;
inline constexpr std::size_t board_key_at = 128;

inline constexpr std::uint64_t most_board_bytes = std::uint64_t{1} << 40;
inline constexpr std::uint32_t most_board_entries = std::uint32_t{1} << 28;
inline constexpr std::uint32_t most_board_copies = 1024;
inline constexpr std::uint32_t most_board_types = 256;
inline constexpr std::uint64_t longest_board_value = std::uint64_t{1} << 30;

/// Whether all that a header tells of lies in a file of so many bytes. No overflow: what is multiplied is bounded
/// before.
constexpr bool fits_file(const BoardHeader& header, std::uint64_t bytes) noexcept {
  const bool entry = header.key_bytes >= 1 && header.key_bytes <= longest_board_value && header.value_bytes >= 1 &&
                     header.value_bytes <= longest_board_value && header.copies >= 4 &&
                     header.copies <= most_board_copies && std::has_single_bit(header.copies) &&
                     header.copies_at % 64 == 0 && header.copies_at >= board_key_at + header.key_bytes &&
                     header.copies_at <= 2 * longest_board_value && header.copy_bytes % 64 == 0 &&
                     header.copy_bytes <= 2 * longest_board_value &&
                     header.copy_bytes >= sizeof(BoardCopyHead) + (header.value_bytes + 7) / 8 * 8 &&
                     header.entry_bytes % 64 == 0 && header.entry_bytes <= most_board_bytes &&
                     header.entry_bytes >= header.copies_at + header.copies * header.copy_bytes;
  const bool types = header.types >= 1 && header.types <= most_board_types && header.types_at >= board_types_at &&
                     header.types_at <= bytes && header.types_bytes <= bytes - header.types_at;
  const bool table = std::has_single_bit(header.table_places) && header.table_places / 2 >= header.entries &&
                     header.table_at >= board_types_at && header.table_at % 64 == 0 && header.table_at <= bytes &&
                     std::uint64_t{header.table_places} * 4 <= bytes - header.table_at;
  return bytes <= most_board_bytes && header.file_bytes == bytes && entry && types && table && header.entries >= 1 &&
         header.entries <= most_board_entries && header.entries_at % 64 == 0 && header.entries_at <= bytes &&
         header.entries <= (bytes - header.entries_at) / header.entry_bytes;
}

static_assert(sizeof(BoardHeader) == 256 && std::is_trivially_copyable_v<BoardHeader>);
static_assert(offsetof(BoardHeader, file_bytes) == 16 && offsetof(BoardHeader, types_at) == 32);
static_assert(offsetof(BoardHeader, table_at) == 48 && offsetof(BoardHeader, table_places) == 56);
static_assert(offsetof(BoardHeader, entries_at) == 64 && offsetof(BoardHeader, entries) == 80);
static_assert(offsetof(BoardHeader, copies) == 84 && offsetof(BoardHeader, key_bytes) == 88);
static_assert(offsetof(BoardHeader, copies_at) == 96 && offsetof(BoardHeader, copy_bytes) == 104);
static_assert(offsetof(BoardHeader, value_bytes) == 112);
static_assert(sizeof(BoardState) == 128 && offsetof(BoardState, used) == 40 && offsetof(BoardState, barred) == 44);
static_assert(offsetof(BoardState, any_bell) == 64);
static_assert(sizeof(BoardEntryHead) == 128 && offsetof(BoardEntryHead, bell) == 40);
static_assert(offsetof(BoardEntryHead, type) == 44 && offsetof(BoardEntryHead, ready) == 48);
static_assert(offsetof(BoardEntryHead, state) == 64);
static_assert(sizeof(BoardCopyHead) == 16);

}  // namespace tenon

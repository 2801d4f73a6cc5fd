#pragma once
/// What stands in the first two pages of a segment. Everything is little-endian and of fixed width; every place is
/// counted from the segment's first byte.
///
///     What never changes once the segment has a name:
///     byte 0      8         12    16     24      32          40          48         56     64
///          | magic | version | abi | most | arena | type hash | type size | identity | mode | …
///          | u64   | u32     | u32 | u64  | u64   | u64       | u64       | u64      | u64  |
///
///     byte 64               192                  208        256    320
///          | type name      | fields             | reserved … | lock | …
///          | u16, 126 chars | u64 offset, u64 size |          | 64   |
///
///     What changes under the lock:
///     byte 320    328          384   448     576                 640        896             4992         5120 8192
///          | size | reserved … | gap | names | first, reserved … | second   | free lists    | reserved … | journal |
///          arena … | u64  |            | 64  | 128   | u64               | 32 × u64 | 32 × 16 × u64 |            | |
///
/// `most` is how long the segment may become, `size` how long it is. Blocks stand from `arena` to `size`, each behind a
/// BlockHeader of 16 bytes; the last 16 bytes are the header of a block that is never free. `mode` 0 means that all who
/// may write the segment trust each other; no other is known yet, and an unknown one is refused. `fields` leads to a
/// description of the type's fields; none is written yet. `identity` tells a segment from a later one of its name.
#include <cstddef>
#include <cstdint>

namespace tenon {

inline constexpr std::uint64_t segment_magic = 0x314d4745534e4e54;  // "TNNSEGM1" in memory
inline constexpr std::uint32_t segment_version = 1;
inline constexpr std::uint64_t segment_arena = 8192;
/// Sizes of blocks have 39 bits: 512 GiB.
inline constexpr std::uint64_t segment_most_bytes = std::uint64_t{1} << 39;

/// A list that is searched in some log(n) steps: skip_list.hpp.
struct SkipListLayout {
  static constexpr std::size_t levels = 14;
  std::uint64_t count;
  std::uint64_t seed;
  std::uint64_t heads[levels];
};
static_assert(sizeof(SkipListLayout) == 128);

/// Old values of words, to be put back if who changes them dies half-way: journal.hpp.
struct JournalRecord {
  std::uint64_t offset;
  std::uint64_t old_value;
};
struct JournalLayout {
  static constexpr std::size_t capacity = 191;
  std::uint64_t count;
  std::uint64_t reserved;
  JournalRecord records[capacity];
};
static_assert(sizeof(JournalLayout) == 3072 && offsetof(JournalLayout, records) == 16);

/// A gap that travels through a run of elements: gap.hpp.
struct GapLayout {
  std::uint64_t active;        ///< 1 from the time when all else here is right until the elements are whole again
  std::uint64_t elements;      ///< where the run begins
  std::uint64_t element_size;  ///< bytes
  std::uint64_t at;            ///< the element that may be half-written, or stands twice
  std::uint64_t last;          ///< where the gap belongs
  std::uint64_t size_word;     ///< where the count of elements stands
  std::uint64_t size;          ///< what that count is once the gap is where it belongs
  std::uint64_t reserved;
};
static_assert(sizeof(GapLayout) == 64);

/// Which blocks are free: block_classes.hpp.
struct FreeBlocksLayout {
  static constexpr std::size_t ranges = 32;
  static constexpr std::size_t steps = 16;
  std::uint64_t first;  ///< a bit for each range that has a free block
  std::uint64_t reserved[7];
  std::uint64_t second[ranges];  ///< a bit for each step of the range that has one
  std::uint64_t heads[ranges][steps];
  std::uint64_t more_reserved[steps];
};
static_assert(offsetof(FreeBlocksLayout, second) == 64 && offsetof(FreeBlocksLayout, heads) == 320);
static_assert(sizeof(FreeBlocksLayout) == 4544);

/// Which object has which name: lists of those whose names' hashes end alike. named_objects.hpp
struct NamesLayout {
  static constexpr std::size_t first_lists = 8;
  std::uint64_t count;
  std::uint64_t table;  ///< where the heads of the lists stand; 0: in `first`
  std::uint64_t bits;   ///< of a hash that choose the list, while there is a table
  std::uint64_t side;   ///< which of their two links the objects are linked by now
  std::uint64_t reserved[4];
  std::uint64_t first[first_lists];
};
static_assert(sizeof(NamesLayout) == 128);

struct SegmentHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t abi;
  std::uint64_t most;
  std::uint64_t arena;
  std::uint64_t type_hash;
  std::uint64_t type_size;
  std::uint64_t identity;
  std::uint64_t mode;
  std::uint16_t type_name_size;
  char type_name[126];
  std::uint64_t fields[2];
  std::uint64_t reserved[6];
  std::byte lock[64];
  std::uint64_t size;
  std::uint64_t more_reserved[7];
  GapLayout gap;
  NamesLayout names;
  FreeBlocksLayout free;
  JournalLayout journal;
};
static_assert(offsetof(SegmentHeader, type_name_size) == 64 && offsetof(SegmentHeader, fields) == 192);
static_assert(offsetof(SegmentHeader, lock) == 256 && offsetof(SegmentHeader, size) == 320);
static_assert(offsetof(SegmentHeader, gap) == 384 && offsetof(SegmentHeader, names) == 448);
static_assert(offsetof(SegmentHeader, free) == 576 && offsetof(SegmentHeader, journal) == 5120);
static_assert(sizeof(SegmentHeader) == segment_arena);

/// Before each block. `size` holds the block's bytes, this header included, in its low 48 bits (a multiple of 16),
/// whether it is taken in bit 0, and in its upper 16 bits a check that is made of its place.
struct BlockHeader {
  std::uint64_t size;
  std::uint64_t before;  ///< bytes of the block before it; 0 for the first
};
/// A free block, in the list of its class.
struct FreeBlock {
  BlockHeader header;
  std::uint64_t next;
  std::uint64_t previous;  ///< 0: the list's head leads here
};
static_assert(sizeof(BlockHeader) == 16 && sizeof(FreeBlock) == 32);

/// One of the segment's named objects. Behind it stand the name, the name of the type, and the object.
struct NamedObjectLayout {
  std::uint64_t next[2];
  std::uint64_t name_hash;
  std::uint64_t object;
  std::uint64_t type_hash;
  std::uint64_t type_size;
  std::uint64_t type_alignment;
  std::uint32_t name_size;
  std::uint32_t type_name_size;
};
static_assert(sizeof(NamedObjectLayout) == 64);

}  // namespace tenon

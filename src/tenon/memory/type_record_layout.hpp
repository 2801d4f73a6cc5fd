#pragma once
/// How a type is written down where other processes, languages and tools read it. Plain C.
///
///     byte 0      8      16          24           28             32          160
///          | hash | size | alignment | fields u32 | reserved u32 | name text | field 0 | field 1 | …
///
///     field, byte 0        8      16      24     32          96          224
///                 | offset | size | count | hash | name text | kind text |
///
///     text        | length u16 | characters, zeros behind them |
#include <cstddef>
#include <cstdint>

namespace tenon {

template <std::size_t Bytes>
struct RecordText {
  std::uint16_t length;
  char characters[Bytes - 2];
};

struct FieldRecord {
  std::uint64_t offset;
  std::uint64_t size;  ///< of one of them
  std::uint64_t count;
  std::uint64_t hash;  ///< of the description of one of them
  RecordText<64> name;
  RecordText<128> kind;  ///< "f64"
};

struct TypeRecord {
  std::uint64_t hash;
  std::uint64_t size;
  std::uint64_t alignment;
  std::uint32_t fields;
  std::uint32_t reserved;
  RecordText<128> name;
};

static_assert(sizeof(RecordText<64>) == 64 && sizeof(RecordText<128>) == 128);
static_assert(sizeof(FieldRecord) == 224 && offsetof(FieldRecord, name) == 32 && offsetof(FieldRecord, kind) == 96);
static_assert(sizeof(TypeRecord) == 160 && offsetof(TypeRecord, fields) == 24 && offsetof(TypeRecord, name) == 32);

}  // namespace tenon

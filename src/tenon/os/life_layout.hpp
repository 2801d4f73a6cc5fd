#pragma once
/// What stands in a life file. Plain C, so that other languages and other versions can read it.
///
///      0               8       12      16              24              32
///     +---------------+-------+-------+---------------+---------------+
///     | magic         | layout| size  | token         | PID namespace |
///     +---------------+-------+-------+-------+-------+-------+-------+
///      32              40              48      52      56      60      64
///     +---------------+---------------+-------+-------+-------+-------+
///     | start time    | joined        | pid   | uid   |library| left  |
///     +---------------+---------------+-------+-------+-------+-------+
///      64              80                                              512
///     +---------------+------------------------------------------------+
///     | name          | command line: arguments divided by spaces, cut |
///     +---------------+------------------------------------------------+
///
/// The first 64 bytes keep their meaning in every later version. The file is written whole before it has its name, and
/// afterwards only `left` changes, once. Whether the process lives is told by the lock on the file alone, never by its
/// content, so members whose layouts differ see each other all the same.
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tenon {

inline constexpr std::array<char, 8> life_magic = {'T', 'E', 'N', 'O', 'N', 'L', 'I', 'F'};
inline constexpr std::uint32_t life_layout_version = 1;
/// Major, minor and patch version, a byte each: 0x000100 is 0.1.0.
inline constexpr std::uint32_t life_library_version = 0x000100;

struct LifeRecord {
  std::array<char, 8> magic;
  std::uint32_t layout_version;
  std::uint32_t size;  ///< bytes of the whole record
  std::uint64_t token;
  std::uint64_t pid_namespace;  ///< its inode; 0: /proc did not tell
  std::uint64_t start_time;     ///< clock ticks since boot; 0: /proc did not tell
  std::int64_t joined;          ///< CLOCK_REALTIME, nanoseconds
  std::int32_t pid;             ///< in that namespace
  std::uint32_t uid;            ///< effective, at joining
  std::uint32_t library_version;
  std::uint32_t left;  ///< 1: it has left of its own accord
  /// NUL-padded, and NUL-terminated. Any other byte may occur: escape it before showing it.
  std::array<char, 16> name;
  std::array<char, 432> command;
};

static_assert(std::is_trivially_copyable_v<LifeRecord> && std::is_standard_layout_v<LifeRecord>);
static_assert(sizeof(LifeRecord) == 512 && alignof(LifeRecord) == 8);
static_assert(offsetof(LifeRecord, magic) == 0);
static_assert(offsetof(LifeRecord, layout_version) == 8);
static_assert(offsetof(LifeRecord, size) == 12);
static_assert(offsetof(LifeRecord, token) == 16);
static_assert(offsetof(LifeRecord, pid_namespace) == 24);
static_assert(offsetof(LifeRecord, start_time) == 32);
static_assert(offsetof(LifeRecord, joined) == 40);
static_assert(offsetof(LifeRecord, pid) == 48);
static_assert(offsetof(LifeRecord, uid) == 52);
static_assert(offsetof(LifeRecord, library_version) == 56);
static_assert(offsetof(LifeRecord, left) == 60);
static_assert(offsetof(LifeRecord, name) == 64);
static_assert(offsetof(LifeRecord, command) == 80);

}  // namespace tenon

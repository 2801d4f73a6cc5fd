#pragma once
/// The order in which locks are taken, as it stands in the file `lock-order` of a domain. Plain C, so that other
/// languages and other versions can read it.
///
///      0         4096          528384           1052672         1314816       1380352
///     +---------+-------------+----------------+---------------+-------------+
///     | header  | 4,096 locks | 8,192 orders   | 2,048 places  | 4,096 holds |
///     +---------+-------------+----------------+---------------+-------------+
///
///     header      0       8        12       16       20       24       28       32     40
///                +-------+--------+--------+--------+--------+--------+--------+------+----
///                | magic | layout | size   | locks  | orders | places | holds  | made | –
///                +-------+--------+--------+--------+--------+--------+--------+------+----
///     a lock      0       8         12          16      20   24        32      40       48        128
///                +-------+---------+-----------+-------+----+---------+-------+--------+---------+
///                | key   | written | generation| kind  | –  | device  | inode | offset | name    |
///                +-------+---------+-----------+-------+----+---------+-------+--------+---------+
///     an order    0       8         16       24      32     36      40         44          48     64
///                +-------+---------+--------+-------+------+-------+----------+-----------+-------+
///                | word  | written | token  | when  | pid  | thread| held at  | wanted at | name  |
///                +-------+---------+--------+-------+------+-------+----------+-----------+-------+
///     a place     0       8         12     16                                            128
///                +-------+---------+------+-----------------------------------------------+
///                | key   | written | line | file                                          |
///                +-------+---------+------+-----------------------------------------------+
///     a hold      0       8       16
///                +-------+-------+
///                | token | what  |
///                +-------+-------+
///
/// Locks, orders and places are hash tables with open addressing, from which nothing is ever taken out: an entry lies
/// at the first free slot from its key on. A word of 0 is a free slot. What is written beside a key counts once
/// `written` says so; an order counts from its word on.
///
///     an order's word    0      12     24            40            56         58         63
///                       +------+------+-------------+-------------+----------+----------+
///                       | held |wanted| generation  | generation  | standing | proposal |
///                       |      |      | of the held | of wanted   |          |          |
///                       +------+------+-------------+-------------+----------+----------+
///     a hold's what      0             32     44     56      57
///                       +-------------+------+------+-------+
///                       | thread      | lock | place| held  |
///                       +-------------+------+------+-------+
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tenon {

inline constexpr const char* lock_order_name = "lock-order";
inline constexpr std::array<char, 8> lock_order_magic = {'T', 'E', 'N', 'O', 'N', 'L', 'O', 'C'};
inline constexpr std::uint32_t lock_order_layout_version = 1;
inline constexpr std::uint32_t most_locks = 4096;
inline constexpr std::uint32_t most_orders = 8192;
inline constexpr std::uint32_t most_places = 2048;
inline constexpr std::uint32_t most_holds = 4096;

/// What stands at `written` of a lock or a place that is whole.
inline constexpr std::uint32_t lock_order_written = 1;

enum class OrderStanding : std::uint8_t {
  proposed = 1,  ///< being looked at, or left so by one who was killed; it counts
  accepted,      ///< taken in this order, and no other stands against it
  refused,       ///< would have closed a circle; it does not count
};

struct LockOrderHeader {
  std::array<char, 8> magic;
  std::uint32_t layout_version;
  std::uint32_t size;  ///< bytes of the whole file
  std::uint32_t locks;
  std::uint32_t orders;
  std::uint32_t places;
  std::uint32_t holds;
  std::int64_t made;  ///< CLOCK_REALTIME, nanoseconds
  std::array<std::uint8_t, 4056> reserved;
};

struct LockRecord {
  std::uint64_t key;
  std::uint32_t written;
  std::uint32_t generation;  ///< how often what lies there was made anew; orders of other generations do not count
  std::uint32_t kind;
  std::uint32_t reserved;
  std::uint64_t device;  ///< of memory with a file; 0 of a process's own; of sets, the IPC namespace
  std::uint64_t inode;   ///< of the file; the process's token; the set's number
  std::uint64_t offset;  ///< in the file; the address; the semaphore's number in the set
  std::array<char, 80> name;
};

struct OrderRecord {
  std::uint64_t word;
  std::uint64_t written;  ///< the word without its last byte, once the rest is whole
  std::uint64_t token;    ///< of the process that first took them so
  std::int64_t when;      ///< CLOCK_REALTIME, nanoseconds
  std::uint32_t pid;      ///< in that process's own namespace
  std::uint32_t thread;
  std::uint32_t held_at;    ///< the number of a place
  std::uint32_t wanted_at;  ///< the number of a place
  std::array<char, 16> name;
};

struct PlaceRecord {
  std::uint64_t key;
  std::uint32_t written;
  std::uint32_t line;
  std::array<char, 112> file;  ///< its end, if it is longer
};

struct HoldRecord {
  std::uint64_t token;  ///< of the process whose slot it is, 0 while it is free
  std::uint64_t what;   ///< 0 while nothing is held
};

struct LockOrderFile {
  LockOrderHeader header;
  std::array<LockRecord, most_locks> locks;
  std::array<OrderRecord, most_orders> orders;
  std::array<PlaceRecord, most_places> places;
  std::array<HoldRecord, most_holds> holds;
};

/// An order's word, taken apart. Whatever stands in the file, the numbers are within their tables.
struct OrderWord {
  std::uint32_t held;
  std::uint32_t wanted;
  std::uint16_t held_generation;
  std::uint16_t wanted_generation;

  static constexpr std::uint64_t key_mask = (std::uint64_t{1} << 56) - 1;
  static constexpr OrderWord of(std::uint64_t word) noexcept {
    return {.held = static_cast<std::uint32_t>(word & 0xfff),
            .wanted = static_cast<std::uint32_t>(word >> 12 & 0xfff),
            .held_generation = static_cast<std::uint16_t>(word >> 24),
            .wanted_generation = static_cast<std::uint16_t>(word >> 40)};
  }
  /// Never that of another order; the standing is not in it.
  constexpr std::uint64_t key() const noexcept {
    return held | std::uint64_t{wanted} << 12 | std::uint64_t{held_generation} << 24 |
           std::uint64_t{wanted_generation} << 40;
  }
  static constexpr OrderStanding standing(std::uint64_t word) noexcept {
    return static_cast<OrderStanding>(word >> 56 & 3);
  }
  static constexpr std::uint64_t with(std::uint64_t word, OrderStanding standing) noexcept {
    return (word & ~(std::uint64_t{3} << 56)) | static_cast<std::uint64_t>(standing) << 56;
  }
  /// Proposed once more: no other proposal of the last 63 has this word.
  static constexpr std::uint64_t proposed_again(std::uint64_t word) noexcept {
    return with(word + (std::uint64_t{1} << 58), OrderStanding::proposed);
  }
};

/// What a hold says.
struct HoldWord {
  std::uint32_t thread;
  std::uint32_t lock;
  std::uint32_t place;

  static constexpr std::uint64_t held = std::uint64_t{1} << 56;
  static constexpr HoldWord of(std::uint64_t word) noexcept {
    return {.thread = static_cast<std::uint32_t>(word),
            .lock = static_cast<std::uint32_t>(word >> 32 & 0xfff),
            .place = static_cast<std::uint32_t>(word >> 44 & 0x7ff)};
  }
  constexpr std::uint64_t word() const noexcept {
    return thread | std::uint64_t{lock} << 32 | std::uint64_t{place} << 44 | held;
  }
};

static_assert(most_locks == 1U << 12 && most_places == 1U << 11, "numbers in words are within their tables");
static_assert(std::is_trivially_copyable_v<LockOrderFile> && std::is_standard_layout_v<LockOrderFile>);
static_assert(sizeof(LockOrderHeader) == 4096 && offsetof(LockOrderHeader, size) == 12);
static_assert(offsetof(LockOrderHeader, locks) == 16 && offsetof(LockOrderHeader, made) == 32);
static_assert(sizeof(LockRecord) == 128 && offsetof(LockRecord, generation) == 12);
static_assert(offsetof(LockRecord, device) == 24 && offsetof(LockRecord, name) == 48);
static_assert(sizeof(OrderRecord) == 64 && offsetof(OrderRecord, pid) == 32 && offsetof(OrderRecord, name) == 48);
static_assert(sizeof(PlaceRecord) == 128 && offsetof(PlaceRecord, line) == 12 && offsetof(PlaceRecord, file) == 16);
static_assert(sizeof(HoldRecord) == 16 && offsetof(HoldRecord, what) == 8);
static_assert(offsetof(LockOrderFile, locks) == 4096 && offsetof(LockOrderFile, orders) == 528384);
static_assert(offsetof(LockOrderFile, places) == 1052672 && offsetof(LockOrderFile, holds) == 1314816);
static_assert(sizeof(LockOrderFile) == 1380352);

}  // namespace tenon

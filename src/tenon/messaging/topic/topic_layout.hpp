#pragma once
/// What stands in the files of a topic. Plain C, in the machine's byte order: who shares memory shares a machine.
///
/// A topic is a directory of the domain, `topic.NAME`, with one file for each endpoint, which it alone may write and
/// the others map read-only, and the bell:
///
///     pub.TOKEN.LIFE      a publisher; the token of its own, and that of its process's life (os/life)
///     sub.TOKEN.LIFE      a subscriber
///     .pub.… .sub.…       one that is being made, or whose maker was killed
///     wake.TOKEN          the socket of a subscriber that is polled: publishers ring it as they wake who sleeps
///     bell                what everybody may write
///
/// A publisher's file:
///
///     byte 0        256     320     type_at   ring_at            chunks_at                file_bytes
///          | header | state | …     | type    | entries          | chunk 0 | chunk 1 | …  |
///
/// The header is written once, before the file has its name. The state is two words that the publisher writes later.
/// Entries: message_ring.hpp; type: memory/type_record_layout.hpp. A chunk begins at a multiple of 64 bytes.
///
/// A subscriber's file:
///
///     byte 0        256     320     type_at   rows_at                       the file's end
///          | header | state | …     | type    | row 0 | row 1 | …           |
///
///     row, byte 0           8      16         24     32              40            64
///              | publisher | gate | received | lost | history_short | drained | … | pin u32 … up to a line's end |
///
/// A row is what this subscriber says to one publisher; it is nobody's while `publisher` is 0. Rows are added at the
/// file's end, so there are as many as fit into the file's length. The counters are for people. `drained` is 1 once it
/// wants nothing more of a publisher that has ended, whose file goes when all who live say so.
///
/// The bell: two words, for who waits for messages and for who waits for room (topic_bell.hpp).
#include <tenon/base/cache_line.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace tenon {

inline constexpr std::string_view topic_directory_prefix = "topic.";
inline constexpr std::array<char, 8> publisher_magic = {'T', 'E', 'N', 'O', 'N', 'P', 'U', 'B'};
inline constexpr std::array<char, 8> subscriber_magic = {'T', 'E', 'N', 'O', 'N', 'S', 'U', 'B'};
inline constexpr std::uint32_t topic_layout_version = 1;
/// Where files that a distrusted peer could truncate are told: reserved, and refused until there is such a mode.
inline constexpr std::uint32_t topic_sealed_mode = 1;

/// How every endpoint's file begins; its meaning stays in each later version.
struct EndpointHead {
  std::array<char, 8> magic;
  std::uint32_t layout_version;
  std::uint32_t mode;  ///< 0
  std::uint64_t token;
  std::uint64_t life;
  std::int32_t pid;
  std::uint32_t uid;
  std::uint64_t type_at;
  std::uint64_t type_bytes;
  std::uint64_t reserved;
};

struct PublisherHeader {
  EndpointHead head;
  std::uint64_t file_bytes;
  std::uint64_t first;  ///< number of the first message
  std::uint64_t depth;  ///< how far a reliable subscriber may be behind
  std::uint64_t ring_at;
  std::uint32_t entries;
  std::uint32_t entry_bytes;
  std::uint64_t chunks_at;
  std::uint64_t chunk_bytes;
  std::uint32_t chunks;
  std::uint32_t fences;       ///< 1: it could not register for membarrier(2), and fences
  std::uint32_t timestamps;   ///< 0 none, 1 one for each batch, 2 exact
  std::uint32_t clock;        ///< of the timestamps: 0 CLOCK_MONOTONIC in nanoseconds, 1 the processor's counter
  std::uint64_t clock_ticks;  ///< what the clock showed
  std::int64_t clock_ns;      ///< at this moment of CLOCK_MONOTONIC
  std::array<std::uint64_t, 13> reserved;
};

struct PublisherState {
  std::atomic<std::uint64_t> head;    ///< the next message's number at the last scan: where to begin to look for it
  std::atomic<std::uint32_t> closed;  ///< 1: it has said that nothing more comes
  std::array<std::uint32_t, 13> reserved;
};

struct SubscriberHeader {
  EndpointHead head;
  std::uint32_t reliable;  ///< 1: publishers wait for it
  std::uint32_t max_held;  ///< pins in each row
  std::uint64_t rows_at;
  std::uint64_t row_bytes;
  std::uint32_t fences;  ///< 1: it could not register for membarrier(2), and fences
  std::uint32_t barred;  ///< 1: it cannot make barriers for others: publishers fence for it
  std::array<std::uint64_t, 20> reserved;
};

struct SubscriberState {
  std::atomic<std::int64_t> waits_since;  ///< CLOCK_MONOTONIC, nanoseconds; 0: it does not wait
  std::atomic<std::uint32_t> told;        ///< the bell's word at which its socket is to be rung; 0: it has none
  std::atomic<std::uint32_t> joined;      ///< 1: it has met all who were there, and knows where it begins with each
  std::array<std::uint32_t, 12> reserved;
};

/// What a row begins with; its pins follow.
struct SubscriberRow {
  std::atomic<std::uint64_t> publisher;
  std::atomic<std::uint64_t> gate;
  std::atomic<std::uint64_t> received;
  std::atomic<std::uint64_t> lost;
  std::atomic<std::uint64_t> history_short;
  std::atomic<std::uint64_t> drained;
  std::array<std::uint64_t, 2> reserved;
};

inline constexpr std::size_t state_at = 256;
inline constexpr std::size_t after_state = 320;

static_assert(sizeof(EndpointHead) == 64 && offsetof(EndpointHead, token) == 16 && offsetof(EndpointHead, pid) == 32);
static_assert(offsetof(EndpointHead, type_at) == 40 && offsetof(EndpointHead, type_bytes) == 48);
static_assert(sizeof(PublisherHeader) == 256 && std::is_trivially_copyable_v<PublisherHeader>);
static_assert(offsetof(PublisherHeader, file_bytes) == 64 && offsetof(PublisherHeader, first) == 72);
static_assert(offsetof(PublisherHeader, depth) == 80 && offsetof(PublisherHeader, ring_at) == 88);
static_assert(offsetof(PublisherHeader, entries) == 96 && offsetof(PublisherHeader, chunks_at) == 104);
static_assert(offsetof(PublisherHeader, chunk_bytes) == 112 && offsetof(PublisherHeader, chunks) == 120);
static_assert(offsetof(PublisherHeader, timestamps) == 128 && offsetof(PublisherHeader, clock_ticks) == 136);
static_assert(sizeof(PublisherState) == 64 && offsetof(PublisherState, closed) == 8);
static_assert(sizeof(SubscriberHeader) == 256 && std::is_trivially_copyable_v<SubscriberHeader>);
static_assert(offsetof(SubscriberHeader, reliable) == 64 && offsetof(SubscriberHeader, max_held) == 68);
static_assert(offsetof(SubscriberHeader, rows_at) == 72 && offsetof(SubscriberHeader, row_bytes) == 80);
static_assert(offsetof(SubscriberHeader, fences) == 88 && offsetof(SubscriberHeader, barred) == 92);
static_assert(sizeof(SubscriberState) == 64 && offsetof(SubscriberState, told) == 8);
static_assert(offsetof(SubscriberState, joined) == 12);
static_assert(sizeof(SubscriberRow) == 64 && offsetof(SubscriberRow, gate) == 8);
static_assert(offsetof(SubscriberRow, lost) == 24 && offsetof(SubscriberRow, history_short) == 32);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace tenon

#pragma once
/// What stands in the two files of a stream, `stream.w.NAME` and `stream.r.NAME` of its domain. Plain C, in the
/// machine's byte order: who shares memory shares a machine.
///
/// The writer's is written by the writer alone, the reader's by the reader alone; each maps the other's read-only. Both
/// begin alike; the writer's has the bytes behind.
///
///     byte 0        256     512   4096 = bytes_at            file_bytes
///          | header | state | …   | the stream's bytes | …   |
///
///     state, byte 0      8      12      64     72       80            88      128
///                 | peer | bell | polls | wish | wished | waits_since | waits | index | …
///
/// The header is written once, before the file has its name. `index` is how far its owner is: the writer has written
/// the bytes up to it, the reader has read those up to its own. Byte i stands at i modulo `capacity`, a power of two;
/// the first is `first`, 0 but in tests. `peer` is the token of whom its owner has chosen: the reader asks the writer
/// so, and the writer's answer joins them (stream_meeting.hpp). `bell` is what the other side sleeps on, `wish` and
/// `wished` say what its owner sleeps for (stream_bell.hpp). While `polls` is 1, who rings also sends to the socket
/// `stream.wake.TOKEN` of the domain. What else there is, is for people.
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace tenon {

enum class StreamRole : std::uint8_t { writer, reader };

constexpr StreamRole opposite(StreamRole role) noexcept {
  return role == StreamRole::writer ? StreamRole::reader : StreamRole::writer;
}
constexpr std::string_view stream_prefix(StreamRole role) noexcept {
  return role == StreamRole::writer ? "stream.w." : "stream.r.";
}
inline constexpr std::string_view stream_wake_prefix = "stream.wake.";

constexpr std::array<char, 8> stream_magic(StreamRole role) noexcept {
  return {'T', 'E', 'N', 'O', 'N', 'S', 'T', role == StreamRole::writer ? 'W' : 'R'};
}
inline constexpr std::uint32_t stream_layout_version = 1;

struct StreamHeader {
  std::array<char, 8> magic;
  std::uint32_t layout_version;
  std::uint32_t mode;   ///< 0
  std::uint64_t token;  ///< of this end
  std::uint64_t life;   ///< of its process
  std::int32_t pid;
  std::uint32_t uid;
  std::uint64_t file_bytes;
  std::uint64_t first;
  std::uint64_t capacity;  ///< a power of two; the reader's: 0
  std::uint64_t bytes_at;  ///< the reader's: 0
  std::uint32_t fences;    ///< 1: it could not register for membarrier(2), and fences
  std::uint32_t barred;    ///< 1: it cannot make barriers for others: the other side fences
  std::array<std::uint64_t, 22> reserved;
};

struct StreamState {
  std::atomic<std::uint64_t> peer;
  std::atomic<std::uint32_t> bell;
  std::atomic<std::uint32_t> polls;
  std::array<std::uint64_t, 6> reserved;
  std::atomic<std::uint64_t> wish;
  std::atomic<std::uint64_t> wished;
  std::atomic<std::int64_t> waits_since;  ///< CLOCK_MONOTONIC, nanoseconds; 0: it does not wait
  std::atomic<std::uint64_t> waits;       ///< how often it slept
  std::array<std::uint64_t, 4> reserved_too;
  std::atomic<std::uint64_t> index;
  std::array<std::uint64_t, 15> reserved_as_well;
};

inline constexpr std::size_t stream_state_at = 256;
inline constexpr std::size_t stream_bytes_at = 4096;
inline constexpr std::uint64_t most_stream_bytes = std::uint64_t{1} << 40;

/// Whether all that a header tells of lies in a file of so many bytes.
constexpr bool fits_stream_file(const StreamHeader& header, StreamRole role, std::uint64_t bytes) noexcept {
  const bool runs =
      role == StreamRole::reader ||
      (std::has_single_bit(header.capacity) && header.capacity <= most_stream_bytes &&
       header.bytes_at == stream_bytes_at && bytes >= stream_bytes_at && header.capacity <= bytes - stream_bytes_at);
  return bytes >= stream_bytes_at && header.file_bytes == bytes && runs;
}

static_assert(sizeof(StreamHeader) == 256 && std::is_trivially_copyable_v<StreamHeader>);
static_assert(offsetof(StreamHeader, token) == 16 && offsetof(StreamHeader, pid) == 32);
static_assert(offsetof(StreamHeader, file_bytes) == 40 && offsetof(StreamHeader, capacity) == 56);
static_assert(offsetof(StreamHeader, bytes_at) == 64 && offsetof(StreamHeader, fences) == 72);
static_assert(sizeof(StreamState) == 256 && offsetof(StreamState, bell) == 8 && offsetof(StreamState, polls) == 12);
static_assert(offsetof(StreamState, wish) == 64 && offsetof(StreamState, wished) == 72);
static_assert(offsetof(StreamState, waits_since) == 80 && offsetof(StreamState, waits) == 88);
static_assert(offsetof(StreamState, index) == 128);
static_assert(stream_state_at + sizeof(StreamState) <= stream_bytes_at);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace tenon

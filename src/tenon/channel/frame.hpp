#pragma once
/// What goes over every channel: a piece of a message that says whose it is, where it belongs, and that it is whole.
///
// clang-format off: a picture
///     0        4         6        8          16          24          32        36         40         44    48
///     | magic  | version | kind   | sender   | message   | offset    | length  | priority | reserved | crc | payload …
///     | u32    | u16     | u16    | u64      | u64       | u64       | u32     | u32      | u32 (0)  | u32 |
// clang-format on
///
/// Little-endian. `sender` is a Token; `message` counts from 1 for each sender; `offset` is where the payload stands in
/// the message; `crc` is CRC-32C over the header with crc = 0, then the payload.
#include <tenon/base/bytes.hpp>
#include <tenon/os/token.hpp>

#include <cstddef>
#include <cstdint>

namespace tenon {

enum class FrameKind : std::uint16_t {
  part = 0,   ///< more of the message follows
  last = 1,   ///< the last part of a message
  end = 2,    ///< the sender has said all it had to say
  abort = 4,  ///< the sender gives up; the message it was sending is void
};

struct FrameHeader {
  std::uint32_t magic;
  std::uint16_t version;
  FrameKind kind;
  std::uint64_t sender;
  std::uint64_t message;
  std::uint64_t offset;
  std::uint32_t length;
  std::uint32_t priority;
  std::uint32_t reserved;
  std::uint32_t crc;
};
static_assert(sizeof(FrameHeader) == 48);
static_assert(offsetof(FrameHeader, sender) == 8 && offsetof(FrameHeader, offset) == 24);
static_assert(offsetof(FrameHeader, length) == 32 && offsetof(FrameHeader, crc) == 44);

struct Frame {
  Token sender = nobody;
  std::uint64_t message = 0;
  std::uint64_t offset = 0;
  FrameKind kind = FrameKind::part;
  std::uint32_t priority = 0;
  Bytes payload = {};  ///< borrowed

  static constexpr std::size_t header_size = sizeof(FrameHeader);
  /// The longest payload that a receiver takes: whatever a length field says, no more is allocated for it.
  static constexpr std::size_t most_payload = 1U << 20;

  /// Writes header and payload into `into`, which has room; returns their size.
  std::size_t encode(MutableBytes into) const;

  /// The size of the whole frame that begins with these bytes (at least header_size of them). Failures: corrupt (these
  /// are no frames of Tenon's), version_mismatch.
  static Result<std::size_t> size_of(Bytes beginning);
  /// The priority of a frame that encode() wrote.
  static std::uint32_t priority_of(Bytes encoded);
  /// Reads one whole frame, which must be exactly `whole`; the payload points into it. Failures: also corrupt
  /// (checksum).
  static Result<Frame> decode(Bytes whole);
};

}  // namespace tenon

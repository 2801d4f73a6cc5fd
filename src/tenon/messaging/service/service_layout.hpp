#pragma once
/// What stands in the files of a service. Plain C, in the machine's byte order: who shares memory shares a machine.
///
/// A service is a directory of the domain, `service.NAME`, with an inbox for each server and each client:
///
///     server.TOKEN.LIFE/     its server subscribes here, and each client publishes its requests
///     client.TOKEN.LIFE/     its client subscribes here, and each server that it called publishes responses
///
/// TOKEN is the end's own, and that of its endpoints in the inboxes of others; LIFE that of its process (os/life). An
/// inbox is a directory as a topic's (topic_layout.hpp), with entries of 13 words, of which the first three are the
/// head of a call:
///
///     byte 0        8       16      24       32     40      44      45      46       48      52   56        128
///          | number | time | about | number | detail | kind u8 | calls u8 | window u16 | count u32 | payload … |
///            └ of the entry          └ of the call
///
/// The payload is up to 80 bytes in the entry itself, or the number of a chunk in its first word. `about` tells which,
/// and the bytes of the payload alone. Each endpoint's type is that of both messages: service_type.hpp.
#include <tenon/messaging/topic/message_layout.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenon {

inline constexpr std::string_view service_directory_prefix = "service.";

enum class CallKind : std::uint8_t {
  // Of a client.
  call = 1,  ///< detail: the deadline, CLOCK_MONOTONIC; calls, window, count: what it may have under way, and hold
  cancel,
  credit,  ///< count: so many parts more may come
  // Of a server.
  part,     ///< count: its number, from 0 on
  last,     ///< likewise, and nothing follows
  end,      ///< nothing follows
  text,     ///< the beginning of a refusal's text
  refusal,  ///< detail: the application's error; the payload ends its text
  dropped,  ///< nothing follows. detail: why, a DropReason
};

enum class DropReason : std::uint8_t { unanswered = 0, too_late = 1, cancelled = 2 };

struct CallHead {
  static constexpr std::size_t words = 3;

  std::uint64_t number = 0;
  std::int64_t detail = 0;
  CallKind kind = CallKind::call;
  std::uint8_t calls = 0;
  std::uint16_t window = 0;
  std::uint32_t count = 0;

  constexpr std::array<std::uint64_t, words> packed() const noexcept {
    return {number, static_cast<std::uint64_t>(detail),
            std::uint64_t{static_cast<std::uint8_t>(kind)} | std::uint64_t{calls} << 8 | std::uint64_t{window} << 16 |
                std::uint64_t{count} << 32};
  }
  static constexpr CallHead unpack(std::uint64_t number, std::uint64_t detail, std::uint64_t rest) noexcept {
    return {.number = number,
            .detail = static_cast<std::int64_t>(detail),
            .kind = static_cast<CallKind>(rest),
            .calls = static_cast<std::uint8_t>(rest >> 8),
            .window = static_cast<std::uint16_t>(rest >> 16),
            .count = static_cast<std::uint32_t>(rest >> 32)};
  }
};

using CallEntry = MessageEntry<13>;
inline constexpr std::size_t payload_words = CallEntry::words - CallHead::words;
inline constexpr std::size_t most_inline_payload = payload_words * sizeof(std::uint64_t);
static_assert(offsetof(CallEntry, word) == 24 && sizeof(CallEntry) == 128 && most_inline_payload == 80);

/// What a client may ask for.
inline constexpr std::uint32_t most_calls = 64;
inline constexpr std::uint32_t most_window = 1024;
inline constexpr std::uint32_t most_held_responses = 1024;
/// Entries for the end of a call, beside its parts: a refusal's text takes several.
inline constexpr std::uint32_t entries_of_an_end = 3;
inline constexpr std::size_t longest_refusal_text = entries_of_an_end * most_inline_payload;

/// How many entries a server's responses to one client take at most before it receives any.
constexpr std::uint32_t response_depth(std::uint32_t calls, std::uint32_t window) noexcept {
  return calls * (window + entries_of_an_end);
}
/// How many responses in chunks a client may hold, so that it can take all that it has credit for out of the ring.
constexpr std::uint32_t response_pins(std::uint32_t calls, std::uint32_t window, std::uint32_t held) noexcept {
  return calls * (window + 1) + held;
}

}  // namespace tenon

#pragma once
/// What the maker of a queue chooses, and what a receiver is told of a message.
#include <tenon/messaging/topic/topic_options.hpp>
#include <tenon/os/token.hpp>

#include <cstdint>

namespace tenon {

struct QueueOptions {
  /// How many messages it holds, those included that were taken and are not acknowledged yet; at least 1.
  std::uint32_t messages = 256;
  /// Of messages of any length: how many bytes of long ones it holds, in blocks of 64 bytes or more. The longest
  /// message may have as many.
  std::uint64_t bytes = std::uint64_t{1} << 20;
  /// Of messages of any length: up to this many bytes one takes no room but its slot's.
  std::uint32_t short_bytes = 64;
  /// How many handles may have it open at once, in all processes.
  std::uint32_t members = 64;
};

/// The higher one is received first; of those with the same the one that was sent first.
enum class Priority : std::uint32_t {};
inline constexpr Priority lowest_priority{0};

/// What is known of a message beside its value.
struct MessageStamp {
  Priority priority = lowest_priority;
  std::uint64_t number = 0;      ///< those of one sender grow; no two of a queue have the same
  std::uint32_t deliveries = 1;  ///< how often it was taken: more than once where one that had it died, or gave it back
  std::int64_t sent = 0;         ///< CLOCK_MONOTONIC_COARSE in nanoseconds
  Token from = nobody;           ///< the life (os/life) of the process that sent it
};

/// What a queue holds; all figures are of one moment or another while they were asked for.
struct QueueFill {
  std::uint32_t waiting = 0;  ///< messages that are there to be received
  std::uint32_t taken = 0;    ///< and those that somebody has taken and not acknowledged
  std::uint32_t being_sent = 0;
  std::uint32_t messages = 0;    ///< how many it holds at most
  std::uint64_t free_bytes = 0;  ///< of the arena for long ones
  std::uint64_t bytes = 0;
  std::uint64_t returned = 0;  ///< messages that came back from the dead since it was made
};

}  // namespace tenon

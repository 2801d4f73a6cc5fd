#pragma once
/// What a publisher and a subscription choose, each for itself.
#include <chrono>
#include <cstdint>

namespace tenon {

/// What a publisher does when a reliable subscriber is `depth` messages behind.
enum class WhenFull : std::uint8_t {
  wait,    ///< until the deadline of publish()
  refuse,  ///< would_block, at once
  evict,   ///< wait for evict_after, then go on without the slowest, which finds a gap
};

/// What a message's time is. The values stand in the publisher's file.
enum class Timestamps : std::uint8_t {
  none = 0,
  batch = 1,  ///< when its batch was begun to be published; of one that is published singly, as exact
  exact = 2,  ///< when it was published
};

/// How one waits: a subscriber for a message, a publisher for room.
enum class Waiting : std::uint8_t {
  adaptive,  ///< spins for some 50 µs where that may help, or gives others a turn, then sleeps
  spin,      ///< a subscriber never sleeps; a publisher as adaptive
  sleep,     ///< sleeps at once
};

struct PublisherOptions {
  /// How many messages a reliable subscriber may be behind, at least 1. 0: 1,024 short messages, or as many long ones
  /// as 4 MiB hold, 4 at least and 1,024 at most, where slices count as the longest.
  std::uint32_t depth = 0;
  /// Of slices: how many elements the longest may have; of messages with a tail: how many bytes of tail. 0: 64 KiB.
  std::uint64_t longest = 0;
  /// Of long messages: how many may be lent and not yet published.
  std::uint32_t max_loans = 2;
  /// Of long messages: how many all subscribers together may hold beyond those that the ring still has.
  std::uint32_t held = 16;
  Timestamps timestamps = Timestamps::exact;
  WhenFull when_full = WhenFull::wait;
  std::chrono::nanoseconds evict_after = std::chrono::seconds(1);
  Waiting waiting = Waiting::adaptive;
};

struct SubscriberOptions {
  /// Publishers wait for it; else it may be overtaken, and is told by how much.
  bool reliable = true;
  /// Of long messages: how many it may hold at once from one publisher, at least 1.
  std::uint32_t max_held = 4;
  /// So many of the messages that were published before it came, as far as the ring still has them.
  std::uint64_t history = 0;
  /// Passes over all but the newest message of each publisher; what it passes over is not lost.
  bool newest_only = false;
  /// Messages of several publishers in the order of their times: each waits until every other publisher has shown a
  /// later one, but no longer than this after its own time. 0: as they are found, each publisher in its turn.
  std::chrono::nanoseconds ordered_within = std::chrono::nanoseconds(0);
  /// Adaptive: not where the publisher runs on this very processor.
  Waiting waiting = Waiting::adaptive;
};

}  // namespace tenon

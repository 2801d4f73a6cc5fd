#pragma once
/// What each end of a stream chooses for itself.
#include <tenon/messaging/topic/topic_options.hpp>

#include <cstdint>

namespace tenon {

struct StreamWriterOptions {
  /// How many bytes may be written and not yet read, at least 1, and up to the next power of two. What is no longer
  /// than a second-level cache is copied fastest.
  std::uint64_t capacity = 256 << 10;
  /// How it waits for room.
  Waiting waiting = Waiting::adaptive;
};

struct StreamReaderOptions {
  /// How it waits for bytes.
  Waiting waiting = Waiting::adaptive;
};

}  // namespace tenon

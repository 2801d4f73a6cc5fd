#pragma once
/// What a server and a client choose, each for itself.
#include <tenon/messaging/topic/topic_options.hpp>

#include <cstdint>

namespace tenon {

struct ServerOptions {
  /// Of slices: how many elements the longest response, or part of one, may have; of messages with a tail: how many
  /// bytes of tail. 0: 64 KiB.
  std::uint64_t longest = 0;
  /// Of long responses: how many may be lent to be written in place, to each client.
  std::uint32_t max_loans = 2;
  /// What a client may ask to be reserved for its responses; of one that wants more, calls are not taken.
  std::uint64_t most_bytes_per_client = std::uint64_t{64} << 20;
  Waiting waiting = Waiting::adaptive;
};

struct ClientOptions {
  /// Calls to one server that have no answer yet, 64 at most. 0: 32, or 8 where requests or responses are long.
  std::uint32_t max_calls = 0;
  /// Parts of one response that a server may send before they are received, 1,024 at most. 0: 8, or 2 of long ones.
  std::uint32_t window = 0;
  /// Of slices: how many elements the longest request may have; of messages with a tail: how many bytes of tail.
  /// 0: 64 KiB.
  std::uint64_t longest = 0;
  /// Of long requests: how many may be lent to be written in place, for each server.
  std::uint32_t max_loans = 2;
  /// Of long responses: how many of one server may be kept beside those that are still to be received, 1,024 at most.
  std::uint32_t max_held = 4;
  Waiting waiting = Waiting::adaptive;
};

}  // namespace tenon

#pragma once
/// The messages that wait in a queue, without taking them. messaging/queue/queue_layout.hpp
#include <tenon/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::inspect {

struct WaitingMessage {
  std::uint64_t number;  ///< of its queue: which was sent first
  std::uint32_t priority;
  std::uint32_t deliveries;  ///< how often it was taken before
  std::int64_t waits;        ///< nanoseconds since it was sent
  std::uint64_t bytes;
  std::string begins;  ///< the first of them
};

/// The first `most` in the order in which they will be received, with up to `bytes` of each. Read and not mapped; one
/// that was taken while it was read is left out. Outcomes: not_found. Failures: permission_denied, corrupt,
/// version_mismatch, wrong_kind, limit_reached.
Result<std::vector<WaitingMessage>> waiting_messages(const std::string& domain, std::string_view queue,
                                                     std::size_t most, std::size_t bytes);

}  // namespace tenon::inspect

#pragma once
/// The messages that a topic's publishers have sent last, without receiving them. messaging/topic/topic_layout.hpp
#include <tenon/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace tenon::inspect {

struct PublishedMessage {
  pid_t publisher;
  std::uint64_t number;  ///< of its publisher's, from 0
  std::uint64_t bytes;
  std::string begins;  ///< the first of them
};

/// The newest `most` of each publisher whose file is there, the oldest of them first, with up to `bytes` of each. Read
/// and not mapped: nobody is joined, and no publisher waits. One that was overwritten while it was read is left out.
/// Outcomes: not_found. Failures: permission_denied, wrong_kind, corrupt, version_mismatch, not_supported.
Result<std::vector<PublishedMessage>> newest_messages(const std::string& domain, std::string_view topic,
                                                      std::size_t most, std::size_t bytes);

}  // namespace tenon::inspect

#pragma once
/// How much stands in a pipe, asked through a duplicate of a holder's descriptor. pidfd_getfd(2), pipe(7)
#include <tenon/inspect/snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace tenon::cli {

struct PipeDepth {
  std::uint64_t unread;    ///< bytes
  std::uint64_t capacity;  ///< bytes
};

struct PipeDepthSeen {
  std::optional<PipeDepth> depth;
  std::string unseen = {};  ///< why not; "" where the object is no pipe
};

/// Of a pipe or a FIFO that somebody has open. While the duplicate is there, less than a millisecond, its end would not
/// be seen to close: two system calls lie between making it and closing it.
PipeDepthSeen pipe_depth(const inspect::Snapshot& all, std::size_t object);

}  // namespace tenon::cli

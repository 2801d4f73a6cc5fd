#pragma once
/// The lines of the benchmark of streams: bytes one way and there and back, beside a bare ring of bytes and a pipe.
#include <tenon/messaging/stream/stream_options.hpp>
#include <limits/limit.hpp>
#include <topic/row.hpp>

#include <cstddef>
#include <vector>

namespace streams {

struct Traffic {
  std::size_t bytes = 64;  ///< of a message, whole words
  std::size_t capacity = tenon::StreamWriterOptions().capacity;
  tenon::Waiting waiting = tenon::Waiting::spin;
};

topics::Row one_way_beside_ring(const Traffic& traffic);
topics::Row one_way_beside_pipe(const Traffic& traffic);
topics::Row there_and_back_beside_ring(const Traffic& traffic);

/// These three for each size, in the order in which they are printed.
std::vector<topics::Row> rows_of(const std::vector<std::size_t>& sizes, tenon::Waiting waiting);

}  // namespace streams

#pragma once
/// Calls of a service as subjects, and the rows that set them beside a topic's messages there and back.
#include <tenon/messaging/topic/topic_options.hpp>
#include <harness/subject.hpp>
#include <topic/idle.hpp>
#include <topic/row.hpp>

#include <cstddef>
#include <vector>

namespace services {

/// A request and a response of so many bytes, whole words: of 8, 40 and 64 by a type of that size, else as Bytes.
harness::Subject round_trip(std::size_t bytes, tenon::Waiting waiting);
/// As topics::there_and_back_asleep.
harness::Subject round_trip_asleep(std::size_t bytes, limits::Where where);

/// A call beside a topic's message there and back, in the same run.
topics::Row call_row(std::size_t bytes, tenon::Waiting waiting);
std::vector<topics::Row> all_rows();

/// What a server uses that waits for a client that lives and says nothing: `subscriber` of it.
tenon::Result<topics::Idleness> measure_idleness(tenon::Waiting waiting, std::chrono::nanoseconds time);

}  // namespace services

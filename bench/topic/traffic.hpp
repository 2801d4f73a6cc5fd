#pragma once
/// Messages through a topic, as subjects: the same work as the bare rings and pools do.
#include <tenon/messaging/topic/topic_options.hpp>
#include <harness/subject.hpp>
#include <limits/limit.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace topics {

struct Traffic {
  /// Whole words. Of 8, 40 and 64 bytes the messages have a type of that size; of all else they are Bytes.
  std::size_t bytes = 8;
  tenon::PublisherOptions publisher = {};
  tenon::SubscriberOptions subscriber = {};
  /// Of 8, 40 and 64 bytes: so many are published, and received, by one call.
  std::size_t at_once = 1;
  /// Of messages longer than an entry: nobody writes or reads the payload.
  bool untouched = false;
};

/// "depth 1,024, spin, no time": what makes one row differ from another.
std::string options_text(const Traffic& traffic);

harness::Subject there_and_back(const Traffic& traffic);
/// As limits::there_and_back_asleep.
harness::Subject there_and_back_asleep(const Traffic& traffic, limits::Where where);
harness::Subject one_way(const Traffic& traffic);
/// One publisher and so many subscribers, each of which checks every message. An operation is one publish; the block
/// ends when the last of them has read its last byte. Of 64 bytes. Subscribers that spin poll, and let the others on
/// their processor run when nothing is there.
harness::Subject fan_out(const Traffic& traffic, std::size_t subscribers);

/// Depth and chunks as the caches of a pair of cores like them for messages of this size, with these ways to wait.
Traffic usual(std::size_t bytes, tenon::Waiting waiting);
/// The same for one message that is under way at a time: the fewer chunks it goes through, the nearer they are.
Traffic usual_trip(std::size_t bytes, tenon::Waiting waiting);

}  // namespace topics

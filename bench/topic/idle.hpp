#pragma once
/// What a process costs while it waits for a message that does not come.
#include <tenon/base/result.hpp>
#include <tenon/messaging/topic/topic_options.hpp>

#include <chrono>

namespace topics {

struct Idleness {
  /// Of one processor's time, the part that a subscriber used that waits for a publisher that lives and says nothing.
  double subscriber = 0;
  /// The same of a bare futex wait with the same recheck.
  double bare = 0;
};

/// Both waits last so long, at once, in a process each. Failures: those of spawn(); aborted, if one of them failed.
tenon::Result<Idleness> measure_idleness(tenon::Waiting waiting, std::chrono::nanoseconds time);

}  // namespace topics

#pragma once
/// The ends of a queue of Tenon's, of the kernel's and of Boost's, which all do the same: a message goes in, a message
/// comes out. queue.hpp, mq_overview(7)
#include <tenon/base/bytes.hpp>
#include <tenon/messaging/queue/queue.hpp>
#include <topic/start_domain.hpp>

#include <cstddef>
#include <functional>
#include <memory>

namespace queues {

enum class Wait : unsigned char {
  polling,   ///< asks again and again
  sleeping,  ///< sleeps in the call that waits, at once
  usual,     ///< as whoever chooses nothing does
};

struct Traffic {
  std::size_t bytes = 64;  ///< of a message, whole words
  Wait wait = Wait::polling;
};

/// One end; copies are the same end.
struct End {
  std::function<void(tenon::Bytes)> send;
  std::function<void(tenon::MutableBytes)> receive;
};

/// Opens the queue of a start, or makes it.
using OpenEnd = std::function<End(tenon::MutableBytes shared)>;

OpenEnd tenon_end(const Traffic& traffic);
OpenEnd kernel_end(const Traffic& traffic);
OpenEnd boost_end(const Traffic& traffic);

/// For Subject::prepare: a domain of its own, and names that go when the start is over, or this process ends. The ends
/// are killed, and could not take them away.
void new_start(tenon::MutableBytes shared);

/// How many messages Tenon's and Boost's hold. The kernel's hold as many as an ordinary user may ask for: ten.
inline constexpr std::size_t queue_length = 256;

}  // namespace queues

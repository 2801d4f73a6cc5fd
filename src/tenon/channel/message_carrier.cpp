#include <tenon/channel/message_carrier.hpp>

#include <tenon/os/clock.hpp>

#include <algorithm>

namespace tenon {

namespace {

// A look at the rendezvous costs some system calls, so that a sender that waits for long looks seldom.
constexpr std::chrono::nanoseconds shortest_wait = std::chrono::microseconds(200);
constexpr std::chrono::nanoseconds longest_wait = std::chrono::milliseconds(20);
constexpr int part_of_waited = 8;

}  // namespace

Result<void> MessageSink::wait_receiver_gone(Deadline deadline) {
  const auto now = Deadline::Clock::now();
  first_wait_ = first_wait_.value_or(now);
  const auto step = std::clamp((now - *first_wait_) / part_of_waited, shortest_wait, longest_wait);
  return sleep_until(deadline.or_sooner(after(step)));
}

Result<Frame> MessageSource::take(Deadline deadline) {
  return receive(buffer_, deadline).and_then([this](std::size_t size) {
    return Frame::decode(Bytes(buffer_).first(size));
  });
}

}  // namespace tenon

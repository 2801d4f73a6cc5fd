#pragma once
/// What a mechanism must be able to do to be a channel: carry frames one way.
///
/// A new channel is a FrameSink and a FrameSource; the rest (parts, order, ends, who is alive) is the same for all.
/// Those over bytes stand in pipe_carrier.hpp, what those over messages share in message_carrier.hpp.
#include <tenon/base/deadline.hpp>
#include <tenon/channel/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <sys/types.h>

namespace tenon {

/// The highest priority of a message, on channels that have priorities; 0 is the lowest.
inline constexpr std::uint32_t most_priority = 32767;

struct Capabilities {
  bool framed = false;       ///< the mechanism itself keeps message boundaries
  bool priority = false;     ///< messages of a higher one overtake those of a lower
  bool descriptors = false;  ///< can pass descriptors along
  bool credentials = false;  ///< the kernel vouches for the sender
  bool zero_copy = false;
  bool pollable = false;
  bool persistent = false;   ///< what was sent outlives both processes
  std::size_t capacity = 0;  ///< bytes in flight before a sender waits
};

class FrameSink {
 public:
  FrameSink() = default;
  FrameSink(const FrameSink&) = delete;
  FrameSink& operator=(const FrameSink&) = delete;
  virtual ~FrameSink() = default;

  /// The largest frame that goes in one piece, header included.
  virtual std::size_t frame_size() const = 0;
  /// Sends one encoded frame, wholly or not at all. Outcomes: timed_out, stopped, closed (nobody will receive it).
  virtual Result<void> put(Bytes frame, Deadline deadline) = 0;
  /// Waits for a sign that the receiver has gone, where the mechanism gives one. Outcomes: timed_out, stopped.
  virtual Result<void> wait_receiver_gone(Deadline deadline) = 0;
  virtual Capabilities capabilities() const = 0;
};

class FrameSource {
 public:
  FrameSource() = default;
  FrameSource(const FrameSource&) = delete;
  FrameSource& operator=(const FrameSource&) = delete;
  virtual ~FrameSource() = default;

  /// The next frame; its payload is good until the next call. Outcomes: timed_out, stopped, closed (no sender is left
  /// and all is read). Failures: corrupt, version_mismatch.
  virtual Result<Frame> take(Deadline deadline) = 0;
  /// How many bytes have been sent and not been taken yet: after so many, all that was sent before this call has been.
  virtual std::size_t pending() const = 0;
  /// Whether frames come in the order in which they were sent. Where they do not, all that somebody has sent has been
  /// taken only once nothing is pending.
  virtual bool keeps_order() const { return true; }
  /// From here on only what the kernel says comes from this user is taken; anything else is permission_denied, naming
  /// the user. Failures: invalid_argument (the kernel does not vouch for senders here).
  virtual Result<void> accept_only(uid_t user);
  virtual Capabilities capabilities() const = 0;
};

}  // namespace tenon

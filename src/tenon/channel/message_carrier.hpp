#pragma once
/// Frames over mechanisms that keep message boundaries (queues, datagrams): each message is one frame, whole or not at
/// all.
#include <tenon/channel/carrier.hpp>

#include <optional>
#include <vector>

namespace tenon {

/// For mechanisms that do not tell a sender that its receiver has gone.
class MessageSink : public FrameSink {
 public:
  /// Sleeps a while, the longer the longer it has waited in all, up to 20 ms, and says timed_out: the sender looks at
  /// the rendezvous then.
  Result<void> wait_receiver_gone(Deadline deadline) override;

 private:
  std::optional<Deadline::Clock::time_point> first_wait_;
};

/// Takes a frame out of each message.
class MessageSource : public FrameSource {
 public:
  Result<Frame> take(Deadline deadline) final;

 protected:
  /// `largest` is the longest message that may come, in bytes.
  explicit MessageSource(std::size_t largest) : buffer_(largest) {}

 private:
  /// Takes the next message; returns its size. Outcomes: timed_out, stopped, those of the mechanism.
  virtual Result<std::size_t> receive(MutableBytes into, Deadline deadline) = 0;

  std::vector<std::byte> buffer_;
};

}  // namespace tenon

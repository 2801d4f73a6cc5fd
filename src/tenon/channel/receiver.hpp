#pragma once
/// Receives messages of any size from any channel.
#include <tenon/channel/carrier.hpp>
#include <tenon/channel/inflow.hpp>
#include <tenon/channel/rendezvous.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace tenon {

/// The next piece of a message. Messages come one after another, whole: parts that frames of other messages put in
/// between are held back in memory until it is their turn, the highest priority first.
struct Part {
  Token sender;
  std::uint64_t message;
  std::uint64_t offset;
  Bytes data;  ///< good until the next call
  bool last;
  std::uint32_t priority = 0;
};

/// Dropped without finish() or abandon(), it leaves as abandon() does. Threads: one at a time. fork: only in the
/// process that opened it.
class Receiver {
 public:
  /// How many bytes of memory other senders' messages may take that are held back while one is being received.
  static constexpr std::size_t most_held = 64U << 20;

  /// For channels' own open functions.
  Receiver(Rendezvous rendezvous, std::unique_ptr<FrameSource> source);

  /// Outcomes: closed (every sender that came has said its end, and all is received: the good end), peer_died (a sender
  /// died without saying its end: whatever of its message came is void, other senders' messages can still be received),
  /// aborted (it gave up; likewise), timed_out, stopped (nothing is lost: call again), stale (this end was removed from
  /// the rendezvous from outside). Failures: corrupt, version_mismatch, permission_denied (a sender that is not entered
  /// at the rendezvous: one of another domain), limit_reached (most_held; descriptors), in_child.
  Result<Part> receive_part(Deadline deadline);

  /// The next whole message, of which receive_part() has given nothing out yet. What has come of it before timed_out or
  /// stopped is kept for the next call. Outcomes: also message_too_long (longer than `most`; all of it is skipped).
  Result<std::vector<std::byte>> receive(std::size_t most, Deadline deadline);

  /// After `closed`: tells every sender that everything it sent has been received, and leaves.
  Result<void> finish(Deadline deadline) &&;
  /// Leaves without that: a sender that still waits is told so.
  void abandon() &&;

  /// Receives from this user's processes alone, as the kernel vouches; whoever else sends ends the reception with
  /// permission_denied. To be called before anything is received. Failures: invalid_argument (this channel's kernel
  /// object does not tell who sends; those that do are named).
  Result<void> accept_only(uid_t user) { return source_->accept_only(user); }

  Capabilities capabilities() const { return source_->capabilities(); }

 private:
  Result<Frame> next_frame(Deadline deadline);
  Result<Frame> take(Deadline deadline);
  Result<void> look(Deadline deadline);
  Result<void> look_at_unwatched(Deadline deadline);
  Result<void> wait_without_writers(Deadline deadline);
  enum class Left : bool { left_out, counted };
  Result<void> enlist(Left left, Deadline deadline);
  Inflow& watch(Token sender);
  Result<Inflow*> inflow_of(Token sender, Deadline deadline);
  Result<std::optional<Part>> admit(const Frame& frame, Deadline deadline);
  Result<std::optional<Part>> admit_to(Inflow& inflow, const Frame& frame);
  Result<Part> take_part(Inflow& inflow, const Frame& frame);
  Result<void> hold(Flow& flow, const Frame& frame);
  std::optional<std::uint64_t> all_sent() const;
  Error end_of(Token sender);
  bool all_ended() const;

  Rendezvous rendezvous_;
  std::unique_ptr<FrameSource> source_;
  Inflows inflows_;
  std::optional<FlowKey> current_;  // whose message is being received
  std::size_t held_bytes_ = 0;
  std::uint64_t taken_ = 0;  // bytes of frames, since the beginning
  Deadline next_look_ = immediately;
  std::optional<HeldFrame> unadmitted_;  // taken, but whose it is could not be told yet
  HeldFrame released_;                   // keeps the payload of a held frame alive while it is looked at
  int idle_rounds_ = 0;                  // looks since everybody closed
  std::vector<std::byte> message_;
  bool too_long_ = false;
};

/// Opens the receiving end of a channel, by URI, and waits until a sender has come, where the mechanism can tell.
/// Outcomes: already_exists (a living receiver is named), timed_out, stopped, stale. Failures: invalid_argument (naming
/// the channels there are), those of the mechanism.
Result<Receiver> open_receiver(std::string_view uri, Deadline deadline);
Result<Receiver> open_receiver(std::string_view uri, std::shared_ptr<const Domain> domain, Deadline deadline);

}  // namespace tenon

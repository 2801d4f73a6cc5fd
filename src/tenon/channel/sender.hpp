#pragma once
/// Sends messages of any size over any channel.
#include <tenon/channel/carrier.hpp>
#include <tenon/channel/rendezvous.hpp>

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace tenon {

/// Dropped without finish() or abort(), it leaves, and its receiver is told that it left. Threads: one at a time. fork:
/// only in the process that opened it.
class Sender {
 public:
  /// For channels' own open functions: `sink` leads to the receivers entered at `rendezvous`.
  Sender(Rendezvous rendezvous, std::unique_ptr<FrameSink> sink);

  /// Sends one whole message, with a priority from 0 to most_priority, on channels that have them: it overtakes
  /// messages of a lower one that have not been received yet. Failures: invalid_argument (this channel has no
  /// priorities: those that have are named). Outcomes: timed_out, stopped (if any part of it went, the message is void,
  /// and all that is left to do is abort()), peer_died (the receiver died, and who it was), closed (it left), stale
  /// (this end was removed from the rendezvous from outside), aborted (an earlier message was cut short), in_child. To
  /// tell a receiver that died from one that left, it may take a second longer than the deadline.
  Result<void> send(Bytes message, Deadline deadline, std::uint32_t priority = 0);

  enum class More : bool { no, yes };
  /// Sends the next part of a message that need not fit in memory; the part with More::no ends it. All parts have the
  /// same priority. Outcomes: as send.
  Result<void> send_part(Bytes part, More more, Deadline deadline, std::uint32_t priority = 0);

  /// How many bytes send_part() puts into one frame: parts of this size waste none, and each has its own deadline.
  std::size_t piece() const noexcept;

  /// Looks whether somebody is still there to receive, for those who have nothing to send at the moment. Outcomes:
  /// peer_died, closed, stale, in_child.
  Result<void> check();

  /// Says that this was all and waits until the receiver says that it has it. Outcomes: timed_out, stopped, peer_died,
  /// closed, stale, aborted (a message was cut short, or its last part was never sent: then this is an abort()).
  Result<void> finish(Deadline deadline) &&;
  /// Gives up: the receiver is told that the message it has begun to receive is void.
  void abort() &&;

  Capabilities capabilities() const { return sink_->capabilities(); }

 private:
  Result<void> put(const Frame& frame, Deadline deadline);
  Result<void> check_may_send(std::uint32_t priority) const;
  Result<void> look_now_and_then();
  Result<void> await_confirmation(Deadline deadline);
  void find_receiver();
  Result<void> check_receiver();
  Error why_closed();

  Rendezvous rendezvous_;
  std::unique_ptr<FrameSink> sink_;
  std::vector<std::byte> buffer_;
  bool has_priorities_;
  std::uint64_t whole_ = 0;                         // messages sent
  std::map<std::uint32_t, std::uint64_t> numbers_;  // and how many of them at each priority
  std::uint32_t priority_ = 0;                      // of the message that has begun
  std::uint64_t offset_ = 0;
  bool begun_ = false;                        // a frame of this message went, its last one did not
  bool cut_short_ = false;                    // and never will
  std::optional<std::uint32_t> gone_before_;  // how many receivers had left when it first sent something
  std::optional<Participant> receiver_;
  std::optional<Peer> receiver_life_;
  Deadline next_look_ = immediately;
};

/// Opens the sending end of a channel, by URI: "fifo:/run/jobs", "pipe:1". Waits until a receiver is there, where the
/// mechanism can tell. Outcomes: timed_out, stopped, no_peer (whoever reads there is no receiver of this channel),
/// stale. Failures: invalid_argument (naming the channels there are), those of the mechanism.
Result<Sender> open_sender(std::string_view uri, Deadline deadline);
Result<Sender> open_sender(std::string_view uri, std::shared_ptr<const Domain> domain, Deadline deadline);

}  // namespace tenon

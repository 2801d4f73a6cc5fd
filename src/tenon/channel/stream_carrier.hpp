#pragma once
/// Frames over streams in shared memory (messaging/stream), of which each sender has one of its own: a stream has one
/// writer and one reader.
///
/// The streams of a channel NAME are called NAME.TOKEN, with a token that nobody has used before. A receiver lists them
/// in the domain's directory, and takes the reading end of each that it finds; each is met once.
#include <tenon/channel/carrier.hpp>
#include <tenon/messaging/stream/stream.hpp>
#include <tenon/sync/membership.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tenon {

/// A name for one more stream of that channel.
std::string new_stream_name(const std::string& channel);
/// Those of which an end is there. Failures: those of opendir(3).
Result<std::vector<std::string>> streams_of(const Domain& domain, const std::string& channel, StreamRole role);

class StreamSink final : public FrameSink {
 public:
  static constexpr std::size_t frame_bytes = 65536;

  StreamSink(Membership member, StreamWriter stream) noexcept
      : member_(std::move(member)), stream_(std::move(stream)) {}

  std::size_t frame_size() const override { return frame_bytes; }
  Result<void> put(Bytes frame, Deadline deadline) override;
  Result<void> wait_receiver_gone(Deadline deadline) override;
  Capabilities capabilities() const override;

 private:
  Result<void> send_rest(Deadline deadline);

  Membership member_;
  StreamWriter stream_;
  std::vector<std::byte> rest_;  // of a frame that went in part, and counts as sent
  bool receiver_gone_ = false;
};

/// What comes from one sender.
class StreamOfSender {
 public:
  explicit StreamOfSender(StreamReader stream);

  /// Takes what is there, if there is room for it. Outcomes: timed_out, stopped. Failures: corrupt. At the end it
  /// returns at once.
  Result<void> fill(Deadline deadline);
  /// Outcomes: would_block. Else as above.
  Result<void> try_fill();
  /// The next whole frame, good until the next call; nothing if there is none yet. Failures: corrupt, version_mismatch.
  Result<std::optional<Frame>> next();
  /// Bytes of whole frames that are here and not taken: half of one that the dead began never becomes one.
  std::size_t pending();
  /// Nothing more comes than next() has.
  bool has_ended() const noexcept { return end_ != End::none; }
  Result<FdView> fd() { return stream_.fd(); }

 private:
  enum class End : std::uint8_t { none, closed, died };
  Bytes unread() const noexcept { return {buffer_.get() + begin_, end_of_data_ - begin_}; }
  MutableBytes room() noexcept;
  Result<void> took(Result<std::size_t> got);

  StreamReader stream_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_of_data_ = 0;
  End end_ = End::none;
};

/// Takes the frames of all its senders in turn. More than 60 at once wait until one of them has ended.
class StreamSource final : public FrameSource {
 public:
  static constexpr std::size_t most_streams = 60;

  StreamSource(Membership member, std::string channel) noexcept
      : member_(std::move(member)), channel_(std::move(channel)) {}

  Result<Frame> take(Deadline deadline) override;
  std::size_t pending() const override;
  bool keeps_order() const override { return false; }  // one sender's frames may wait behind another's
  Capabilities capabilities() const override;

 private:
  Result<void> admit();
  Result<std::optional<Frame>> next_whole();
  Result<void> await_any(Deadline deadline);
  Result<void> await_first(Deadline deadline);
  Result<bool> take_from_all();

  Membership member_;
  std::string channel_;
  mutable std::deque<StreamOfSender> streams_;  // the one whose turn is next comes first
  std::set<std::string> met_;
  Deadline next_look_ = immediately;
  int idle_looks_ = 0;
};

}  // namespace tenon

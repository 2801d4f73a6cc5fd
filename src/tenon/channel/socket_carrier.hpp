#pragma once
/// Frames over Unix sockets: one connection for each sender, or datagrams to one socket.
#include <tenon/channel/carrier.hpp>
#include <tenon/channel/message_carrier.hpp>
#include <tenon/ipc/unix_datagram/unix_datagram.hpp>
#include <tenon/ipc/unix_seqpacket/unix_seqpacket_listener.hpp>
#include <tenon/ipc/unix_stream/unix_listener.hpp>

#include <deque>
#include <optional>
#include <vector>

namespace tenon {

/// The kernel takes so many bytes in one piece of memory, and the socket's usual buffer holds several of them.
inline constexpr std::size_t socket_frame = 32768;

class StreamSocketSink final : public FrameSink {
 public:
  explicit StreamSocketSink(UnixStream stream) noexcept : stream_(std::move(stream)) {}

  std::size_t frame_size() const override { return socket_frame; }
  Result<void> put(Bytes frame, Deadline deadline) override;
  Result<void> wait_receiver_gone(Deadline deadline) override;
  Capabilities capabilities() const override;

 private:
  Result<void> send_rest(Deadline deadline);

  UnixStream stream_;
  std::vector<std::byte> rest_;  // of a frame of which the kernel has taken a part: it counts as sent, and goes first
};

class SeqpacketSink final : public FrameSink {
 public:
  explicit SeqpacketSink(UnixSeqpacket socket) noexcept : socket_(std::move(socket)) {}

  std::size_t frame_size() const override { return socket_frame; }
  Result<void> put(Bytes frame, Deadline deadline) override { return socket_.send(frame, deadline); }
  Result<void> wait_receiver_gone(Deadline deadline) override { return socket_.wait_closed(deadline); }
  Capabilities capabilities() const override;

 private:
  UnixSeqpacket socket_;
};

class DatagramSink final : public MessageSink {
 public:
  explicit DatagramSink(UnixDatagram socket) noexcept : socket_(std::move(socket)) {}

  std::size_t frame_size() const override { return socket_frame; }
  Result<void> put(Bytes frame, Deadline deadline) override { return socket_.send(frame, deadline); }
  Capabilities capabilities() const override;

 private:
  UnixDatagram socket_;
};

/// What has come over one sender's stream and is no whole frame yet.
class StreamInflow {
 public:
  explicit StreamInflow(UnixStream stream) noexcept : stream_(std::move(stream)) {}

  FdView fd() const noexcept { return stream_.fd(); }
  /// Takes what is there; false at the end. Outcomes: would_block. Failures: corrupt (it ends inside a frame).
  Result<bool> fill();
  /// The next whole frame, if there is one; its payload is good until the next call of either. Failures: as Frame.
  Result<std::optional<Frame>> next();
  std::size_t pending() const;

 private:
  UnixStream stream_;
  std::vector<std::byte> bytes_;
  std::size_t begin_ = 0;
};

/// One message of one sender's connection.
class SeqpacketInflow {
 public:
  explicit SeqpacketInflow(UnixSeqpacket socket) : socket_(std::move(socket)) {}

  FdView fd() const noexcept { return socket_.fd(); }
  Result<bool> fill();
  Result<std::optional<Frame>> next();
  std::size_t pending() const;

 private:
  UnixSeqpacket socket_;
  std::vector<std::byte> message_;
  std::size_t size_ = 0;  // of what is in it
  bool full_ = false;
};

/// Accepts whoever connects, and takes their frames in turn. More than 60 at once wait to be accepted.
template <class Listener, class Connection>
class ConnectionSource : public FrameSource {
 public:
  static constexpr std::size_t most_connections = 60;

  explicit ConnectionSource(Listener listener) noexcept : listener_(std::move(listener)) {}

  Result<Frame> take(Deadline deadline) override;
  std::size_t pending() const override;
  bool keeps_order() const override { return false; }  // one connection's frames may wait behind another's
  Result<void> accept_only(uid_t user) override {
    only_ = user;
    return {};
  }
  Capabilities capabilities() const override;

 private:
  Result<std::optional<Frame>> next_whole();
  Result<void> await_any(Deadline deadline);
  Result<void> admit();
  Result<void> fill(Connection& connection);

  Listener listener_;
  std::deque<Connection> connections_;  // the one whose turn is next comes first
  std::optional<uid_t> only_;
};

using StreamSocketSource = ConnectionSource<UnixListener, StreamInflow>;
using SeqpacketSource = ConnectionSource<UnixSeqpacketListener, SeqpacketInflow>;

class DatagramSource final : public MessageSource {
 public:
  explicit DatagramSource(UnixDatagram socket)
      : MessageSource(Frame::header_size + Frame::most_payload), socket_(std::move(socket)) {}

  std::size_t pending() const override;
  bool keeps_order() const override { return false; }  // the kernel tells the size of the next message alone
  Result<void> accept_only(uid_t user) override;
  Capabilities capabilities() const override;

 private:
  Result<std::size_t> receive(MutableBytes into, Deadline deadline) override;

  UnixDatagram socket_;
  std::optional<uid_t> only_;
};

}  // namespace tenon

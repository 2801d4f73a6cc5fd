#include <tenon/channel/socket_carrier.hpp>

#include <tenon/os/poll.hpp>
#include <tenon/os/unix_socket.hpp>

#include <string>
#include <sys/ioctl.h>
#include <type_traits>

namespace tenon {

namespace {

constexpr std::size_t read_at_once = 256UL * 1024;

Capabilities socket_capabilities(FdView socket, bool framed) {
  return {.framed = framed,
          .descriptors = true,
          .credentials = true,
          .pollable = true,
          .capacity = send_buffer(socket).value_or(0)};
}

// Bytes that wait in a socket; of a datagram socket those of the next message.
std::size_t waiting_in(FdView socket) {
  int bytes = 0;
  return ::ioctl(socket.raw(), FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

Fail not_from(uid_t only, const Result<Credentials>& sender) {
  const std::string who = sender ? "uid " + std::to_string(sender->uid) : "somebody whom the kernel does not name";
  return fail(Error(Errc::permission_denied, "receive")
                  .because(who + " sends, and only uid " + std::to_string(only) + " is received from"));
}

}  // namespace

Result<void> StreamSocketSink::send_rest(Deadline deadline) {
  while (!rest_.empty()) {
    auto sent = stream_.write(rest_, deadline);
    if (!sent) {
      return fail(std::move(sent.error()));
    }
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(*sent));
  }
  return {};
}

Result<void> StreamSocketSink::put(Bytes frame, Deadline deadline) {
  if (auto gone = send_rest(deadline); !gone) {
    return gone;
  }
  auto sent = stream_.write(frame, deadline);
  if (!sent) {
    return fail(std::move(sent.error()));
  }
  rest_.assign(frame.begin() + static_cast<std::ptrdiff_t>(*sent), frame.end());
  return {};
}

Result<void> StreamSocketSink::wait_receiver_gone(Deadline deadline) {
  auto gone = send_rest(deadline);
  return gone ? stream_.wait_closed(deadline) : gone;
}

Capabilities StreamSocketSink::capabilities() const { return socket_capabilities(stream_.fd(), false); }
Capabilities SeqpacketSink::capabilities() const { return socket_capabilities(socket_.fd(), true); }
Capabilities DatagramSink::capabilities() const { return socket_capabilities(socket_.fd(), true); }

Result<bool> StreamInflow::fill() {
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(std::exchange(begin_, 0)));
  const std::size_t before = bytes_.size();
  bytes_.resize(before + read_at_once);
  auto got = stream_.try_read(MutableBytes(bytes_).subspan(before));
  bytes_.resize(before + got.value_or(0));
  if (got.failed_with(Errc::closed) || (got && *got == 0)) {
    return before == 0 ? Result<bool>(false)
                       : fail(Error(Errc::corrupt, "receive").because("the stream ends inside a frame"));
  }
  return got ? Result<bool>(true) : fail(std::move(got.error()));
}

Result<std::optional<Frame>> StreamInflow::next() {
  const Bytes unread = Bytes(bytes_).subspan(begin_);
  if (unread.size() < Frame::header_size) {
    return std::nullopt;
  }
  auto size = Frame::size_of(unread);
  if (!size) {
    return fail(std::move(size.error()));
  }
  if (unread.size() < *size) {
    return std::nullopt;
  }
  begin_ += *size;
  return Frame::decode(unread.first(*size)).transform([](const Frame& frame) { return std::optional(frame); });
}

std::size_t StreamInflow::pending() const { return bytes_.size() - begin_ + waiting_in(stream_.fd()); }

Result<bool> SeqpacketInflow::fill() {
  message_.resize(Frame::header_size + Frame::most_payload);  // once: to clear it for each message takes its time
  auto size = socket_.try_receive(message_);
  if (size.failed_with(Errc::closed)) {
    return false;
  }
  if (!size) {
    return fail(std::move(size.error()));
  }
  size_ = *size;
  full_ = true;
  return true;
}

Result<std::optional<Frame>> SeqpacketInflow::next() {
  if (!std::exchange(full_, false)) {
    return std::nullopt;
  }
  return Frame::decode(Bytes(message_).first(size_)).transform([](const Frame& frame) { return std::optional(frame); });
}

std::size_t SeqpacketInflow::pending() const { return (full_ ? size_ : 0) + waiting_in(socket_.fd()); }

template <class Listener, class Connection>
Result<std::optional<Frame>> ConnectionSource<Listener, Connection>::next_whole() {
  for (std::size_t turn = 0; turn < connections_.size(); ++turn) {
    auto frame = connections_.front().next();
    if (!frame || *frame) {
      return frame;
    }
    connections_.push_back(std::move(connections_.front()));
    connections_.pop_front();
  }
  return std::nullopt;
}

template <class Listener, class Connection>
Result<void> ConnectionSource<Listener, Connection>::admit() {
  auto accepted = listener_.try_accept();
  if (!accepted) {
    return accepted.failed_with(Errc::would_block) ? Result<void>() : fail(std::move(accepted.error()));
  }
  if (only_) {
    const auto sender = accepted->peer();
    if (!sender || sender->uid != *only_) {
      return not_from(*only_, sender);
    }
  }
  connections_.push_back(Connection(std::move(*accepted)));
  return {};
}

// Whoever has said all it had to say is left out from then on.
template <class Listener, class Connection>
Result<void> ConnectionSource<Listener, Connection>::await_any(Deadline deadline) {
  std::vector<PollItem> items;
  for (const Connection& connection : connections_) {
    items.push_back({.fd = connection.fd()});
  }
  const bool admits = items.size() < most_connections;
  if (admits) {
    items.push_back({.fd = listener_.fd()});
  }
  if (auto ready = wait_any(items, deadline); !ready) {
    return ready;
  }
  std::deque<Connection> going_on;
  const std::size_t connected = connections_.size();
  for (std::size_t i = 0; i < connected; ++i) {
    auto goes_on = items[i].ready == Ready::nothing ? Result<bool>(true) : connections_[i].fill();
    if (!goes_on && !goes_on.failed_with(Errc::would_block)) {
      return fail(std::move(goes_on.error()));
    }
    if (!goes_on || *goes_on) {
      going_on.push_back(std::move(connections_[i]));
    }
  }
  connections_ = std::move(going_on);
  return admits && items[connected].ready != Ready::nothing ? admit() : Result<void>();
}

template <class Listener, class Connection>
Result<Frame> ConnectionSource<Listener, Connection>::take(Deadline deadline) {
  while (true) {
    auto frame = next_whole();
    if (!frame || *frame) {
      return frame ? Result<Frame>(**frame) : fail(std::move(frame.error()));
    }
    if (auto waited = await_any(deadline); !waited) {
      return fail(std::move(waited.error()));
    }
  }
}

template <class Listener, class Connection>
std::size_t ConnectionSource<Listener, Connection>::pending() const {
  // Whoever waits to be accepted may have sent something.
  const auto waiting = wait_ready(listener_.fd(), Ready::reading, immediately);
  std::size_t bytes = waiting ? 1 : 0;
  for (const Connection& connection : connections_) {
    bytes += connection.pending();
  }
  return bytes;
}

template <class Listener, class Connection>
Capabilities ConnectionSource<Listener, Connection>::capabilities() const {
  return socket_capabilities(listener_.fd(), std::is_same_v<Connection, SeqpacketInflow>);
}

template class ConnectionSource<UnixListener, StreamInflow>;
template class ConnectionSource<UnixSeqpacketListener, SeqpacketInflow>;

std::size_t DatagramSource::pending() const { return waiting_in(socket_.fd()); }
Capabilities DatagramSource::capabilities() const { return socket_capabilities(socket_.fd(), true); }

Result<void> DatagramSource::accept_only(uid_t user) {
  only_ = user;
  return {};
}

Result<std::size_t> DatagramSource::receive(MutableBytes into, Deadline deadline) {
  if (!only_) {
    return socket_.receive(into, deadline);
  }
  auto got = socket_.receive_from(into, deadline);
  if (!got) {
    return fail(std::move(got.error()));
  }
  if (!got->sender || got->sender->uid != *only_) {
    return not_from(*only_, got->sender ? Result<Credentials>(*got->sender) : fail(Errc::no_peer));
  }
  return got->size;
}

}  // namespace tenon

// Unix sockets of the three types, as pairs that are inherited. unix(7)
#include <cells/lines/byte_line.hpp>
#include <cells/lines/message_line.hpp>

#include <tenon/ipc/unix_datagram/unix_datagram.hpp>
#include <tenon/ipc/unix_seqpacket/unix_seqpacket.hpp>
#include <tenon/ipc/unix_stream/unix_stream.hpp>
#include <tenon/os/poll.hpp>

#include <algorithm>
#include <sys/socket.h>

namespace cells {

namespace {

using tenon::Bytes;
using tenon::MutableBytes;
using tenon::never;
using tenon::Ready;

std::size_t send_buffer_of(tenon::FdView socket) {
  int bytes = 0;
  socklen_t size = sizeof bytes;
  ::getsockopt(socket.raw(), SOL_SOCKET, SO_SNDBUF, &bytes, &size);
  return static_cast<std::size_t>(bytes);
}

using StreamEnds = HandleEnds<tenon::UnixStream, tenon::UnixStream, send_buffer_of>;

template <class Socket>
struct MessageEnds {
  Socket sender;
  Socket receiver;

  tenon::Result<void> try_send(Bytes message) { return sender.try_send(message); }
  tenon::Result<void> send(Bytes message) { return sender.send(message, never); }
  tenon::Result<std::size_t> try_receive(MutableBytes into) { return receiver.try_receive(into); }
  tenon::Result<std::size_t> receive(MutableBytes into) { return receiver.receive(into, never); }
  void wait_sendable() { tenon::wait_ready(sender.fd(), Ready::writing, never).or_throw(); }
  void wait_receivable() { tenon::wait_ready(receiver.fd(), Ready::reading, never).or_throw(); }
  std::size_t memory() const { return send_buffer_of(sender.fd()); }
};

// What the kernel keeps beside each message counts, too: some 700 bytes, often more, and it gives twice what is asked
// for. socket(7)
constexpr std::size_t beside_a_message = 1024;

template <class Socket>
void give_room(Socket& sender, std::size_t messages, std::size_t bytes) {
  constexpr std::size_t most = std::size_t{1} << 30;
  if (messages > 0) {  // what the kernel cuts off, the memory of the row tells
    (void)sender.set_send_buffer(std::min(most, messages * (bytes + beside_a_message)));
  }
}

template <class Socket>
std::shared_ptr<Line> open_messages(const Cell& cell) {
  auto [sender, receiver] = Socket::pair().or_throw();
  give_room(sender, cell.room(0), cell.bytes);
  return std::make_shared<MessageLine<MessageEnds<Socket>>>(
      MessageEnds<Socket>{.sender = std::move(sender), .receiver = std::move(receiver)}, cell);
}

std::shared_ptr<Line> open_stream(const Cell& cell) {
  auto [writer, reader] = tenon::UnixStream::pair().or_throw();
  give_room(writer, cell.room(0), cell.bytes);
  return std::make_shared<ByteLine<StreamEnds>>(StreamEnds{.reader = std::move(reader), .writer = std::move(writer)},
                                                cell);
}

constexpr std::size_t any_size = std::size_t{1} << 30;
constexpr std::size_t longest_message = std::size_t{64} << 10;  // within net.core.wmem_max as it is by default

}  // namespace

LineKind unix_stream_line() {
  return {.name = "unix_stream",
          .family = "kernel",
          .about = "bytes both ways. unix(7)",
          .most_bytes = any_size,
          .can_poll = true,
          .open = open_stream};
}

LineKind unix_seqpacket_line() {
  return {.name = "unix_seqpacket",
          .family = "kernel",
          .about = "whole messages over a connection. unix(7)",
          .most_bytes = longest_message,
          .shared_by_senders = true,
          .can_poll = true,
          .open = open_messages<tenon::UnixSeqpacket>};
}

LineKind unix_datagram_line() {
  return {.name = "unix_datagram",
          .family = "kernel",
          .about = "whole messages without a connection. unix(7)",
          .most_bytes = longest_message,
          .shared_by_senders = true,
          .can_poll = true,
          .open = open_messages<tenon::UnixDatagram>};
}

}  // namespace cells

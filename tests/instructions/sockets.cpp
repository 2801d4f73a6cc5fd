// Unix sockets: each turn sends and receives once, and one of the two is the wrapped call.
#include "calls.hpp"

#include <tenon/ipc/unix_datagram/unix_datagram.hpp>
#include <tenon/ipc/unix_seqpacket/unix_seqpacket.hpp>
#include <tenon/ipc/unix_stream/unix_stream.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <sys/socket.h>

namespace calls {

namespace {

using namespace tenon;

constexpr std::size_t bytes = 64;
constexpr auto size = static_cast<ssize_t>(bytes);
std::array<std::byte, bytes> buffer;

bool send_bare(FdView socket, int flags = 0) {
  return ::send(socket.raw(), buffer.data(), bytes, flags | MSG_NOSIGNAL) == size;
}
bool receive_bare(FdView socket, int flags = 0) { return ::recv(socket.raw(), buffer.data(), bytes, flags) == size; }

// With room for the credentials by which an empty message is told from the end.
bool receive_record_bare(FdView socket, int flags = 0) {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(ucred))> control;
  iovec part{.iov_base = buffer.data(), .iov_len = bytes};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  return ::recvmsg(socket.raw(), &message, flags | MSG_CMSG_CLOEXEC) == size;
}

// Beside `bare`, which does both by bare calls; what is wrapped stands in the name.
template <class Bare, class Wrapped>
void measure_pair(const std::string& name, int loops, Bare bare, Wrapped wrapped) {
  measure(name + "/bare", loops, [&] { must(bare()); });
  measure(name + "/wrapped", loops, [&] { must(wrapped()); });
}

void measure_stream(int loops) {
  auto [here, there] = UnixStream::pair().or_throw();
  const Deadline deadline = after(std::chrono::hours(1));
  const FdView to = here.fd();
  const FdView from = there.fd();
  const auto both = [=](int flags) { return send_bare(to, flags) && receive_bare(from, flags); };
  const auto never_bare = [=] { return both(0); };
  const auto try_bare = [=] { return both(MSG_DONTWAIT); };
  measure_pair("stream-write/never", loops, never_bare,
               [&] { return here.write(buffer, never).value_or(0) == bytes && receive_bare(from); });
  measure_pair("stream-write/try_", loops, try_bare,
               [&] { return here.try_write(buffer).value_or(0) == bytes && receive_bare(from, MSG_DONTWAIT); });
  measure_pair("stream-write/deadline", loops, try_bare,
               [&] { return here.write(buffer, deadline).value_or(0) == bytes && receive_bare(from, MSG_DONTWAIT); });
  measure_pair("stream-read/never", loops, never_bare,
               [&] { return send_bare(to) && there.read(buffer, never).value_or(0) == bytes; });
  measure_pair("stream-read/try_", loops, try_bare,
               [&] { return send_bare(to, MSG_DONTWAIT) && there.try_read(buffer).value_or(0) == bytes; });
  measure_pair("stream-read/deadline", loops, try_bare,
               [&] { return send_bare(to, MSG_DONTWAIT) && there.read(buffer, deadline).value_or(0) == bytes; });
  measure_pair(
      "stream-read/empty", loops, [=] { return !receive_bare(from, MSG_DONTWAIT) && errno == EAGAIN; },
      [&] { return there.try_read(buffer).failed_with(Errc::would_block); });
}

void measure_datagram(int loops) {
  auto [here, there] = UnixDatagram::pair().or_throw();
  const Deadline deadline = after(std::chrono::hours(1));
  const FdView to = here.fd();
  const FdView from = there.fd();
  const auto both = [=](int flags) { return send_bare(to, flags) && receive_bare(from, flags); };
  const auto never_bare = [=] { return both(0); };
  const auto try_bare = [=] { return both(MSG_DONTWAIT); };
  measure_pair("dgram-send/never", loops, never_bare,
               [&] { return here.send(buffer, never).has_value() && receive_bare(from); });
  measure_pair("dgram-send/try_", loops, try_bare,
               [&] { return here.try_send(buffer).has_value() && receive_bare(from, MSG_DONTWAIT); });
  measure_pair("dgram-send/deadline", loops, try_bare,
               [&] { return here.send(buffer, deadline).has_value() && receive_bare(from, MSG_DONTWAIT); });
  measure_pair("dgram-recv/never", loops, never_bare,
               [&] { return send_bare(to) && there.receive(buffer, never).value_or(0) == bytes; });
  measure_pair("dgram-recv/try_", loops, try_bare,
               [&] { return send_bare(to, MSG_DONTWAIT) && there.try_receive(buffer).value_or(0) == bytes; });
  measure_pair("dgram-recv/deadline", loops, try_bare,
               [&] { return send_bare(to, MSG_DONTWAIT) && there.receive(buffer, deadline).value_or(0) == bytes; });
}

void measure_seqpacket(int loops) {
  auto [here, there] = UnixSeqpacket::pair().or_throw();
  const Deadline deadline = after(std::chrono::hours(1));
  const FdView to = here.fd();
  const FdView from = there.fd();
  const auto both = [=](int flags) { return send_bare(to, flags) && receive_record_bare(from, flags); };
  const auto never_bare = [=] { return both(0); };
  const auto try_bare = [=] { return both(MSG_DONTWAIT); };
  measure_pair("seqpkt-send/never", loops, never_bare,
               [&] { return here.send(buffer, never).has_value() && receive_record_bare(from); });
  measure_pair("seqpkt-send/try_", loops, try_bare,
               [&] { return here.try_send(buffer).has_value() && receive_record_bare(from, MSG_DONTWAIT); });
  measure_pair("seqpkt-recv/never", loops, never_bare,
               [&] { return send_bare(to) && there.receive(buffer, never).value_or(0) == bytes; });
  measure_pair("seqpkt-recv/try_", loops, try_bare,
               [&] { return send_bare(to, MSG_DONTWAIT) && there.try_receive(buffer).value_or(0) == bytes; });
  measure_pair(
      "seqpkt-recv/empty", loops, [=] { return !receive_record_bare(from, MSG_DONTWAIT) && errno == EAGAIN; },
      [&] { return there.try_receive(buffer).failed_with(Errc::would_block); });
  measure_pair("seqpkt-recv/deadline", loops, try_bare,
               [&] { return send_bare(to, MSG_DONTWAIT) && there.receive(buffer, deadline).value_or(0) == bytes; });
}

}  // namespace

void measure_sockets(int loops) {
  measure_stream(loops);
  measure_datagram(loops);
  measure_seqpacket(loops);
}

}  // namespace calls

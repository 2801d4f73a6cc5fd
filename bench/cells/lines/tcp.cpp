// A connection over the loopback device: what programs on one machine use that know no better, so it is always there to
// compare with. tcp(7)
#include <cells/lines/byte_line.hpp>

#include <tenon/os/fd.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/system_call.hpp>

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace cells {

namespace {

using tenon::Bytes;
using tenon::Errc;
using tenon::Fd;
using tenon::MutableBytes;
using tenon::never;
using tenon::Ready;
using tenon::Result;

Result<std::size_t> moved(ssize_t bytes, const char* call) {
  if (bytes >= 0) {
    return static_cast<std::size_t>(bytes);
  }
  return errno == EAGAIN ? Result<std::size_t>(std::unexpect, Errc::would_block, call, EAGAIN)
                         : tenon::fail(tenon::os_failure(call, errno));
}

struct Ends {
  Fd writer;
  Fd reader;

  Result<std::size_t> read_with(MutableBytes into, int flags) {
    return moved(tenon::uninterrupted([&] { return ::recv(reader.raw(), into.data(), into.size(), flags); }), "recv");
  }
  Result<std::size_t> write_with(Bytes from, int flags) {
    return moved(
        tenon::uninterrupted([&] { return ::send(writer.raw(), from.data(), from.size(), flags | MSG_NOSIGNAL); }),
        "send");
  }
  Result<std::size_t> try_read(MutableBytes into) { return read_with(into, MSG_DONTWAIT); }
  Result<std::size_t> read(MutableBytes into) { return read_with(into, 0); }
  Result<std::size_t> try_write(Bytes from) { return write_with(from, MSG_DONTWAIT); }
  Result<std::size_t> write(Bytes from) { return write_with(from, 0); }
  void wait_readable() { tenon::wait_ready(reader.view(), Ready::reading, never).or_throw(); }
  void wait_writable() { tenon::wait_ready(writer.view(), Ready::writing, never).or_throw(); }
  std::optional<std::size_t> memory() const { return std::nullopt; }  // grows as it is used
};

Fd internet_socket() { return tenon::fd_from(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket").or_throw(); }

void check(int result, const char* call) {
  if (result == -1) {
    throw tenon::Failure(tenon::os_failure(call, errno));
  }
}

std::shared_ptr<Line> open_tcp(const Cell& cell) {
  const Fd listener = internet_socket();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  check(::bind(listener.raw(), reinterpret_cast<sockaddr*>(&address), size), "bind");
  check(::listen(listener.raw(), 1), "listen");
  check(::getsockname(listener.raw(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  Fd writer = internet_socket();
  check(::connect(writer.raw(), reinterpret_cast<sockaddr*>(&address), size), "connect");
  Fd reader = tenon::fd_from(::accept4(listener.raw(), nullptr, nullptr, SOCK_CLOEXEC), "accept4").or_throw();
  const int at_once = 1;  // else a short message waits for the answer to the last one
  check(::setsockopt(writer.raw(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once), "setsockopt");
  return std::make_shared<ByteLine<Ends>>(Ends{.writer = std::move(writer), .reader = std::move(reader)}, cell);
}

}  // namespace

LineKind tcp_line() {
  return {.name = "tcp",
          .family = "kernel",
          .about = "a loopback connection, TCP_NODELAY. tcp(7)",
          .most_bytes = std::size_t{1} << 30,
          .can_poll = true,
          .has_depth = false,
          .open = open_tcp};
}

}  // namespace cells

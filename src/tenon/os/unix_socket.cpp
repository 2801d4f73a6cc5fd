#include <tenon/os/unix_socket.hpp>

#include <tenon/os/procfs.hpp>

#include <array>
#include <cerrno>
#include <limits>
#include <string>
#include <sys/socket.h>

namespace tenon {

namespace {

constexpr std::size_t kept_by_the_kernel = 32;

int type_of(SocketKind kind) noexcept {
  switch (kind) {
    case SocketKind::stream:
      return SOCK_STREAM;
    case SocketKind::datagram:
      return SOCK_DGRAM;
    case SocketKind::seqpacket:
      break;
  }
  return SOCK_SEQPACKET;
}

Result<int> option_of(FdView socket, int option) {
  int value = 0;
  socklen_t length = sizeof value;
  if (::getsockopt(socket.raw(), SOL_SOCKET, option, &value, &length) == -1) {
    return fail(os_failure("getsockopt", errno));
  }
  return value;
}

std::uint64_t largest_buffer() { return procfs::number("/proc/sys/net/core/wmem_max").value_or(0); }

}  // namespace

const char* name_of(SocketKind kind) noexcept {
  switch (kind) {
    case SocketKind::stream:
      return "a stream socket";
    case SocketKind::datagram:
      return "a datagram socket";
    case SocketKind::seqpacket:
      break;
  }
  return "a seqpacket socket";
}

Result<Fd> make_socket(SocketKind kind) {
  return fd_from(::socket(AF_UNIX, type_of(kind) | SOCK_CLOEXEC, 0), "socket");
}

Result<std::pair<Fd, Fd>> make_socket_pair(SocketKind kind) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type_of(kind) | SOCK_CLOEXEC, 0, ends.data()) == -1) {
    return fail(descriptor_failure("socketpair", errno));
  }
  return std::pair(Fd::adopt(ends[0]), Fd::adopt(ends[1]));
}

Result<SocketKind> kind_of_socket(FdView socket) {
  auto domain = option_of(socket, SO_DOMAIN);
  if (domain && *domain != AF_UNIX) {
    return fail(Error(Errc::not_supported, "getsockopt").because("it is no Unix socket"));
  }
  auto type = domain ? option_of(socket, SO_TYPE) : std::move(domain);
  if (!type) {
    return fail(std::move(type.error()));
  }
  return *type == SOCK_STREAM ? SocketKind::stream
                              : (*type == SOCK_DGRAM ? SocketKind::datagram : SocketKind::seqpacket);
}

Result<std::size_t> send_buffer(FdView socket) {
  return option_of(socket, SO_SNDBUF).transform([](int bytes) { return static_cast<std::size_t>(bytes); });
}

// The kernel doubles what it is asked for, and cuts it to its limit without a word; so what came of it is read back.
Result<std::size_t> set_send_buffer(FdView socket, std::size_t bytes) {
  constexpr std::size_t most = std::numeric_limits<int>::max() / 2;
  const std::size_t half = bytes / 2 + bytes % 2;
  const int asked = static_cast<int>(half < most ? half : most);
  if (::setsockopt(socket.raw(), SOL_SOCKET, SO_SNDBUFFORCE, &asked, sizeof asked) == -1 &&
      ::setsockopt(socket.raw(), SOL_SOCKET, SO_SNDBUF, &asked, sizeof asked) == -1) {
    return fail(os_failure("setsockopt", errno));
  }
  auto given = send_buffer(socket);
  if (given && *given < bytes) {
    return fail(Error(Errc::limit_reached, "setsockopt")
                    .because("the send buffer holds " + std::to_string(*given) + " bytes now")
                    .with({.name = "net.core.wmem_max",
                           .value = largest_buffer(),
                           .wanted = half,
                           .remedy = "raise it with: sysctl -w net.core.wmem_max=N"}));
  }
  return given;
}

Result<std::size_t> longest_message(FdView socket) {
  return send_buffer(socket).transform([](std::size_t bytes) { return bytes - kept_by_the_kernel; });
}

Error message_too_long(const char* call, FdView socket, std::size_t wanted) {
  return Error(Errc::message_too_long, call, EMSGSIZE)
      .with({.name = "the longest message that fits into the send buffer (SO_SNDBUF)",
             .value = longest_message(socket).value_or(0),
             .wanted = wanted,
             .remedy = "set_send_buffer() takes up to twice net.core.wmem_max, which is " +
                       std::to_string(largest_buffer())});
}

}  // namespace tenon

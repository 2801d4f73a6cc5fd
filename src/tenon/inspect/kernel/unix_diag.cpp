#include <tenon/inspect/kernel/unix_diag.hpp>

#include <tenon/base/bytes.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace tenon::inspect {

namespace {

struct Request {
  nlmsghdr header;
  unix_diag_req body;
};

// What lies in a message need not be aligned for its type, so it is copied out. Nothing if it is too short.
template <class T>
std::optional<T> head_of(Bytes bytes) noexcept {
  T value{};
  if (bytes.size() < sizeof value) {
    return std::nullopt;
  }
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// What stands behind `length` bytes and the padding up to the next multiple of four.
Bytes behind(Bytes bytes, std::size_t length) noexcept {
  const std::size_t padded = (length + 3) & ~std::size_t{3};
  return bytes.subspan(std::min(padded, bytes.size()));
}

// The kernel keeps a device as 12 bits and 20 bits.
FileId file_of(const unix_diag_vfs& vfs) noexcept {
  return {.device = makedev(vfs.udiag_vfs_dev >> 20, vfs.udiag_vfs_dev & 0xfffffU), .inode = vfs.udiag_vfs_ino};
}

SocketState state_of(int tcp) noexcept {
  switch (tcp) {
    case TCP_LISTEN:
      return SocketState::listening;
    case TCP_ESTABLISHED:
      return SocketState::connected;
    case TCP_SYN_SENT:
    case TCP_SYN_RECV:
      return SocketState::connecting;
    default:
      return SocketState::unconnected;
  }
}

std::string bound_name(std::string_view bytes) {
  const bool abstract = bytes.starts_with('\0');
  return abstract ? "@" + std::string(bytes.substr(1)) : std::string(bytes.substr(0, bytes.find('\0')));
}

void take(UnixSocket& socket, std::uint16_t type, Bytes value) {
  if (type == UNIX_DIAG_NAME) {
    socket.end.name = bound_name(text_of(value));
  } else if (const auto vfs = head_of<unix_diag_vfs>(value); type == UNIX_DIAG_VFS && vfs) {
    socket.file = file_of(*vfs);
  } else if (const auto queue = head_of<unix_diag_rqlen>(value); type == UNIX_DIAG_RQLEN && queue) {
    socket.end.receive_queue = queue->udiag_rqueue;
    socket.end.send_queue = queue->udiag_wqueue;
  } else if (const auto peer = head_of<std::uint32_t>(value); type == UNIX_DIAG_PEER && peer) {
    socket.end.peer = *peer;
  } else if (const auto user = head_of<std::uint32_t>(value); type == UNIX_DIAG_UID && user) {
    socket.end.user = *user;
  }
}

Result<UnixSocket> parse(Bytes bytes) {
  const auto fixed = head_of<unix_diag_msg>(bytes);
  if (!fixed) {
    return fail(Error(Errc::corrupt, "recv").because("a message of sock_diag was cut short"));
  }
  UnixSocket socket{
      .end = {.inode = fixed->udiag_ino, .type = fixed->udiag_type, .state = state_of(fixed->udiag_state)}};
  for (Bytes left = behind(bytes, sizeof *fixed); !left.empty();) {
    const auto attribute = head_of<rtattr>(left);
    if (!attribute || attribute->rta_len < sizeof *attribute || attribute->rta_len > left.size()) {
      return fail(Error(Errc::corrupt, "recv").because("an attribute of sock_diag was cut short"));
    }
    take(socket, attribute->rta_type, left.subspan(sizeof *attribute, attribute->rta_len - sizeof *attribute));
    left = behind(left, attribute->rta_len);
  }
  return socket;
}

Result<Fd> ask() {
  auto socket = fd_from(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), "socket");
  if (!socket) {
    return socket;
  }
  Request request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = AF_UNIX;
  request.body.udiag_states = ~0U;
  request.body.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID;
  if (uninterrupted([&] { return ::send(socket->raw(), &request, sizeof request, 0); }) == -1) {
    return fail(os_failure("send", errno));
  }
  return socket;
}

// Takes the messages of one answer; true if the last one was among them.
Result<bool> take_all(Bytes answer, std::vector<UnixSocket>& into) {
  while (!answer.empty()) {
    const auto header = head_of<nlmsghdr>(answer);
    if (!header || header->nlmsg_len < sizeof *header || header->nlmsg_len > answer.size()) {
      return fail(Error(Errc::corrupt, "recv").because("an answer of sock_diag was cut short"));
    }
    const Bytes body = answer.subspan(sizeof *header, header->nlmsg_len - sizeof *header);
    if (header->nlmsg_type == NLMSG_DONE) {
      return true;
    }
    if (header->nlmsg_type == NLMSG_ERROR) {
      const auto error = head_of<nlmsgerr>(body);
      const int number = error ? -error->error : EIO;
      return fail(number == ENOENT ? Error(Errc::not_supported, "sock_diag", number) : os_failure("sock_diag", number));
    }
    auto socket = parse(body);
    if (!socket) {
      return fail(std::move(socket.error()));
    }
    if (socket->end.inode != 0) {  // else nobody has accepted the connection: it is one of the listener's queue
      into.push_back(std::move(*socket));
    }
    answer = behind(answer, header->nlmsg_len);
  }
  return false;
}

}  // namespace

Result<std::vector<UnixSocket>> unix_sockets() {
  auto socket = ask();
  if (!socket) {
    return fail(std::move(socket.error()));
  }
  struct stat status{};
  ::fstat(socket->raw(), &status);
  std::vector<UnixSocket> all;
  std::vector<std::byte> room(64UL * 1024);
  while (true) {
    const ssize_t got = uninterrupted([&] { return ::recv(socket->raw(), room.data(), room.size(), MSG_TRUNC); });
    if (got == -1) {
      return fail(os_failure("recv", errno));
    }
    if (got == 0 || static_cast<std::size_t>(got) > room.size()) {
      return fail(Error(Errc::corrupt, "recv").because("an answer of sock_diag has an impossible length"));
    }
    auto last = take_all(Bytes(room).first(static_cast<std::size_t>(got)), all);
    if (!last) {
      return fail(std::move(last.error()));
    }
    if (*last) {
      std::ranges::for_each(all, [&](UnixSocket& one) { one.end.device = status.st_dev; });
      return all;
    }
  }
}

// "00000000883fad4f: 00000002 00000000 00010000 0001 01 4711 /run/x": the number, and the inode six words behind it.
std::unordered_map<ino_t, std::uint64_t> printed_addresses() {
  std::unordered_map<ino_t, std::uint64_t> addresses;
  const auto table = procfs::text("/proc/net/unix");
  for (std::string_view left = table ? std::string_view(*table) : ""; !left.empty();) {
    const std::string line(left.substr(0, left.find('\n')));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    unsigned long address = 0;
    unsigned long inode = 0;
    if (std::sscanf(line.c_str(), "%lx: %*x %*x %*x %*x %*x %lu", &address, &inode) == 2 && address != 0) {
      addresses.emplace(inode, address);
    }
  }
  return addresses;
}

}  // namespace tenon::inspect

#include <tenon/ipc/descriptor_passing/descriptor_passing.hpp>

#include <tenon/os/socket_transfer.hpp>
#include <tenon/os/unix_socket.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <sys/resource.h>

namespace tenon {

namespace {

constexpr std::size_t control_size = CMSG_SPACE(most_descriptors * sizeof(int));
static_assert(control_size >= CMSG_SPACE(sizeof(ucred)));

// A control message under construction: its buffer is aligned as the kernel's header wants it.
class Enclosure {
 public:
  Enclosure(int type, std::size_t bytes) {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control_.data();
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(bytes);
  }
  Enclosure(const Enclosure&) = delete;
  Enclosure& operator=(const Enclosure&) = delete;

  unsigned char* data() { return CMSG_DATA(CMSG_FIRSTHDR(&message)); }

  msghdr message = {};
  iovec part = {};

 private:
  alignas(cmsghdr) std::array<std::byte, control_size> control_ = {};
};

Error too_many_on_the_way(int os_error) {
  struct rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return Error(Errc::limit_reached, "sendmsg", os_error)
      .because("descriptors that this user sent and nobody has received yet")
      .with({.name = "RLIMIT_NOFILE",
             .value = limit.rlim_cur,
             .wanted = limit.rlim_cur + 1,
             .remedy = "let the receivers take them, or raise it with: ulimit -n"});
}

Error enclosed_failure(FdView socket, int os_error, std::size_t wanted) {
  switch (os_error) {
    case ETOOMANYREFS:
      return too_many_on_the_way(os_error);
    case EBADF:
      return Error(Errc::invalid_argument, "sendmsg", os_error)
          .because("the socket, or a descriptor to be sent, is not open");
    case EPERM:
      return Error(Errc::permission_denied, "sendmsg", os_error)
          .because("the credentials are not this process's own, or the receiver takes no descriptors (SO_PASSRIGHTS)");
    case ENOTCONN:
      return Error(Errc::no_peer, "sendmsg", os_error).because("the socket is not connected");
    default:
      return send_failure("sendmsg", socket, os_error, wanted);
  }
}

// A stream takes what comes along with the first byte that it takes; the rest of the bytes goes by itself.
Result<std::size_t> send_enclosed(FdView socket, Bytes message, Enclosure& enclosure, Deadline deadline) {
  enclosure.part = {.iov_base = const_cast<std::byte*>(message.data()), .iov_len = message.size()};
  auto sent = transfer_until("sendmsg", socket, Ready::writing, deadline, [&](int flags) {
    return ::sendmsg(socket.raw(), &enclosure.message, flags | MSG_NOSIGNAL);
  });
  if (!sent) {
    return fail(std::move(sent.error()));
  }
  if (*sent == -1) {
    return fail(enclosed_failure(socket, errno, message.size()));
  }
  const auto done = static_cast<std::size_t>(*sent);
  if (done == message.size()) {
    return done;
  }
  const auto rest = write_stream_until(socket, message.subspan(done), deadline);
  return done + rest.value_or(0);
}

Result<void> check_message(Bytes message) {
  if (message.empty()) {
    return fail(Error(Errc::invalid_argument, "sendmsg")
                    .because("nothing is sent along with 0 bytes: a stream would drop it without a word"));
  }
  return {};
}

Error too_many(std::size_t came, std::size_t most) {
  return Error(Errc::limit_reached, "recvmsg")
      .because("all of them have been closed")
      .with({.name = "the number of descriptors expected", .value = most, .wanted = came, .remedy = "expect more"});
}

// The control buffer holds all that the kernel can send. So what did not come did not for want of a number here, unless
// a security module took it out.
Error not_given(FdView socket) {
  auto one_more = socket.duplicate();
  if (!one_more) {
    return std::move(one_more.error()).because("descriptors came for which there was no number; all have been closed");
  }
  struct rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return Error(Errc::limit_reached, "recvmsg")
      .because("not all descriptors that came could be opened here; all have been closed")
      .with({.name = "RLIMIT_NOFILE",
             .value = limit.rlim_cur,
             .wanted = limit.rlim_cur + 1,
             .remedy = "close descriptors, or raise it with: ulimit -n; or ask the security module"});
}

// 0 bytes with nothing along is a stream's and a seqpacket socket's end, and a datagram socket's empty message.
Result<bool> is_end(FdView socket, const Enclosures& enclosed) {
  if (enclosed.sender || !enclosed.descriptors.empty()) {
    return false;
  }
  return kind_of_socket(socket).transform([](SocketKind kind) { return kind != SocketKind::datagram; });
}

Result<Delivery> delivered(FdView socket, std::size_t bytes, std::size_t room, std::size_t most, Enclosures enclosed) {
  if (enclosed.lost) {
    const std::size_t came = enclosed.descriptors.size();
    enclosed.descriptors.clear();
    return fail(came > most ? too_many(came, most) : not_given(socket));
  }
  if (enclosed.descriptors.size() > most) {
    return fail(too_many(enclosed.descriptors.size(), most));
  }
  if (enclosed.cut_short) {
    return fail(cut_short("recvmsg", room, bytes));
  }
  if (bytes == 0) {
    auto end = is_end(socket, enclosed);
    if (!end || *end) {
      return fail(end ? Error(Errc::closed, "recvmsg") : std::move(end.error()));
    }
  }
  return Delivery{.bytes = bytes, .descriptors = std::move(enclosed.descriptors), .sender = enclosed.sender};
}

}  // namespace

Result<std::size_t> send_descriptors(FdView socket, Bytes message, std::span<const FdView> descriptors,
                                     Deadline deadline) {
  if (auto checked = check_message(message); !checked) {
    return fail(std::move(checked.error()));
  }
  if (descriptors.empty()) {
    return fail(Error(Errc::invalid_argument, "sendmsg").because("no descriptor is to be sent"));
  }
  if (descriptors.size() > most_descriptors) {
    return fail(Error(Errc::limit_reached, "sendmsg")
                    .with({.name = "descriptors in one message (SCM_MAX_FD)",
                           .value = most_descriptors,
                           .wanted = descriptors.size(),
                           .remedy = "send them in several messages"}));
  }
  Enclosure enclosure(SCM_RIGHTS, descriptors.size() * sizeof(int));
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    const int raw = descriptors[i].raw();
    std::memcpy(enclosure.data() + i * sizeof raw, &raw, sizeof raw);
  }
  return send_enclosed(socket, message, enclosure, deadline);
}

Result<Delivery> receive_descriptors(FdView socket, MutableBytes into, std::size_t most, Deadline deadline) {
  if (into.empty()) {
    return fail(
        Error(Errc::invalid_argument, "recvmsg").because("0 bytes asked for; 0 would mean the end of the stream"));
  }
  Enclosures enclosed;
  auto got = transfer_until("recvmsg", socket, Ready::reading, deadline,
                            [&](int flags) { return receive_enclosed(socket, into, MSG_TRUNC | flags, enclosed); });
  if (!got) {
    return fail(std::move(got.error()));
  }
  if (*got == -1) {
    return fail(os_failure("recvmsg", errno));
  }
  return delivered(socket, static_cast<std::size_t>(*got), into.size(), most, std::move(enclosed));
}

Result<std::size_t> send_credentials(FdView socket, Bytes message, const Credentials& sender, Deadline deadline) {
  if (auto checked = check_message(message); !checked) {
    return fail(std::move(checked.error()));
  }
  const ucred claimed{.pid = sender.pid, .uid = sender.uid, .gid = sender.gid};
  Enclosure enclosure(SCM_CREDENTIALS, sizeof claimed);
  std::memcpy(enclosure.data(), &claimed, sizeof claimed);
  return send_enclosed(socket, message, enclosure, deadline);
}

}  // namespace tenon

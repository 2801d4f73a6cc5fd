#include <tenon/ipc/unix_seqpacket/unix_seqpacket.hpp>

#include <tenon/os/enclosures.hpp>
#include <tenon/os/socket_connection.hpp>
#include <tenon/os/unix_socket.hpp>

#include <array>
#include <unistd.h>

namespace tenon {

namespace {

// What one recvmsg(2) returned, and whether that was a message: a 0 may be one, or the end.
struct Record {
  ssize_t size = -1;
  bool came = false;
};

// Room for credentials alone. Descriptors that find room there all the same are taken out, and so closed.
Record receive_record(FdView socket, MutableBytes into, int flags) noexcept {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(ucred))> control;
  iovec bytes{.iov_base = into.data(), .iov_len = into.size()};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket.raw(), &message, flags | MSG_TRUNC | MSG_CMSG_CLOEXEC);
  if (got == -1) {
    return {};
  }
  const cmsghdr* first = CMSG_FIRSTHDR(&message);
  if (first != nullptr && first->cmsg_type != SCM_CREDENTIALS) [[unlikely]] {
    [[maybe_unused]] const Enclosures closed = take_enclosures(message);
  }
  return {.size = got, .came = got > 0 || first != nullptr || (message.msg_flags & MSG_CTRUNC) != 0};
}

Result<std::size_t> received(const Record& record, std::size_t room) {
  if (record.size == -1) {
    return fail(os_failure("recvmsg", errno));
  }
  if (!record.came) {
    return fail(Errc::closed, "recvmsg");
  }
  const auto size = static_cast<std::size_t>(record.size);
  return size <= room ? Result<std::size_t>(size) : fail(cut_short("recvmsg", room, size));
}

// Until there is a record or the end. Outcomes: timed_out, stopped.
Result<Record> record_until(FdView socket, MutableBytes into, int more_flags, Deadline deadline) {
  Record record;
  return transfer_until("recvmsg", socket, Ready::reading, deadline,
                        [&](int flags) {
                          record = receive_record(socket, into, flags | more_flags);
                          return record.size;
                        })
      .transform([&](ssize_t) { return record; });
}

Result<void> shut_down(FdView socket, int direction) {
  // A connection whose other side has gone is shut down already.
  if (::shutdown(socket.raw(), direction) == -1 && errno != ENOTCONN) {
    return fail(os_failure("shutdown", errno));
  }
  return {};
}

}  // namespace

Result<UnixSeqpacket> UnixSeqpacket::connect(std::string_view name, Deadline deadline) {
  return connect(name, ::geteuid(), deadline);
}

Result<UnixSeqpacket> UnixSeqpacket::connect(std::string_view name, uid_t owner, Deadline deadline) {
  return connect_socket(SocketKind::seqpacket, name, owner, deadline).transform(adopt);
}

Result<UnixSeqpacket> UnixSeqpacket::try_connect(std::string_view name) { return try_connect(name, ::geteuid()); }

Result<UnixSeqpacket> UnixSeqpacket::try_connect(std::string_view name, uid_t owner) {
  return try_connect_socket(SocketKind::seqpacket, name, owner).transform(adopt);
}

Result<std::pair<UnixSeqpacket, UnixSeqpacket>> UnixSeqpacket::pair() {
  return make_socket_pair(SocketKind::seqpacket).transform([](std::pair<Fd, Fd> ends) {
    return std::pair(adopt(std::move(ends.first)), adopt(std::move(ends.second)));
  });
}

// Where the kernel does not do it (the descriptor is no Unix socket), an empty message passes for the end.
UnixSeqpacket UnixSeqpacket::adopt(Fd fd) noexcept {
  [[maybe_unused]] const auto asked = ask_for_credentials(fd.view());
  return UnixSeqpacket(std::move(fd));
}

Result<std::size_t> UnixSeqpacket::receive(MutableBytes into, Deadline deadline) {
  if (deadline.is_unconditional()) {
    const Record record = receive_record(fd(), into, 0);
    if (record.size != -1 || (errno != EAGAIN && errno != EINTR)) [[likely]] {
      return received(record, into.size());
    }
  }
  return record_until(fd(), into, 0, deadline).and_then([&](const Record& record) {
    return received(record, into.size());
  });
}

Result<std::size_t> UnixSeqpacket::try_receive(MutableBytes into) {
  Record record = receive_record(fd(), into, MSG_DONTWAIT);
  while (record.size == -1 && errno == EINTR) {
    record = receive_record(fd(), into, MSG_DONTWAIT);
  }
  return received(record, into.size());
}

Result<UnixSeqpacket::Received> UnixSeqpacket::receive_from(MutableBytes into, Deadline deadline) {
  Enclosures enclosed;
  auto got = transfer_until("recvmsg", fd(), Ready::reading, deadline,
                            [&](int flags) { return receive_enclosed(fd(), into, MSG_TRUNC | flags, enclosed); });
  if (!got) {
    return fail(std::move(got.error()));
  }
  const bool along = enclosed.sender || enclosed.lost || !enclosed.descriptors.empty();
  return received({.size = *got, .came = *got > 0 || along}, into.size()).transform([&](std::size_t size) {
    // What was sent before the kernel was asked bears no process.
    const bool told = enclosed.sender && enclosed.sender->pid != 0;
    return Received{.size = size,
                    .sender = told ? enclosed.sender : std::nullopt,
                    .dropped_descriptors = enclosed.lost || !enclosed.descriptors.empty()};
  });
}

Result<std::size_t> UnixSeqpacket::next_size(Deadline deadline) {
  return record_until(fd(), {}, MSG_PEEK, deadline).and_then([](const Record& record) {
    return received(record, static_cast<std::size_t>(-1));
  });
}

Result<void> UnixSeqpacket::finish_sending() { return shut_down(fd(), SHUT_WR); }
Result<void> UnixSeqpacket::finish_receiving() { return shut_down(fd(), SHUT_RD); }

Result<std::size_t> UnixSeqpacket::longest_message() const { return tenon::longest_message(fd()); }
Result<std::size_t> UnixSeqpacket::set_send_buffer(std::size_t bytes) { return tenon::set_send_buffer(fd(), bytes); }

}  // namespace tenon

#include <tenon/ipc/unix_seqpacket/unix_seqpacket.hpp>

#include <tenon/os/enclosures.hpp>
#include <tenon/os/socket_connection.hpp>
#include <tenon/os/unix_socket.hpp>

#include <unistd.h>

namespace tenon {

// What one recvmsg(2) returned, and whether that was a message: a 0 may be one, or the end.
struct UnixSeqpacket::Record {
  ssize_t size = -1;
  bool came = false;

  // Descriptors that found room where credentials belong are taken out, and so closed.
  static Record in(Envelope& envelope, ssize_t got) {
    if (got == -1) {
      return {};
    }
    msghdr& message = envelope.message;
    const cmsghdr* first = CMSG_FIRSTHDR(&message);
    if (first != nullptr && first->cmsg_type != SCM_CREDENTIALS) {
      [[maybe_unused]] const Enclosures closed = take_enclosures(message);
    }
    return {.size = got, .came = got > 0 || first != nullptr || (message.msg_flags & MSG_CTRUNC) != 0};
  }

  // errno is what the call left.
  Result<std::size_t> fitting(std::size_t room) const {
    if (size == -1) {
      return fail(os_failure("recvmsg", errno));
    }
    if (!came) {
      return fail(Errc::closed, "recvmsg");
    }
    const auto whole = static_cast<std::size_t>(size);
    return whole <= room ? Result<std::size_t>(whole) : fail(cut_short("recvmsg", room, whole));
  }
};

namespace {

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

// Until there is a record or the end. Outcomes: timed_out, stopped.
Result<UnixSeqpacket::Record> UnixSeqpacket::record_until(MutableBytes into, int more_flags, Deadline deadline) {
  Record record;
  return transfer_until("recvmsg", fd(), Ready::reading, deadline,
                        [&](int flags) {
                          Envelope envelope(into);
                          record = Record::in(envelope, envelope.receive(fd_.raw(), flags | more_flags));
                          return record.size;
                        })
      .transform([&](ssize_t) { return record; });
}

Result<std::size_t> UnixSeqpacket::receive_until(MutableBytes into, Deadline deadline) {
  return record_until(into, 0, deadline).and_then([&](const Record& record) { return record.fitting(into.size()); });
}

// After a first recvmsg(2) that brought no whole message with credentials; errno is what that left.
Result<std::size_t> UnixSeqpacket::receive_on(Envelope& envelope, ssize_t got, Deadline deadline) {
  if (got == -1 && (errno == EAGAIN || errno == EINTR)) {
    return receive_until({static_cast<std::byte*>(envelope.text.iov_base), envelope.text.iov_len}, deadline);
  }
  return Record::in(envelope, got).fitting(envelope.text.iov_len);
}

Result<std::size_t> UnixSeqpacket::try_receive_on(Envelope& envelope, ssize_t got) {
  while (got == -1 && errno == EINTR) {
    got = envelope.receive(fd_.raw(), MSG_DONTWAIT);
  }
  return Record::in(envelope, got).fitting(envelope.text.iov_len);
}

Result<UnixSeqpacket::Received> UnixSeqpacket::receive_from(MutableBytes into, Deadline deadline) {
  Enclosures enclosed;
  auto got = transfer_until("recvmsg", fd(), Ready::reading, deadline,
                            [&](int flags) { return receive_enclosed(fd(), into, MSG_TRUNC | flags, enclosed); });
  if (!got) {
    return fail(std::move(got.error()));
  }
  const bool along = enclosed.sender || enclosed.lost || !enclosed.descriptors.empty();
  return Record{.size = *got, .came = *got > 0 || along}.fitting(into.size()).transform([&](std::size_t size) {
    // What was sent before the kernel was asked bears no process.
    const bool told = enclosed.sender && enclosed.sender->pid != 0;
    return Received{.size = size,
                    .sender = told ? enclosed.sender : std::nullopt,
                    .dropped_descriptors = enclosed.lost || !enclosed.descriptors.empty()};
  });
}

Result<std::size_t> UnixSeqpacket::next_size(Deadline deadline) {
  return record_until({}, MSG_PEEK, deadline).and_then([](const Record& record) {
    return record.fitting(static_cast<std::size_t>(-1));
  });
}

Result<void> UnixSeqpacket::finish_sending() { return shut_down(fd(), SHUT_WR); }
Result<void> UnixSeqpacket::finish_receiving() { return shut_down(fd(), SHUT_RD); }

Result<std::size_t> UnixSeqpacket::longest_message() const { return tenon::longest_message(fd()); }
Result<std::size_t> UnixSeqpacket::set_send_buffer(std::size_t bytes) { return tenon::set_send_buffer(fd(), bytes); }

}  // namespace tenon

#include <tenon/os/socket_transfer.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/unix_socket.hpp>

#include <algorithm>

namespace tenon {

namespace {

// The kernel answers 0 to whoever asks for nothing, which must not be taken for the end.
Result<std::size_t> end_of(std::size_t room) {
  if (room == 0) {
    return fail(Error(Errc::invalid_argument, "recv").because("0 bytes asked for; 0 would mean the end of the stream"));
  }
  return 0;
}

Result<std::size_t> received(Result<ssize_t> got, std::size_t room) {
  if (!got) {
    return fail(std::move(got.error()));
  }
  if (*got == -1) {
    return fail(os_failure("recv", errno));
  }
  return *got == 0 ? end_of(room) : Result<std::size_t>(static_cast<std::size_t>(*got));
}

// As write(): what already went counts more than why the rest did not, which the next call tells.
Result<std::size_t> short_or(std::size_t done, Error error) {
  return done > 0 ? Result<std::size_t>(done) : fail(std::move(error));
}

Result<void> sent_whole(FdView socket, Result<ssize_t> sent, std::size_t wanted) {
  if (!sent) {
    return fail(std::move(sent.error()));
  }
  return *sent == -1 ? fail(send_failure("send", socket, errno, wanted)) : Result<void>();
}

ssize_t send_some(FdView socket, Bytes from, int flags) {
  return ::send(socket.raw(), from.data(), from.size(), flags | MSG_NOSIGNAL);
}

ssize_t send_pieces(FdView socket, Pieces& pieces, int flags) {
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.count();
  return ::sendmsg(socket.raw(), &message, flags | MSG_NOSIGNAL);
}

}  // namespace

Result<std::size_t> read_stream_until(FdView socket, MutableBytes into, Deadline deadline) {
  return received(transfer_until("recv", socket, Ready::reading, deadline,
                                 [&](int flags) { return ::recv(socket.raw(), into.data(), into.size(), flags); }),
                  into.size());
}

Result<std::size_t> read_stream_on(FdView socket, MutableBytes into, ssize_t got, Deadline deadline) {
  if (got == -1 && (errno == EAGAIN || errno == EINTR)) {
    return read_stream_until(socket, into, deadline);
  }
  return received(got, into.size());
}

Result<std::size_t> try_read_stream_on(FdView socket, MutableBytes into, ssize_t got) {
  while (got == -1 && errno == EINTR) {
    got = ::recv(socket.raw(), into.data(), into.size(), MSG_DONTWAIT);
  }
  return received(got, into.size());
}

Result<std::size_t> write_stream_until(FdView socket, Bytes from, Deadline deadline) {
  std::size_t done = 0;
  do {
    auto sent = transfer_until("send", socket, Ready::writing, deadline,
                               [&](int flags) { return send_some(socket, from.subspan(done), flags); });
    if (!sent) {
      return short_or(done, std::move(sent.error()));
    }
    if (*sent == -1) {
      return short_or(done, os_failure("send", errno));
    }
    done += static_cast<std::size_t>(*sent);
  } while (done < from.size());
  return done;
}

Result<std::size_t> write_stream_on(FdView socket, Bytes from, ssize_t sent, Deadline deadline) {
  if (sent == -1 && errno != EAGAIN && errno != EINTR) {
    return fail(os_failure("send", errno));
  }
  const std::size_t done = sent > 0 ? static_cast<std::size_t>(sent) : 0;
  auto rest = write_stream_until(socket, from.subspan(done), deadline);
  return rest ? Result<std::size_t>(done + *rest) : short_or(done, std::move(rest.error()));
}

Result<std::size_t> try_write_stream_on(FdView socket, Bytes from) {
  ssize_t sent = -1;
  while (sent == -1 && errno == EINTR) {
    sent = send_some(socket, from, MSG_DONTWAIT);
  }
  return sent == -1 ? Result<std::size_t>(fail(os_failure("send", errno)))
                    : Result<std::size_t>(static_cast<std::size_t>(sent));
}

Result<void> send_message_until(FdView socket, Bytes message, Deadline deadline) {
  return sent_whole(socket,
                    transfer_until("send", socket, Ready::writing, deadline,
                                   [&](int flags) { return send_some(socket, message, flags); }),
                    message.size());
}

Result<void> send_message_on(FdView socket, Bytes message, Deadline deadline) {
  return errno == EAGAIN || errno == EINTR ? send_message_until(socket, message, deadline)
                                           : sent_whole(socket, -1, message.size());
}

Result<void> try_send_message_on(FdView socket, Bytes message) {
  ssize_t sent = -1;
  while (sent == -1 && errno == EINTR) {
    sent = send_some(socket, message, MSG_DONTWAIT);
  }
  return sent_whole(socket, sent, message.size());
}

Pieces::Pieces(std::span<const Bytes> pieces) : count_(pieces.size()) {
  expects(pieces.size() <= most, "at most 64 pieces go in one call");
  std::ranges::transform(pieces, all_, [](Bytes piece) {
    // The kernel does not change what iov_base points to; the type is shared with receiving.
    return iovec{.iov_base = const_cast<std::byte*>(piece.data()), .iov_len = piece.size()};
  });
}

Pieces::Pieces(std::span<const MutableBytes> pieces) : count_(pieces.size()) {
  expects(pieces.size() <= most, "at most 64 pieces are filled by one call");
  std::ranges::transform(pieces, all_,
                         [](MutableBytes piece) { return iovec{.iov_base = piece.data(), .iov_len = piece.size()}; });
}

std::size_t Pieces::bytes() const noexcept {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    sum += first_[i].iov_len;
  }
  return sum;
}

void Pieces::advance(std::size_t bytes) noexcept {
  while (count_ > 0 && bytes >= first_->iov_len) {
    bytes -= first_->iov_len;
    ++first_;
    --count_;
  }
  if (count_ > 0) {
    first_->iov_base = static_cast<std::byte*>(first_->iov_base) + bytes;
    first_->iov_len -= bytes;
  }
}

Result<std::size_t> write_stream_gathered(FdView socket, std::span<const Bytes> pieces, Deadline deadline) {
  Pieces rest(pieces);
  std::size_t done = 0;
  while (rest.bytes() > 0) {
    auto sent = transfer_until("sendmsg", socket, Ready::writing, deadline,
                               [&](int flags) { return send_pieces(socket, rest, flags); });
    if (!sent) {
      return short_or(done, std::move(sent.error()));
    }
    if (*sent == -1) {
      return short_or(done, os_failure("sendmsg", errno));
    }
    done += static_cast<std::size_t>(*sent);
    rest.advance(static_cast<std::size_t>(*sent));
  }
  return done;
}

Result<std::size_t> read_stream_scattered(FdView socket, std::span<const MutableBytes> pieces, Deadline deadline) {
  Pieces into(pieces);
  msghdr message{};
  message.msg_iov = into.data();
  message.msg_iovlen = into.count();
  return received(transfer_until("recvmsg", socket, Ready::reading, deadline,
                                 [&](int flags) { return ::recvmsg(socket.raw(), &message, flags); }),
                  into.bytes());
}

Result<void> send_message_gathered(FdView socket, std::span<const Bytes> pieces, Deadline deadline) {
  Pieces whole(pieces);
  return sent_whole(socket,
                    transfer_until("sendmsg", socket, Ready::writing, deadline,
                                   [&](int flags) { return send_pieces(socket, whole, flags); }),
                    whole.bytes());
}

Error send_failure(const char* call, FdView socket, int os_error, std::size_t wanted) {
  switch (os_error) {
    case EMSGSIZE:
      return message_too_long(call, socket, wanted);
    case ECONNREFUSED:  // a datagram socket's peer has gone; from then on it is
    case ENOTCONN:
      return Error(Errc::closed, call, os_error);
    default:
      return os_failure(call, os_error);
  }
}

Error cut_short(const char* call, std::size_t room, std::size_t size) {
  return Error(Errc::message_too_long, call)
      .because("the rest of the message is lost")
      .with({.name = "the buffer",
             .value = room,
             .wanted = size,
             .remedy = "next_size() tells beforehand how much room the next one needs"});
}

Result<void> wait_hung_up(FdView socket, Deadline deadline) {
  return wait_ready(socket, Ready::nothing, deadline).transform([](Ready) {});
}

}  // namespace tenon

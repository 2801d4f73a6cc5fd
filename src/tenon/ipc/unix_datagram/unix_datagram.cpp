#include <tenon/ipc/unix_datagram/unix_datagram.hpp>

#include <tenon/os/backoff.hpp>
#include <tenon/os/enclosures.hpp>
#include <tenon/os/socket_connection.hpp>
#include <tenon/os/socket_name.hpp>
#include <tenon/os/unix_socket.hpp>

#include <string>
#include <unistd.h>

namespace tenon {

namespace {

Result<std::size_t> received(Result<ssize_t> got, std::size_t room) {
  if (!got) {
    return fail(std::move(got.error()));
  }
  if (*got == -1) {
    return fail(os_failure("recv", errno));
  }
  const auto size = static_cast<std::size_t>(*got);
  return size <= room ? Result<std::size_t>(size) : fail(cut_short("recv", room, size));
}

// What a name means to one who sends to it now and then.
Error unreachable(const UnixAddress& address, FdView socket, int os_error, std::size_t wanted) {
  if (os_error == ECONNREFUSED) {
    return Error(Errc::no_peer, "sendto", os_error).on(address.text()).because("nobody receives there");
  }
  if (os_error == EPROTOTYPE) {
    return Error(Errc::wrong_kind, "sendto", os_error)
        .on(address.text())
        .because("what is bound there is not a datagram socket");
  }
  return std::move(send_failure("sendto", socket, os_error, wanted)).on(address.text());
}

}  // namespace

Result<UnixDatagram> UnixDatagram::create(std::string_view name, Permissions permissions) {
  auto address = UnixAddress::parse(name);
  if (!address) {
    return fail(std::move(address.error()));
  }
  return make_socket(SocketKind::datagram).and_then([&](Fd socket) -> Result<UnixDatagram> {
    // Before anybody can send: what is sent before the kernel is asked bears no sender.
    if (auto asked = ask_for_credentials(socket.view()); !asked) {
      return fail(std::move(asked.error()));
    }
    if (auto bound = bind_socket(socket.view(), *address, permissions); !bound) {
      return fail(std::move(bound.error()));
    }
    return adopt(std::move(socket));
  });
}

Result<UnixDatagram> UnixDatagram::connect(std::string_view name, Deadline deadline) {
  return connect(name, ::geteuid(), deadline);
}

Result<UnixDatagram> UnixDatagram::connect(std::string_view name, uid_t owner, Deadline deadline) {
  return connect_socket(SocketKind::datagram, name, owner, deadline).transform(adopt);
}

Result<UnixDatagram> UnixDatagram::try_connect(std::string_view name) { return try_connect(name, ::geteuid()); }

Result<UnixDatagram> UnixDatagram::try_connect(std::string_view name, uid_t owner) {
  return try_connect_socket(SocketKind::datagram, name, owner).transform(adopt);
}

Result<std::pair<UnixDatagram, UnixDatagram>> UnixDatagram::pair() {
  return make_socket_pair(SocketKind::datagram).transform([](std::pair<Fd, Fd> ends) {
    return std::pair(adopt(std::move(ends.first)), adopt(std::move(ends.second)));
  });
}

Result<void> UnixDatagram::send_to(const UnixAddress& address, Bytes message, Deadline deadline) {
  return send_to(address, ::geteuid(), message, deadline);
}

// poll(2) tells of room in this socket alone, not of room with a receiver that it is not connected to.
Result<void> UnixDatagram::send_to(const UnixAddress& address, uid_t owner, Bytes message, Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "sendto");
  }
  auto held = address.is_abstract() ? Result<Fd>(Fd::adopt(-1)) : hold_socket(std::string(address.name()), owner);
  if (!held) {
    return fail(std::move(held.error()));
  }
  const UnixAddress target = held->owns() ? address_of_held(held->view()) : address;
  Backoff backoff(deadline);
  while (true) {
    const ssize_t sent = ::sendto(fd_.raw(), message.data(), message.size(), MSG_NOSIGNAL | flags_until(deadline),
                                  target.raw(), target.length());
    if (sent >= 0) {
      return {};
    }
    if (errno != EAGAIN && errno != EINTR) {
      return fail(unreachable(address, fd(), errno, message.size()));
    }
    if (errno == EAGAIN) {
      if (auto slept = backoff.sleep(); !slept) {
        return fail(std::move(slept.error()).on(address.text()));
      }
    }
  }
}

Result<std::size_t> UnixDatagram::receive_until(MutableBytes into, Deadline deadline) {
  return received(
      transfer_until("recv", fd(), Ready::reading, deadline,
                     [&](int flags) { return ::recv(fd_.raw(), into.data(), into.size(), MSG_TRUNC | flags); }),
      into.size());
}

Result<std::size_t> UnixDatagram::receive_on(MutableBytes into, ssize_t got, Deadline deadline) {
  if (got == -1 && (errno == EAGAIN || errno == EINTR)) {
    return receive_until(into, deadline);
  }
  return received(got, into.size());
}

Result<std::size_t> UnixDatagram::try_receive_on(MutableBytes into, ssize_t got) {
  while (got == -1 && errno == EINTR) {
    got = ::recv(fd_.raw(), into.data(), into.size(), MSG_TRUNC | MSG_DONTWAIT);
  }
  return received(got, into.size());
}

Result<UnixDatagram::Received> UnixDatagram::receive_from(MutableBytes into, Deadline deadline) {
  Enclosures enclosed;
  auto size =
      received(transfer_until("recvmsg", fd(), Ready::reading, deadline,
                              [&](int flags) { return receive_enclosed(fd(), into, MSG_TRUNC | flags, enclosed); }),
               into.size());
  return std::move(size).transform([&](std::size_t bytes) {
    const bool told = enclosed.sender && enclosed.sender->pid != 0;
    return Received{.size = bytes,
                    .from = enclosed.address,
                    .sender = told ? enclosed.sender : std::nullopt,
                    .dropped_descriptors = enclosed.lost || !enclosed.descriptors.empty()};
  });
}

Result<void> UnixDatagram::tell_senders() { return ask_for_credentials(fd()); }

Result<std::size_t> UnixDatagram::next_size(Deadline deadline) {
  return transfer_until("recv", fd(), Ready::reading, deadline,
                        [&](int flags) { return ::recv(fd_.raw(), nullptr, 0, MSG_PEEK | MSG_TRUNC | flags); })
      .and_then([](ssize_t size) -> Result<std::size_t> {
        return size == -1 ? Result<std::size_t>(fail(os_failure("recv", errno)))
                          : Result<std::size_t>(static_cast<std::size_t>(size));
      });
}

Result<std::size_t> UnixDatagram::longest_message() const { return tenon::longest_message(fd()); }
Result<std::size_t> UnixDatagram::set_send_buffer(std::size_t bytes) { return tenon::set_send_buffer(fd(), bytes); }
Result<UnixAddress> UnixDatagram::address() const { return address_of(fd()); }
Result<void> UnixDatagram::unlink(std::string_view path) { return unlink_socket(path); }

}  // namespace tenon

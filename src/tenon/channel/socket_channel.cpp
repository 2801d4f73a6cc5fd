#include <tenon/channel/socket_channel.hpp>

#include <tenon/channel/fifo_channel.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/channel/socket_carrier.hpp>
#include <tenon/os/backoff.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/socket_name.hpp>
#include <tenon/os/unix_address.hpp>

namespace tenon {

namespace {

constexpr auto closing_patience = std::chrono::milliseconds(200);

// One socket has one name here, however its directory is spelt. Failures: invalid_name, not_found (its directory).
Result<std::string> absolute(const std::string& name) {
  auto address = UnixAddress::parse(name);
  if (!address) {
    return fail(std::move(address.error()));
  }
  return address->is_abstract() ? Result<std::string>(name) : absolute_fifo_path(name);
}

Result<Rendezvous> join(const char* scheme, const std::string& name, std::shared_ptr<const Domain> domain, Role role,
                        Deadline deadline) {
  return absolute(name).and_then([&](const std::string& whole) {
    ObjectKeeper keeper;
    keeper.made_by_receiver = true;
    keeper.remove = remove_channel_object;
    return Rendezvous::join(std::move(domain), std::string(scheme) + ":" + whole, role, std::move(keeper), deadline);
  });
}

// The receiver enters before it makes its socket, and may be another user's where a group shares the domain.
Result<uid_t> user_of_receiver(const Rendezvous& rendezvous, Deadline deadline) {
  return rendezvous.entered(deadline).transform([](const std::vector<Participant>& all) {
    for (const Participant& one : all) {
      if (one.role == Role::receiver) {
        return one.uid;
      }
    }
    return ::geteuid();
  });
}

// Connects to the receiver, which may have died before it made its socket: another one may take its place.
template <class Socket>
Result<Socket> reach(const std::string& name, const Rendezvous& rendezvous, Deadline deadline) {
  if (auto come = rendezvous.await_other_role(deadline); !come) {
    return fail(std::move(come.error()));
  }
  while (true) {
    auto user = user_of_receiver(rendezvous, deadline);
    auto connected = user ? Socket::connect(name, *user, deadline.or_sooner(after(recheck_interval)))
                          : Result<Socket>(fail(std::move(user.error())));
    const bool not_yet = connected.failed_with(Errc::timed_out) || connected.failed_with(Errc::not_found) ||
                         connected.failed_with(Errc::no_peer) || connected.failed_with(Errc::would_block);
    if (!not_yet || deadline.passed()) {
      return connected;
    }
    if (auto entered = rendezvous.progress(); !entered) {
      return fail(std::move(entered.error()));
    }
  }
}

template <class Socket, class Sink>
Result<Sender> open_to(const char* scheme, const std::string& name, std::shared_ptr<const Domain> domain,
                       Deadline deadline) {
  return join(scheme, name, std::move(domain), Role::sender, deadline).and_then([&](Rendezvous rendezvous) {
    return reach<Socket>(name, rendezvous, deadline).transform([&](Socket socket) {
      return Sender(std::move(rendezvous), std::make_unique<Sink>(std::move(socket)));
    });
  });
}

template <class Socket, class Source>
Result<Receiver> open_at(const char* scheme, const std::string& name, std::shared_ptr<const Domain> domain,
                         Deadline deadline) {
  return join(scheme, name, std::move(domain), Role::receiver, deadline)
      .and_then([&](Rendezvous rendezvous) -> Result<Receiver> {
        auto socket = Socket::create(name);
        if (!socket) {
          return fail(std::move(socket.error()));
        }
        if (auto come = rendezvous.await_other_role(deadline); !come) {
          return fail(std::move(come.error()));
        }
        return Receiver(std::move(rendezvous), std::make_unique<Source>(std::move(*socket)));
      });
}

}  // namespace

Result<Sender> open_stream_socket_sender(const std::string& name, std::shared_ptr<const Domain> domain,
                                         Deadline deadline) {
  return open_to<UnixStream, StreamSocketSink>("unix", name, std::move(domain), deadline);
}

Result<Receiver> open_stream_socket_receiver(const std::string& name, std::shared_ptr<const Domain> domain,
                                             Deadline deadline) {
  return open_at<UnixListener, StreamSocketSource>("unix", name, std::move(domain), deadline);
}

Result<Sender> open_datagram_sender(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return open_to<UnixDatagram, DatagramSink>("dgram", name, std::move(domain), deadline);
}

Result<Receiver> open_datagram_receiver(const std::string& name, std::shared_ptr<const Domain> domain,
                                        Deadline deadline) {
  return open_at<UnixDatagram, DatagramSource>("dgram", name, std::move(domain), deadline);
}

Result<Sender> open_seqpacket_sender(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline) {
  return open_to<UnixSeqpacket, SeqpacketSink>("seqpacket", name, std::move(domain), deadline);
}

Result<Receiver> open_seqpacket_receiver(const std::string& name, std::shared_ptr<const Domain> domain,
                                         Deadline deadline) {
  return open_at<UnixSeqpacketListener, SeqpacketSource>("seqpacket", name, std::move(domain), deadline);
}

void remove_socket(const Domain&, const std::string& name, std::uint64_t) {
  if (name.starts_with('@')) {
    return;
  }
  // A receiver that was killed is known to be dead some moments before the kernel has closed its socket.
  Backoff backoff(after(closing_patience));
  while (unlink_dead_socket(name).failed_with(Errc::already_exists) && backoff.sleep()) {
  }
}

}  // namespace tenon

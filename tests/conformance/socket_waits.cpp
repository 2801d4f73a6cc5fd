// The waits of Unix sockets: for a name, for admission, for bytes, for messages, for room, and for the other side's
// end.
#include "waits.hpp"

#include "wait_on.hpp"

#include <tenon/ipc/descriptor_passing/descriptor_passing.hpp>
#include <tenon/ipc/unix_datagram/unix_datagram.hpp>
#include <tenon/ipc/unix_seqpacket/unix_seqpacket_listener.hpp>
#include <tenon/ipc/unix_stream/unix_listener.hpp>

#include <kit/unique.hpp>

namespace conformance {

namespace {

using namespace tenon;

std::string abstract_name() { return "@" + kit::unique_name("wait"); }

template <class Socket>
std::pair<Socket, Socket> connected() {
  return Socket::pair().or_throw();
}

using Streams = std::pair<UnixStream, UnixStream>;
using Datagrams = std::pair<UnixDatagram, UnixDatagram>;
using Seqpackets = std::pair<UnixSeqpacket, UnixSeqpacket>;

Streams full_streams() {
  Streams ends = connected<UnixStream>();
  while (ends.first.try_write(bytes)) {
  }
  return ends;
}

template <class Socket>
std::pair<Socket, Socket> full() {
  std::pair<Socket, Socket> ends = connected<Socket>();
  while (ends.first.try_send(bytes)) {
  }
  return ends;
}

// One that is not connected sends to one whose queue others have filled.
struct FullInbox {
  FullInbox() {
    UnixDatagram other = UnixDatagram::try_connect(inbox.address().or_throw().text()).or_throw();
    while (other.try_send(bytes)) {
    }
  }
  UnixDatagram inbox = UnixDatagram::create(abstract_name()).or_throw();
  UnixDatagram sender = UnixDatagram::create(abstract_name()).or_throw();
};

template <class Listener>
Listener nobody_comes() {
  return Listener::create(abstract_name()).or_throw();
}

// As many wait to be accepted as may.
template <class Listener, class Socket>
struct Besieged {
  Besieged() {
    for (auto one = Socket::try_connect(name); one; one = Socket::try_connect(name)) {
      waiting.push_back(std::move(*one));
    }
  }
  std::string name = abstract_name();
  Listener listener = Listener::create(name, owner_only, 0).or_throw();
  std::vector<Socket> waiting;
};

using BesiegedStream = Besieged<UnixListener, UnixStream>;
using BesiegedSeqpacket = Besieged<UnixSeqpacketListener, UnixSeqpacket>;

template <class Socket>
auto connecting() {
  return [](const std::string& name, Deadline d) { return Socket::connect(name, d); };
}

template <class T>
auto admitted() {
  return [](std::shared_ptr<T>& to, Deadline d) { return decltype(to->waiting)::value_type::connect(to->name, d); };
}

std::vector<Wait> stream_waits() {
  return {
      {"UnixStream_connect", on(abstract_name, connecting<UnixStream>()), Errc::no_peer},
      {"UnixStream_connect_admission", on(fresh<BesiegedStream>(), admitted<BesiegedStream>()), Errc::would_block},
      {"UnixListener_accept", on(nobody_comes<UnixListener>, [](UnixListener& l, Deadline d) { return l.accept(d); })},
      {"UnixStream_read", on(connected<UnixStream>, [](Streams& s, Deadline d) { return s.first.read(bytes, d); })},
      {"UnixStream_read_scattered", on(connected<UnixStream>,
                                       [](Streams& s, Deadline d) {
                                         const std::array<MutableBytes, 2> pieces = {bytes, bytes};
                                         return s.first.read_scattered(pieces, d);
                                       })},
      {"UnixStream_write", on(full_streams, [](Streams& s, Deadline d) { return s.first.write(bytes, d); })},
      {"UnixStream_write_gathered", on(full_streams,
                                       [](Streams& s, Deadline d) {
                                         const std::array<Bytes, 2> pieces = {bytes, bytes};
                                         return s.first.write_gathered(pieces, d);
                                       })},
      {"UnixStream_wait_closed",
       on(connected<UnixStream>, [](Streams& s, Deadline d) { return s.first.wait_closed(d); })},
  };
}

// What datagram and seqpacket sockets have alike.
template <class Socket>
std::vector<Wait> message_waits(const std::string& socket) {
  using Ends = std::pair<Socket, Socket>;
  return {
      {socket + "_connect", on(abstract_name, connecting<Socket>()), Errc::no_peer},
      {socket + "_send", on(full<Socket>, [](Ends& e, Deadline d) { return e.first.send(bytes, d); })},
      {socket + "_send_gathered", on(full<Socket>,
                                     [](Ends& e, Deadline d) {
                                       const std::array<Bytes, 2> pieces = {bytes, bytes};
                                       return e.first.send_gathered(pieces, d);
                                     })},
      {socket + "_receive", on(connected<Socket>, [](Ends& e, Deadline d) { return e.first.receive(bytes, d); })},
      {socket + "_receive_from",
       on(connected<Socket>, [](Ends& e, Deadline d) { return e.first.receive_from(bytes, d); })},
      {socket + "_next_size", on(connected<Socket>, [](Ends& e, Deadline d) { return e.first.next_size(d); })},
  };
}

std::vector<Wait> other_waits() {
  using Inbox = std::shared_ptr<FullInbox>;
  return {
      {"UnixDatagram_send_to",
       on(fresh<FullInbox>(),
          [](Inbox& i, Deadline d) { return i->sender.send_to(i->inbox.address().or_throw(), bytes, d); })},
      {"UnixSeqpacket_connect_admission", on(fresh<BesiegedSeqpacket>(), admitted<BesiegedSeqpacket>()),
       Errc::would_block},
      {"UnixSeqpacketListener_accept",
       on(nobody_comes<UnixSeqpacketListener>, [](UnixSeqpacketListener& l, Deadline d) { return l.accept(d); })},
      {"UnixSeqpacket_wait_closed",
       on(connected<UnixSeqpacket>, [](Seqpackets& s, Deadline d) { return s.first.wait_closed(d); })},
      {"send_descriptors", on(full_streams,
                              [](Streams& s, Deadline d) {
                                const std::array descriptors = {s.second.fd()};
                                return send_descriptors(s.first.fd(), bytes, descriptors, d);
                              })},
      {"receive_descriptors",
       on(connected<UnixStream>,
          [](Streams& s, Deadline d) { return receive_descriptors(s.first.fd(), bytes, 1, d); })},
      {"send_credentials",
       on(full_streams,
          [](Streams& s, Deadline d) { return send_credentials(s.first.fd(), bytes, own_credentials(), d); })},
  };
}

}  // namespace

std::vector<Wait> socket_waits() {
  std::vector<Wait> all = stream_waits();
  for (auto more :
       {message_waits<UnixDatagram>("UnixDatagram"), message_waits<UnixSeqpacket>("UnixSeqpacket"), other_waits()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace conformance

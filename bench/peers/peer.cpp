#include <peers/peer.hpp>

#include <stdexcept>

namespace peers {

void fail(const char* call, const std::string& why) { throw std::runtime_error(std::string(call) + ": " + why); }

namespace {

[[maybe_unused]] Peer missing(const char* name, const char* packages) {
  return {.name = name, .missing = std::string("needs ") + packages + ": ./dev bench --peers installs it"};
}

}  // namespace

#ifndef TENON_PEER_BOOST_QUEUE
Peer boost_queue() { return missing("Boost queue", "libboost-dev"); }
#endif
#ifndef TENON_PEER_CYCLONE_DDS
Peer cyclone_dds() { return missing("Cyclone DDS", "cyclonedds-dev and iceoryx"); }
#endif
#ifndef TENON_PEER_DBUS
Peer dbus() { return missing("D-Bus", "libdbus-1-dev and dbus-daemon"); }
#endif
#ifndef TENON_PEER_ICEORYX
Peer iceoryx() { return missing("iceoryx", "libiceoryx-posh-dev and iceoryx"); }
#endif
#ifndef TENON_PEER_NATS
Peer nats() { return missing("NATS", "libnats-dev and nats-server"); }
#endif
#ifndef TENON_PEER_NNG
Peer nng() { return missing("NNG", "libnng-dev"); }
#endif
#ifndef TENON_PEER_ZEROMQ
Peer zeromq() { return missing("ZeroMQ", "libzmq3-dev"); }
#endif

std::vector<Peer> all_peers() {
  return {iceoryx(), boost_queue(), zeromq(), nng(), cyclone_dds(), dbus(), tcp(), nats()};
}

}  // namespace peers

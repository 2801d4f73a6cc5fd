#pragma once
/// The channels unix:PATH, dgram:PATH and seqpacket:PATH; @NAME in place of PATH is abstract. The receiver makes the
/// socket, mode 0600, and takes a dead one's place; the last one out removes what is left of it.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/sender.hpp>

#include <cstdint>

namespace tenon {

/// Each waits until the other side has come. Outcomes: timed_out, stopped, already_exists (a living socket that is no
/// channel's has the name).
Result<Sender> open_stream_socket_sender(const std::string& name, std::shared_ptr<const Domain> domain,
                                         Deadline deadline);
Result<Receiver> open_stream_socket_receiver(const std::string& name, std::shared_ptr<const Domain> domain,
                                             Deadline deadline);
Result<Sender> open_datagram_sender(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline);
Result<Receiver> open_datagram_receiver(const std::string& name, std::shared_ptr<const Domain> domain,
                                        Deadline deadline);
Result<Sender> open_seqpacket_sender(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline);
Result<Receiver> open_seqpacket_receiver(const std::string& name, std::shared_ptr<const Domain> domain,
                                         Deadline deadline);
/// A living socket's name stays.
void remove_socket(const Domain&, const std::string& name, std::uint64_t object);

}  // namespace tenon

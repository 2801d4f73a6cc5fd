#pragma once
/// The channel stream:NAME: frames over a stream in shared memory (messaging/stream) from each sender to the receiver.
/// Either side may start first.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/sender.hpp>

#include <cstdint>

namespace tenon {

/// Each waits until the other side has come. Outcomes: timed_out, stopped. Failures: also no_space (the domain's tmpfs
/// is full), invalid_name, limit_reached (descriptors).
Result<Sender> open_stream_sender(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline);
Result<Receiver> open_stream_receiver(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline);
/// What both ends of streams have left that were killed: each takes the other's away, where only one was.
void remove_streams(const Domain& domain, const std::string& name, std::uint64_t object);

}  // namespace tenon

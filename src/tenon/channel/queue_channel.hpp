#pragma once
/// The channel queue:NAME: frames as messages of a queue of the domain (messaging/queue), whose priorities are theirs.
/// Either side may start first; the queue is made if there is none, and removed by the last one out.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/sender.hpp>

#include <cstdint>

namespace tenon {

/// Each waits until the other side has come. Outcomes: timed_out, stopped, stale (the queue was replaced from outside,
/// or one that was there holds messages). Failures: also no_space (the domain's tmpfs is full), type_mismatch (a queue
/// of that name is none of bytes), invalid_argument (it takes no frame), limit_reached (too many have it open).
Result<Sender> open_queue_sender(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline);
Result<Receiver> open_queue_receiver(const std::string& name, std::shared_ptr<const Domain> domain, Deadline deadline);
void remove_queue(const Domain& domain, const std::string& name, std::uint64_t object);

}  // namespace tenon

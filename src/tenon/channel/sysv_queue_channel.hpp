#pragma once
/// The channel sysvq:KEY, where KEY is a number as in 1234 or 0x4d2. The queue is made if there is none, and removed by
/// the last one out. One that was there before stays, if it was empty.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/sender.hpp>

#include <cstdint>

namespace tenon {

/// Each waits until the other side has come. Outcomes: timed_out, stopped, stale (the queue holds messages of somebody
/// else's, or was removed or replaced from outside while this side waited, or while others use it).
Result<Sender> open_sysv_queue_sender(const std::string& key, std::shared_ptr<const Domain> domain, Deadline deadline);
Result<Receiver> open_sysv_queue_receiver(const std::string& key, std::shared_ptr<const Domain> domain,
                                          Deadline deadline);
void remove_sysv_queue(const Domain&, const std::string& key, std::uint64_t object);

}  // namespace tenon

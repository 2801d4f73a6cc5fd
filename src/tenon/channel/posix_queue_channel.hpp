#pragma once
/// The channel mq:/NAME. The queue is made if there is none, of up to 10 messages of 8,192 bytes, which every user may
/// have by default, and removed by the last one out. One that was there before stays, if it was empty; its messages
/// must have room for a frame.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/sender.hpp>

#include <cstdint>

namespace tenon {

/// Each waits until the other side has come. Outcomes: timed_out, stopped, stale (the queue holds messages of somebody
/// else's, or was removed or replaced from outside while this side waited, or while others use it).
Result<Sender> open_posix_queue_sender(const std::string& name, std::shared_ptr<const Domain> domain,
                                       Deadline deadline);
Result<Receiver> open_posix_queue_receiver(const std::string& name, std::shared_ptr<const Domain> domain,
                                           Deadline deadline);
void remove_posix_queue(const Domain&, const std::string& name, std::uint64_t object);

}  // namespace tenon

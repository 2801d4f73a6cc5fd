#pragma once
/// The channel shm:NAME: slots in POSIX shared memory, POSIX semaphores to wait with. Either side may start first.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/sender.hpp>

#include <cstdint>

namespace tenon {

/// Outcomes: also stale (the memory was removed or replaced from outside, or was left by a conversation that nobody is
/// entered at). Failures: also no_space (/dev/shm is full), wrong_kind (the memory of that name is no channel's).
Result<Sender> open_posix_memory_sender(const std::string& name, std::shared_ptr<const Domain> domain,
                                        Deadline deadline);
Result<Receiver> open_posix_memory_receiver(const std::string& name, std::shared_ptr<const Domain> domain,
                                            Deadline deadline);
void remove_posix_memory(const Domain&, const std::string& name, std::uint64_t object);

}  // namespace tenon

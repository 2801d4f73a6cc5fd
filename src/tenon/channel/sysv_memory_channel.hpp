#pragma once
/// The channel sysv-shm:KEY: slots in System V shared memory, System V semaphores to wait with. Either side may start
/// first.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/sender.hpp>

#include <cstdint>

namespace tenon {

/// The key names a segment and a set of semaphores. Outcomes: also stale (they were removed or replaced from outside,
/// or were left by a conversation that nobody is entered at). Failures: also limit_reached (SHMMNI, SEMMNI …),
/// wrong_kind (the segment of that key is no channel's), invalid_argument (no key).
Result<Sender> open_sysv_memory_sender(const std::string& key, std::shared_ptr<const Domain> domain, Deadline deadline);
Result<Receiver> open_sysv_memory_receiver(const std::string& key, std::shared_ptr<const Domain> domain,
                                           Deadline deadline);
void remove_sysv_memory(const Domain&, const std::string& key, std::uint64_t object);

}  // namespace tenon

#pragma once
/// Which of the kernel's objects are left over by the dead. sysvipc(7), shm_overview(7), unix(7)
///
/// What the kernel keeps of each kind decides how much can be proven. System V memory has a count of who has it
/// attached, and remembers its creator. A socket file tells whether any socket is bound to it. System V queues and sets
/// remember their last users alone: a living process that used one before these did is not seen, so they are `likely`
/// at best. POSIX objects remember nobody: they are `unjudged`, held or not, as are FIFOs. Pipes, memfds and all that
/// has no name goes with its last holder.
///
/// It reads, and asks a socket file by a connect of the wrong kind, which nobody at the other end notices
/// (os/socket_name.hpp).
#include <tenon/inspect/leftovers/leftover_verdict.hpp>
#include <tenon/inspect/snapshot.hpp>
#include <tenon/inspect/waits/queue_sleepers.hpp>

#include <cstddef>

namespace tenon::inspect {

/// Of the object at that place of a snapshot. To be asked soon after it was taken: the dead's ids are given out again.
/// `sleepers` are looked at once, for all System V queues.
Judgement judge(const Snapshot& all, std::size_t object, QueueSleepers& sleepers);

}  // namespace tenon::inspect

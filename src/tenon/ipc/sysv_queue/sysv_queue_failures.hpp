#pragma once
/// What a System V queue's errors mean: whose the queue is, which limit was reached, that it was removed. sysvipc(7)
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>

#include <cstdint>
#include <sys/msg.h>

namespace tenon {

/// A setting of the kernel's, 0 if it cannot be read: "msgmax".
std::uint64_t sysv_queue_setting(const char* name);

/// There was no message, or no room for one.
bool sysv_queue_would_block(int os_error) noexcept;
/// The error of a call that has just failed to send a message, to receive one, or to make a queue.
Error sysv_queue_send_failure(int os_error, long type, std::size_t size);
Error sysv_queue_receive_failure(int os_error, MutableBytes into);
Error sysv_queue_create_failure(int os_error, SysvKey key);

/// IPC_STAT. Outcomes: closed. Failures: permission_denied.
Result<msqid_ds> sysv_queue_status(int id);
/// The kernel lets a sender wait for ever that brings more than the queue holds when it is empty. Outcomes:
/// message_too_long.
Result<void> sysv_queue_fits(int id, std::size_t size);
/// Whoever made a queue keeps its rights to it, even if it has given it to somebody else: both must be `owner`.
/// Outcomes: not_found. Failures: permission_denied.
Result<void> sysv_queue_belongs_to(int id, SysvKey key, uid_t owner);
/// The error of a removal that was refused. Outcomes: not_found.
Error sysv_queue_remove_failure(int os_error, int id);

}  // namespace tenon

#pragma once
/// Which limit stood in a queue's way, with its figures: the kernel says EINVAL, EMFILE or ENOSPC. mq_overview(7)
#include <tenon/ipc/posix_queue/posix_queue.hpp>

#include <cstdint>
#include <string>

namespace tenon {

/// What the kernel charges to the user's RLIMIT_MSGQUEUE for a queue, full or empty.
std::uint64_t posix_queue_charge(PosixQueue::Limits limits) noexcept;

/// The error of an mq_open(3) that has just failed to make a queue.
Error posix_queue_create_failure(int os_error, const std::string& name, PosixQueue::Limits limits);

/// The error of a call that has just failed to open or remove a queue by its name: names its owner, where it can be
/// seen.
Error posix_queue_name_failure(const char* call, int os_error, const std::string& name);

}  // namespace tenon

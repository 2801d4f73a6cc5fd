#pragma once
/// Why no more processes can be started. fork(2), cgroups(7)
#include <tenon/base/error.hpp>

namespace tenon {

/// Failure of a call that could not start a process. EAGAIN has several causes that the kernel does not tell apart: the
/// one that the figures show is named, pids.max of a full cgroup before RLIMIT_NPROC before kernel.threads-max.
Error process_failure(const char* call, int os_error);

}  // namespace tenon

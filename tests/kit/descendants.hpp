#pragma once
/// The processes that came out of one process. proc(5), /proc/PID/task/TID/children
#include <cstddef>
#include <span>
#include <sys/types.h>

namespace kit {

/// Fills `into` with the children of `of`, their children and so on, parents first; returns how many. Orphans belong
/// to their new parent. Async-signal-safe, so that a watchdog may call it out of a hung malloc().
std::size_t descendants(pid_t of, std::span<pid_t> into) noexcept;

/// SIGKILLs all descendants of this process, and the process groups that they lead. Async-signal-safe.
void kill_descendants() noexcept;

}  // namespace kit

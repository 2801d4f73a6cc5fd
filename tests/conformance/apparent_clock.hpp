#pragma once
/// A wall clock that jumps for this process alone.
#include <chrono>

namespace conformance {

/// From now on this program's calls of clock_gettime(2) find the wall clock that much ahead of the kernel's.
void set_apparent_clock(std::chrono::hours ahead) noexcept;

/// From now on the kernel refuses, with EDOM, to let this thread and those that it starts wait by its own wall clock,
/// which cannot be made to jump for one process. For good, so in a child.
void refuse_waits_by_wall_clock();

}  // namespace conformance

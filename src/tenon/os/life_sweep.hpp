#pragma once
/// Taking away what the dead have left in a domain.
#include <tenon/os/domain.hpp>

#include <cstddef>
#include <cstdint>

namespace tenon {

struct Swept {
  std::size_t dead = 0;        ///< life files of members that died
  std::size_t unfinished = 0;  ///< files of those who died while joining or leaving
  std::size_t unreadable = 0;  ///< left alone: another user's, or not a life file in spite of its name
};

/// How much a sweep does at most. Which files it begins with is left to chance, so that several sweeps that may not
/// look at all of them find everything in the end.
struct SweepLimits {
  std::size_t removals = SIZE_MAX;
  std::size_t looks = SIZE_MAX;  ///< at a file each, alive or dead
};

/// Removes the life files that nobody holds. Whoever is killed in the midst of it, or does it at the same time as
/// another, has done part of the work and no harm: a token, and so a name, never comes back. A process that is just
/// joining may lose its unfinished file, and starts again. Failures: not_found (the directory was removed),
/// limit_reached (descriptors). Threads: any.
Result<Swept> sweep(const Domain& domain, SweepLimits limits = {});

}  // namespace tenon

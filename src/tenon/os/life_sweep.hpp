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

/// Removes the life files that nobody holds. Whoever is killed in the midst of it, or does it at the same time as
/// another, has done part of the work and no harm: a token, and so a name, never comes back. A process that is just
/// joining may lose its unfinished file, and starts again. At most `most` files are looked at; which ones, is left
/// open. Failures: not_found (the directory was removed), limit_reached (descriptors). Threads: any.
Result<Swept> sweep(const Domain& domain, std::size_t most = SIZE_MAX);

}  // namespace tenon

#pragma once
/// What tells an object from another that takes its name later: never 0, which a rendezvous keeps for "none yet".
#include <tenon/base/result.hpp>
#include <tenon/os/fd.hpp>

#include <cerrno>
#include <cstdint>
#include <sys/stat.h>

namespace tenon {

inline std::uint64_t object_number(const struct stat& status) noexcept {
  const std::uint64_t number = (static_cast<std::uint64_t>(status.st_dev) << 40U) ^ status.st_ino;
  return number == 0 ? 1 : number;
}

/// Of what a descriptor leads to. fstat(2)
inline Result<std::uint64_t> object_number(FdView object) {
  struct stat status{};
  if (::fstat(object.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  return object_number(status);
}

}  // namespace tenon

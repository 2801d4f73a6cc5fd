#pragma once
/// Which lock it is, for all processes, wherever each of them has it mapped.
///
/// In memory that is shared it is a byte of a file: the device and inode of the file (of POSIX memory, a memfd, System
/// V memory, or memory shared with children alike) and the offset in it, as /proc tells them. In memory that is a
/// process's own it is that process's token and the address. Of System V it is the set's number and the semaphore's, in
/// an IPC namespace.
#include <tenon/base/lock_hooks.hpp>
#include <tenon/os/token.hpp>

#include <cstdint>
#include <string>

namespace tenon {

struct LockIdentity {
  LockKind kind;
  std::uint64_t device;
  std::uint64_t inode;
  std::uint64_t offset;
  std::string name;  ///< for people: "mutex at byte 64 of /dev/shm/bank"; any byte may stand in it

  /// `own` is this process. Failures: not_found (nothing is mapped there, or /proc is not mounted), not_supported.
  static Result<LockIdentity> of(const LockRef& lock, Token own);

  /// A hash of all but the name, never 0: of the thousands that a domain has, no two will have the same.
  std::uint64_t key() const noexcept;
};

/// "mutex", "rw lock", …
const char* name_of(LockKind kind) noexcept;

}  // namespace tenon

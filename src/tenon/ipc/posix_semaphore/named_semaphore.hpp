#pragma once
/// A semaphore with a name: processes that know it meet there. sem_open(3)
#include <tenon/base/permissions.hpp>
#include <tenon/ipc/posix_semaphore/posix_semaphore.hpp>
#include <tenon/os/mapping.hpp>

#include <string_view>
#include <sys/types.h>

namespace tenon {

/// "/jobs" is the file /dev/shm/sem.jobs, as sem_open(3) of the GNU C library has it, so programs that use that meet
/// here too. The slash in front may be left out; 251 bytes are left for the name. The handle maps the file and keeps no
/// descriptor; it goes on working after the name is removed.
class NamedSemaphore : public PosixSemaphore {
 public:
  /// Makes a new one with exactly this count and these permissions, whatever the umask. It has its name only once it is
  /// whole, and a creator that dies leaves nothing. Outcomes: already_exists. Failures: invalid_name, no_space,
  /// permission_denied, limit_reached (SEM_VALUE_MAX, descriptors), not_supported (/dev/shm or /proc is missing).
  static Result<NamedSemaphore> create(std::string_view name, unsigned value, Permissions permissions = owner_only);

  /// Outcomes: not_found, stale (it is empty: whoever was making it died half-way). Failures: permission_denied, which
  /// names the user whose it is if that is another than `owner` (by default the caller), or says that it is a symlink
  /// or has a second hard link; wrong_kind (no semaphore has that size).
  static Result<NamedSemaphore> open(std::string_view name);
  static Result<NamedSemaphore> open(std::string_view name, uid_t owner);

  /// Opens it, or makes it: created() tells which. One that exists keeps its count and its permissions.
  static Result<NamedSemaphore> open_or_create(std::string_view name, unsigned value,
                                               Permissions permissions = owner_only);

  /// Whether this very handle's open_or_create() or create() made the semaphore.
  bool created() const noexcept { return created_; }
  Result<void> close() && { return std::move(memory_).close(); }

  /// Removes the name; those who have it open go on. Outcomes: not_found. Failures: wrong_kind (no semaphore stands
  /// there), permission_denied.
  static Result<void> unlink(std::string_view name);

 private:
  NamedSemaphore(Mapping memory, bool created) noexcept
      : PosixSemaphore(reinterpret_cast<sem_t*>(memory.data())), memory_(std::move(memory)), created_(created) {}
  static Result<NamedSemaphore> of_file(FdView file, bool created);

  Mapping memory_;
  bool created_;
};

}  // namespace tenon

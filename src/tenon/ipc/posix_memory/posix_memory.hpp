#pragma once
/// Memory with a name: processes that know the name map it. shm_overview(7), shm_open(3)
#include <tenon/base/permissions.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/mapping.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace tenon {

/// A regular file in /dev/shm, checked: it is no symlink, has no other name and belongs to whom it should.
///
/// Names are one component of a path; shm_open's leading '/' may be said or not. Nothing here orders what processes do
/// in the memory: that takes a lock (sync/mutex), a semaphore or atomics.
///
/// Threads: all calls but close and moves from several at once. fork: works in the child, and so do its maps.
class PosixMemory {
 public:
  /// Writes what the memory shall hold before anybody else can see it; it comes zeroed.
  using Initialise = std::function<void(MutableBytes)>;

  /// Makes new memory of `size` bytes, at least one, with exactly these permissions whatever the umask. All of it is
  /// there: touching it never raises SIGBUS. It has no name until it is complete, so nobody meets it half-made, and a
  /// creator that dies leaves nothing. Outcomes: already_exists. Failures: invalid_name, invalid_argument, no_space
  /// (/dev/shm is full), no_memory, limit_reached (descriptors, RLIMIT_FSIZE), permission_denied, not_supported.
  static Result<PosixMemory> create(std::string_view name, std::size_t size, Permissions permissions = owner_only,
                                    const Initialise& initialise = {});

  /// Looks at the memory, or changes it, while it is complete but has no name yet, and may refuse.
  using Prepare = std::function<Result<void>(FdView)>;
  /// As create(), with what may fail: if `prepare` does, there is no memory, and nobody has met any. Failures: its own.
  static Result<PosixMemory> create_prepared(std::string_view name, std::size_t size, Permissions permissions,
                                             const Prepare& prepare);

  /// Opens memory that exists. Outcomes: not_found, stale (it has no length after 100 ms: whoever made it by shm_open
  /// died before ftruncate; open_or_create replaces it). Failures: permission_denied, which says why: it is a symlink,
  /// a FIFO …, has a second hard link, or belongs to another user than `owner` (by default the caller).
  static Result<PosixMemory> open(std::string_view name, Access access);
  static Result<PosixMemory> open(std::string_view name, Access access, uid_t owner);

  /// Opens it for reading and writing, or makes it; replaces one that is stale. One that exists keeps its permissions
  /// and its size, and is not initialised again; if it has fewer bytes than `size`: invalid_argument, with both.
  static Result<PosixMemory> open_or_create(std::string_view name, std::size_t size,
                                            Permissions permissions = owner_only, const Initialise& initialise = {});

  /// Takes over a descriptor of such memory, as received from another process.
  static PosixMemory adopt(Fd fd) { return PosixMemory(std::move(fd), ""); }

  /// Maps all of it, as long as it is now, or `length` bytes from `offset`, a multiple of the page size. What is out of
  /// range by the kernel's own count is refused, whoever named it: invalid_argument. Failures: also permission_denied
  /// (opened for reading alone), limit_reached (vm.max_map_count), no_memory.
  Result<Mapping> map(Access access) const;
  Result<Mapping> map(std::size_t offset, std::size_t length, Access access) const;

  /// How many bytes it has now, by the kernel's count.
  Result<std::size_t> size() const;
  /// Makes it longer; the new bytes are zero and are all there, as in create. Who has it mapped keeps a valid map of
  /// the first part, and maps anew to see the rest. Shrinking is refused (invalid_argument): it would kill everybody
  /// who touches what was cut off. Outcomes: would_block (somebody else is resizing it). Failures: those of create.
  Result<void> resize(std::size_t size);
  /// Whether it still has its first `bytes` bytes: ask before touching a map that others could truncate; nothing else
  /// tells before SIGBUS does. Failures: corrupt, with both figures.
  Result<void> still_has(std::size_t bytes) const;

  /// As "/jobs"; empty if it was adopted.
  const std::string& name() const noexcept { return name_; }
  FdView fd() const noexcept { return fd_.view(); }
  Fd into_fd() && noexcept { return std::move(fd_); }
  Result<void> close() && { return std::move(fd_).close(); }

  /// Removes the name; maps and handles go on, and the memory goes with the last of them. Outcomes: not_found.
  /// Failures: wrong_kind (no memory stands there), permission_denied.
  static Result<void> unlink(std::string_view name);

 private:
  PosixMemory(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  Fd fd_;
  std::string name_;
};

}  // namespace tenon

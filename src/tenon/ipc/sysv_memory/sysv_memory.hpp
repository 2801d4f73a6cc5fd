#pragma once
/// System V shared memory: a number that processes agree on leads to it. sysvipc(7), shmget(2), shmat(2)
#include <tenon/base/permissions.hpp>
#include <tenon/os/huge_pages.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/sysv_key.hpp>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <sys/types.h>

namespace tenon {

/// What the kernel knows of a segment. shmctl(2)
struct SysvMemoryStatus {
  std::size_t size;        ///< as asked for
  std::uint64_t attached;  ///< how many maps there are of it, in all processes
  uid_t owner;
  uid_t creator;  ///< who made it may do all that the owner may, for good
  std::uint32_t mode;
  pid_t made_by;
  pid_t last_used_by;       ///< who attached or detached last; 0: nobody yet
  std::time_t attached_at;  ///< seconds since 1970; 0: never
  std::time_t detached_at;
  std::time_t changed_at;
  bool marked_for_removal;  ///< it has no key any more, and goes with its last map
};

/// A segment, which its identifier names. The handle holds nothing open: it has no descriptor, and the segment stays
/// until somebody removes it, whether or not anybody is attached. What holds it is a map.
///
/// Threads: all calls but moves from several at once. fork: works in the child, and so do its maps.
class SysvMemory {
 public:
  /// Writes what the segment shall hold before any other Tenon program maps it; it comes zeroed.
  using Initialise = std::function<void(MutableBytes)>;

  /// Makes a new segment of `size` bytes, at least one, with exactly these permissions (at least one bit). While it is
  /// being initialised its mode has the execute bit of others and no other execute bit, which means nothing to the
  /// kernel; permissions that look so are refused. Huge pages come whole, and the pool must hold them.
  /// Outcomes: already_exists. Failures: limit_reached (SHMMNI, SHMMAX, SHMALL, vm.nr_hugepages), invalid_argument,
  /// no_memory, permission_denied (the right to huge pages).
  static Result<SysvMemory> create(SysvKey key, std::size_t size, Permissions permissions = owner_only,
                                   const Initialise& initialise = {}, Pages pages = Pages::ordinary);

  /// Opens the segment that the key leads to. Outcomes: not_found, stale (not initialised after 100 ms: if its creator
  /// died, open_or_create replaces it). Failures: permission_denied, which names the user if it belongs to, or was made
  /// by, another than `owner` (by default the caller); invalid_argument (an unshared key leads nowhere).
  static Result<SysvMemory> open(SysvKey key);
  static Result<SysvMemory> open(SysvKey key, uid_t owner);

  /// Opens it, or makes it; replaces one whose creator died half-way. One that exists keeps its permissions and size;
  /// if that is less than `size`: invalid_argument, with both. Outcomes: stale (its creator is still at it).
  static Result<SysvMemory> open_or_create(SysvKey key, std::size_t size, Permissions permissions = owner_only,
                                           const Initialise& initialise = {});

  /// Takes an identifier, as ipcs(1) shows it and processes hand it on, whoever it belongs to. Outcomes: not_found.
  /// Failures: permission_denied.
  static Result<SysvMemory> adopt(int id);

  SysvMemory(SysvMemory&&) noexcept = default;
  SysvMemory& operator=(SysvMemory&&) noexcept = default;
  SysvMemory(const SysvMemory&) = delete;
  SysvMemory& operator=(const SysvMemory&) = delete;
  ~SysvMemory() = default;

  /// Maps all of it. Outcomes: not_found (it has been removed). Failures: permission_denied, limit_reached
  /// (vm.max_map_count), no_memory.
  Result<Mapping> attach(Access access) const;

  /// Outcomes: not_found. Failures: permission_denied (not readable).
  Result<SysvMemoryStatus> status() const;

  int id() const noexcept { return id_; }
  /// Bytes, as asked for at creation; it never changes.
  std::size_t size() const noexcept { return size_; }

  /// Marks it for removal: the key leads nowhere, or to a new segment, from now on; the memory goes with the last map,
  /// at once if there is none. Who marks it as soon as all have attached leaves nothing behind, however they end.
  /// Outcomes: not_found. Failures: permission_denied, naming the owner.
  static Result<void> remove(int id);
  /// The same for what the key leads to.
  static Result<void> unlink(SysvKey key);

 private:
  SysvMemory(int id, std::size_t size) noexcept : id_(id), size_(size) {}

  int id_;
  std::size_t size_;
};

}  // namespace tenon

#pragma once
/// A semaphore in memory that is handed in. sem_init(3)
#include <tenon/base/bytes.hpp>
#include <tenon/ipc/posix_semaphore/posix_semaphore.hpp>

#include <cstddef>

namespace tenon {

/// Who waits and posts: any process that has the memory mapped, or the threads of one process.
enum class Sharing : unsigned char { processes, threads };

/// The handle is a place in memory and owns none: whoever owns the memory keeps it mapped while the handle is used, and
/// takes it away when no process waits any more. Nothing is left to close or to unlink.
class UnnamedSemaphore : public PosixSemaphore {
 public:
  /// What it needs at the beginning of the memory, at an address that is a multiple of `alignment`.
  static constexpr std::size_t size = sizeof(sem_t);
  static constexpr std::size_t alignment = alignof(sem_t);

  /// Makes one of the memory's first bytes; whatever stood there is overwritten, so the others open it only after that.
  /// Failures: invalid_argument (too small or misaligned), limit_reached (a value beyond `most`). sem_init(3)
  static Result<UnnamedSemaphore> create(MutableBytes memory, unsigned value, Sharing sharing = Sharing::processes);
  /// One that stands there already, made by create() or by sem_init(3) in whatever process. That it has been made
  /// cannot be seen from it: publish it with the memory that it is part of. Failures: invalid_argument.
  static Result<UnnamedSemaphore> open(MutableBytes memory);
  /// The one at this address.
  static UnnamedSemaphore adopt(sem_t* made) noexcept { return UnnamedSemaphore(made); }

 private:
  using PosixSemaphore::PosixSemaphore;
};

}  // namespace tenon

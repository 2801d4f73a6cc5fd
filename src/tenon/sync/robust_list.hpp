#pragma once
/// What robust locks the threads of this process hold, as the kernel will find them. get_robust_list(2)
///
/// The kernel's walk ends after 2,048 locks of one thread: what is held beyond stays locked after a death, for good. So
/// nobody takes a lock beyond `most`. The count is of this thread and a hint that is never too low; before it refuses,
/// the list itself is asked, which holds other libraries' locks as well, and which fork() empties in the child. A
/// thread's first question makes it known as a Locker, so that no lock has to look whether it is.
///
/// Threads: each call by any thread; has_room(), added() and removed() are about the calling one.
#include <tenon/base/bytes.hpp>
#include <tenon/base/result.hpp>

#include <cstddef>
#include <cstdint>

namespace tenon {

class RobustList {
 public:
  /// Half of what the kernel walks, since it may walk twice over what a lock operation was in the middle of.
  static constexpr std::uint32_t most = 1024;

  /// Whether this thread may take `wanted` more.
  static bool has_room(std::uint32_t wanted = 1) noexcept { return count_ <= most - wanted || look_for_room(wanted); }
  static void added() noexcept { ++count_; }
  static void removed() noexcept { --count_; }
  /// limit_reached, with its figures.
  static Error no_room(std::uint32_t wanted = 1);

  /// How many robust locks in `memory` are held by threads of this process: memory must not be unmapped while any is,
  /// for then it stays locked after a death, and the thread's next lock writes to where the old one was. Of threads
  /// that lock and unlock meanwhile it may be one behind. Failures: not_supported (a sandbox refuses what it needs).
  static Result<std::size_t> held_in(Bytes memory);

 private:
  static bool look_for_room(std::uint32_t wanted) noexcept;

  static constexpr std::uint32_t not_counted = UINT32_MAX;  // before the first question

  // initial-exec: four bytes of the space that the C library keeps for libraries that are loaded late.
  [[gnu::tls_model("initial-exec")]] static constinit thread_local std::uint32_t count_;
};

}  // namespace tenon

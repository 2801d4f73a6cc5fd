#pragma once
/// Which thread of which process this is, as a guard remembers who locked. pthread_atfork(3)
///
/// The C library looks whether the calling thread holds the mutex, which is not whether it holds it by this guard: a
/// guard that a forked child has copied, or that an ended thread has left, would unlock what the caller has locked
/// since, for itself. So each thread has a number of its own, and a forked child's thread another than its parent's.
///
/// Threads: each call by any thread, about the calling one. Children made by the bare clone(2) keep the number, until
/// they exec: what they copied is refused by the C library's look alone. A number comes again after 2³² threads.
#include <cstdint>

namespace tenon {

class Locker {
 public:
  /// Never 0.
  static std::uint32_t self() noexcept { return self_ != 0 ? self_ : numbered(); }
  /// The same, of a thread that has called it before: without a branch, for who locks. 0 of any other.
  static std::uint32_t known_self() noexcept { return self_; }

  /// How many forks, counted from the first call on, lie between this process and its ancestor that called: a process
  /// id comes again among descendants, and this does not.
  static std::uint64_t forks() noexcept;

 private:
  static std::uint32_t numbered() noexcept;
  static void number() noexcept;
  static void watch_forks() noexcept;

  // initial-exec: four bytes of the space that the C library keeps for libraries that are loaded late.
  [[gnu::tls_model("initial-exec")]] static constinit thread_local std::uint32_t self_;
  static constinit std::uint64_t forks_;
};

}  // namespace tenon

#pragma once
/// Whether this is still the process that opened a handle, for the price of a load. pthread_atfork(3)
///
/// Children made by the bare clone(2) or vfork(2) are not counted, until they exec.
///
/// Threads: any call from any thread.
#include <cstdint>

namespace tenon {

class ForkCount {
 public:
  /// How many forks lie between this process and the ancestor that called first. From then on now() counts.
  static std::uint32_t begin() noexcept;
  static std::uint32_t now() noexcept { return count_; }

 private:
  // Written in a forked child alone, before it has a second thread.
  static inline constinit std::uint32_t count_ = 0;
};

}  // namespace tenon

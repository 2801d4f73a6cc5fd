#pragma once
/// Signals that interrupt whatever the thread waits in. signal(7), timer_create(2)
#include <cstdint>
#include <ctime>

namespace kit {

/// While it lives, SIGALRM interrupts the thread that made it every 200 µs; its handler does nothing and is installed
/// without SA_RESTART, so that each wait in the kernel ends with EINTR.
class SignalStorm {
 public:
  SignalStorm();
  ~SignalStorm();
  SignalStorm(const SignalStorm&) = delete;
  SignalStorm& operator=(const SignalStorm&) = delete;

  /// How many signals have come since it began.
  std::uint32_t count() const noexcept;
  /// Returns when that many have come; to be asked by another thread than the one that is interrupted.
  void await(std::uint32_t signals) const noexcept;

 private:
  timer_t timer_{};
};

}  // namespace kit

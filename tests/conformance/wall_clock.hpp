#pragma once
/// The machine's own wall clock, set wrong for a moment. clock_settime(2)
#include <tenon/os/process.hpp>

#include <chrono>

namespace conformance {

/// A keeper, which is a process of its own and nobody's child, sets the clock wrong when it is told, and right again
/// when it is told, when this process ends however it ends, or when `limit` is over. Right means what the monotonic
/// clock says has passed since.
class WrongWallClock {
 public:
  /// Starts the keeper; the clock is still right. To be made before threads are.
  WrongWallClock(std::chrono::hours by, std::chrono::milliseconds limit);
  WrongWallClock(const WrongWallClock&) = delete;
  WrongWallClock& operator=(const WrongWallClock&) = delete;
  ~WrongWallClock() = default;

  /// Failures: permission_denied.
  tenon::Result<void> set();
  /// True if the clock was wrong up to this call, false if the limit had come.
  bool put_right();

 private:
  tenon::Fd line_;
};

}  // namespace conformance

#pragma once
/// Time stamps cheap enough to stand between two operations. clock_gettime(2)
///
/// Whole blocks are timed by CLOCK_MONOTONIC, which all processes share; single operations by the processor's time
/// stamp counter where the kernel itself trusts it, else by CLOCK_MONOTONIC as well.
#include <tenon/os/clock.hpp>

#include <cstdint>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace harness {

class Clock {
 public:
  /// Measures the counter's rate against CLOCK_MONOTONIC, for some 20 ms. The result may be copied into children.
  static Clock calibrate();

  std::uint64_t ticks() const noexcept {
#if defined(__x86_64__)
    if (counter_) {
      return __rdtsc();
    }
#endif
    return static_cast<std::uint64_t>(tenon::monotonic_now());
  }
  double nanoseconds(std::uint64_t ticks) const noexcept { return static_cast<double>(ticks) * nanoseconds_per_tick_; }

  /// What one call of ticks() costs, in nanoseconds: it is part of every sampled operation.
  double cost() const noexcept { return cost_; }
  /// "time stamp counter" or "CLOCK_MONOTONIC".
  const char* name() const noexcept { return counter_ ? "time stamp counter" : "CLOCK_MONOTONIC"; }

 private:
  bool counter_ = false;
  double nanoseconds_per_tick_ = 1;
  double cost_ = 0;
};

}  // namespace harness

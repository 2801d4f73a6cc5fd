#pragma once
/// Until when a call may wait: one type, always the last argument.
///
/// A deadline is a moment on the monotonic clock, so a call that waits in several steps cannot restart it and a
/// change of the wall clock cannot move it. It may carry a Stop, which ends the wait early with `stopped`.
#include <chrono>
#include <cstdint>

namespace tenon {

class Stop;  // os/stop.hpp

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC
  using Nanoseconds = std::chrono::nanoseconds;

  /// A moment. Moments before the clock's start count as passed.
  static constexpr Deadline at(Clock::time_point moment) noexcept {
    const auto count = moment.time_since_epoch().count();
    return Deadline(count < 0 ? 0 : count == never_ns ? never_ns - 1 : count, nullptr);
  }

  /// The same deadline, which `stop` ends early. `stop` must outlive the wait.
  constexpr Deadline or_stop(const Stop& stop) const noexcept { return Deadline(ns_, &stop); }

  constexpr bool is_never() const noexcept { return ns_ == never_ns; }
  constexpr bool is_immediate() const noexcept { return ns_ == 0; }
  constexpr const Stop* stop() const noexcept { return stop_; }
  /// Nothing but the awaited event can end the wait, so a call may block in the kernel without more ado.
  constexpr bool is_unconditional() const noexcept { return is_never() && stop_ == nullptr; }

  bool passed() const noexcept { return !is_never() && Clock::now().time_since_epoch().count() >= ns_; }
  /// What is left, zero if it has passed, the longest duration if it never comes.
  Nanoseconds left() const noexcept {
    if (is_never()) {
      return Nanoseconds::max();
    }
    const auto left = ns_ - Clock::now().time_since_epoch().count();
    return Nanoseconds(left < 0 ? 0 : left);
  }
  /// Nanoseconds on CLOCK_MONOTONIC. Meaningless for never.
  constexpr std::int64_t nanoseconds() const noexcept { return ns_; }
  /// The earlier of both, with this one's stop.
  constexpr Deadline or_sooner(Deadline other) const noexcept {
    return Deadline(ns_ < other.ns_ ? ns_ : other.ns_, stop_);
  }

  static constexpr Deadline never() noexcept { return Deadline(never_ns, nullptr); }
  static constexpr Deadline immediately() noexcept { return Deadline(0, nullptr); }

 private:
  static constexpr std::int64_t never_ns = INT64_MAX;
  constexpr Deadline(std::int64_t ns, const Stop* stop) noexcept : ns_(ns), stop_(stop) {}

  std::int64_t ns_;
  const Stop* stop_;
};

inline constexpr Deadline never = Deadline::never();
inline constexpr Deadline immediately = Deadline::immediately();

/// From now. Zero and negative durations are `immediately`; what lies beyond the clock's range is `never`.
template <class Rep, class Period>
Deadline after(std::chrono::duration<Rep, Period> duration) noexcept {
  if (!(duration > duration.zero())) {  // NaN too
    return immediately;
  }
  // Compared before it is converted, for hours::max() overflows as nanoseconds; the clock is read once, for a second
  // reading may lie beyond what the first left room for.
  const std::chrono::duration<long double, std::nano> wanted = duration;
  const auto now = Deadline::Clock::now();
  const auto room = Deadline::Clock::time_point::max() - now;
  if (wanted >= std::chrono::duration<long double, std::nano>(room)) {
    return never;
  }
  return Deadline::at(now + std::chrono::duration_cast<Deadline::Nanoseconds>(wanted));
}

}  // namespace tenon

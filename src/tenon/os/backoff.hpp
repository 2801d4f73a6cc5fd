#pragma once
/// Waiting for what the kernel cannot be asked to wait for until a deadline: one looks, sleeps, and looks again.
///
/// Each sleep is an eighth of the time waited so far, at least 50 µs and at most 20 ms. So what happens is noticed
/// within an eighth of the time that it took to happen (or within 50 µs and what the timer adds), and somebody who
/// waits for long looks fifty times a second, which is far below a thousandth of a core.
#include <tenon/base/deadline.hpp>
#include <tenon/base/result.hpp>

#include <chrono>

namespace tenon {

/// One wait: `Backoff backoff(deadline); while (!there()) { if (auto slept = backoff.sleep(); !slept) … }`
class Backoff {
 public:
  static constexpr std::chrono::microseconds shortest{50};
  static constexpr std::chrono::microseconds longest{20'000};

  explicit Backoff(Deadline deadline) noexcept : deadline_(deadline), began_(Deadline::Clock::now()) {}

  /// Sleeps, but not beyond the deadline, and returns for one more look. Outcomes: timed_out (the look before this call
  /// was made after the deadline), stopped.
  Result<void> sleep();

 private:
  Deadline deadline_;
  Deadline::Clock::time_point began_;
  bool last_look_ = false;
};

}  // namespace tenon

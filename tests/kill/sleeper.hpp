#pragma once
// A process that sleeps beside the operation, and looks again when it is told to. By itself it would do so each 50 ms,
// and so in the midst of an operation that is stepped through for longer, whose path would be another each time. That
// it does so by itself is shown by "post, wait with recheck", and by the tests of F44.
#include <kit/steady.hpp>
#include <tenon/base/deadline.hpp>

#include <chrono>
#include <csignal>
#include <sched.h>

namespace kill_cases {

/// In the sleeper, before it sleeps.
inline void look_again_when_told() {
  struct sigaction interrupts{};
  interrupts.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &interrupts, nullptr);
  kit::clock_hours_ahead = 1;
}

/// In the survivor: waits until `happened()`, and tells `sleeper` each 10 ms.
template <class Happened>
void tell_until(Happened happened, pid_t sleeper) {
  constexpr std::chrono::milliseconds between{10};
  tenon::Deadline next = tenon::after(between);
  while (!happened()) {
    ::sched_yield();
    if (next.passed()) {
      ::kill(sleeper, SIGUSR1);
      next = tenon::after(between);
    }
  }
}

}  // namespace kill_cases

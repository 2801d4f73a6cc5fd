#pragma once
/// Time that stands still for the calling thread while a path is counted. Tenon looks again now and then for who came,
/// left or died: rarely by the clock, but how often in a thousand operations depends on how fast the machine goes.
namespace guard {

class StandingClock {
 public:
  StandingClock();
  ~StandingClock();
  StandingClock(const StandingClock&) = delete;
  StandingClock& operator=(const StandingClock&) = delete;
};

}  // namespace guard

#include <tenon/os/backoff.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/stop.hpp>

#include <kit/watchdog.hpp>
#include <algorithm>
#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

TEST(Backoff, gives_one_look_after_the_deadline_and_no_more) {
  const kit::Watchdog watchdog("a back-off ends");
  const Deadline deadline = after(5ms);
  Backoff backoff(deadline);
  int looks_after = 0;
  auto slept = backoff.sleep();
  for (; slept; slept = backoff.sleep()) {
    looks_after += deadline.passed() ? 1 : 0;
  }
  EXPECT_TRUE(slept.failed_with(Errc::timed_out));
  EXPECT_EQ(looks_after, 1);
}

TEST(Backoff, does_not_sleep_at_all_when_there_is_no_time) {
  Backoff at_once(immediately);
  EXPECT_TRUE(at_once.sleep().failed_with(Errc::timed_out));
}

// The longer it has waited, the longer it sleeps: else a wait of hours would cost as much as one of microseconds.
TEST(Backoff, sleeps_an_eighth_of_what_it_has_waited_within_its_bounds) {
  const kit::Watchdog watchdog("a back-off ends");
  const Deadline deadline = after(400ms);
  const auto began = Deadline::Clock::now();
  Backoff backoff(deadline);
  int looks = 0;
  while (true) {
    const auto before = Deadline::Clock::now();
    if (!backoff.sleep()) {
      break;
    }
    ++looks;
    const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(before - began);
    const auto wanted = std::clamp(waited / 8, Backoff::shortest, Backoff::longest);
    EXPECT_TRUE(deadline.passed() || Deadline::Clock::now() - before >= wanted);
  }
  EXPECT_LT(looks, 150);  // some 24 to double from 50 µs eightfold, then one each 20 ms
}

TEST(Backoff, is_stopped_before_it_sleeps_and_while_it_does) {
  Stop stop = Stop::create().or_throw();
  Backoff waiting(never.or_stop(stop));
  EXPECT_TRUE(waiting.sleep());
  stop.request();
  EXPECT_TRUE(waiting.sleep().failed_with(Errc::stopped));
  Backoff late(immediately.or_stop(stop));
  EXPECT_TRUE(late.sleep().failed_with(Errc::stopped));
}

}  // namespace

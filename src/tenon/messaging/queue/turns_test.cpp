#include <tenon/messaging/queue/turns.hpp>

#include <gtest/gtest.h>

namespace {

using tenon::Turns;

constexpr std::int64_t milliseconds = 1'000'000;

TEST(Turns, one_that_was_of_no_use_is_forgiven_and_the_next_is_not) {
  Turns turns;
  turns.judge(false, 0);
  EXPECT_TRUE(turns.pay(0));
  turns.judge(false, 0);
  EXPECT_FALSE(turns.pay(0));
  EXPECT_FALSE(turns.pay(50 * milliseconds - 1));
  EXPECT_TRUE(turns.pay(50 * milliseconds));
}

TEST(Turns, are_kept_back_for_twice_as_long_each_time_and_never_for_ever) {
  Turns turns;
  turns.judge(false, 0);
  std::int64_t now = 0;
  for (const std::int64_t pause : {50, 100, 200, 400, 800, 1600, 3200, 3200}) {
    turns.judge(false, now);
    EXPECT_FALSE(turns.pay(now + pause * milliseconds - 1)) << pause;
    now += pause * milliseconds;
    EXPECT_TRUE(turns.pay(now)) << pause;
  }
}

TEST(Turns, that_were_used_make_up_for_some_that_were_not) {
  Turns turns;
  for (int i = 0; i < 100; ++i) {
    turns.judge(true, 0);
  }
  for (int i = 0; i < 3; ++i) {
    turns.judge(false, 0);
    EXPECT_TRUE(turns.pay(0)) << i;
  }
  turns.judge(false, 0);
  EXPECT_FALSE(turns.pay(0));
}

TEST(Turns, that_are_short_are_not_judged) {
  Turns turns;
  int judged = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t begun = tenon::monotonic_now();
    int asked = 0;
    turns.give([&] { return ++asked == 0; });
    // Only one that took longer than a turn by far was asked about.
    judged += asked;
    EXPECT_LE(asked, tenon::monotonic_now() - begun >= 200'000 ? 1 : 0);
  }
  EXPECT_LT(judged, 1000);
}

}  // namespace

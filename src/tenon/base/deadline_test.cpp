#include <tenon/base/deadline.hpp>

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace {

using namespace std::chrono_literals;
using std::chrono::duration;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::nanoseconds;
using tenon::after;
using tenon::Deadline;

std::int64_t now() { return Deadline::Clock::now().time_since_epoch().count(); }

// F54
TEST(Deadline, zero_and_negative_durations_are_immediately) {
  EXPECT_TRUE(after(0ns).is_immediate());
  EXPECT_TRUE(after(-1ns).is_immediate());
  EXPECT_TRUE(after(-24h).is_immediate());
  EXPECT_TRUE(after(nanoseconds::min()).is_immediate());
  EXPECT_TRUE(after(hours::min()).is_immediate());
  EXPECT_TRUE(after(duration<double>(-0.0)).is_immediate());
  EXPECT_TRUE(after(duration<unsigned>(0U)).is_immediate());
  EXPECT_TRUE(after(duration<double>(-std::numeric_limits<double>::infinity())).is_immediate());
}

// F54
TEST(Deadline, durations_beyond_the_clock_are_never) {
  EXPECT_TRUE(after(nanoseconds::max()).is_never());
  EXPECT_TRUE(after(microseconds::max()).is_never());
  EXPECT_TRUE(after(hours::max()).is_never());
  EXPECT_TRUE(after(duration<double>(1e300)).is_never());
  EXPECT_TRUE(after(duration<double>(std::numeric_limits<double>::infinity())).is_never());
  EXPECT_TRUE(after(duration<std::uint64_t>(UINT64_MAX)).is_never());
}

// F54
TEST(Deadline, durations_up_to_the_end_of_the_clock_never_wrap_into_the_past) {
  for (std::int64_t short_of_it = 0; short_of_it < 1'000'000; short_of_it += 97) {
    const Deadline last = after(nanoseconds(INT64_MAX - now() - short_of_it));
    ASSERT_GT(last.nanoseconds(), INT64_MAX - 10'000'000'000) << short_of_it << " ns before the end";
    ASSERT_FALSE(last.passed());
  }
}

// F54
TEST(Deadline, a_duration_that_is_not_a_number_is_immediately) {
  EXPECT_TRUE(after(duration<double>(std::nan(""))).is_immediate());
  EXPECT_TRUE(after(duration<float>(std::nanf(""))).is_immediate());
}

TEST(Deadline, lies_as_far_ahead_as_the_duration_says_in_any_unit) {
  const auto ahead = [](Deadline deadline, std::int64_t before) { return deadline.nanoseconds() - before; };
  constexpr std::int64_t second = 1'000'000'000;
  for (const auto& make :
       {+[] { return after(3600s); }, +[] { return after(1h); }, +[] { return after(3'600'000ms); },
        +[] { return after(duration<unsigned>(3600U)); }, +[] { return after(duration<double>(3600.0)); },
        +[] { return after(duration<float, std::ratio<3600>>(1.0F)); },
        +[] { return after(duration<std::uint8_t, std::ratio<60>>(std::uint8_t{60})); }}) {
    const std::int64_t before = now();
    const Deadline deadline = make();
    EXPECT_GE(ahead(deadline, before), 3600 * second);
    EXPECT_LE(ahead(deadline, now()), 3600 * second);
  }
}

TEST(Deadline, halves_of_a_nanosecond_do_not_make_it_immediate) {
  EXPECT_FALSE(after(duration<double, std::nano>(0.5)).is_immediate());
}

TEST(Deadline, a_moment_before_the_clock_began_has_passed) {
  EXPECT_TRUE(Deadline::at(Deadline::Clock::time_point(-1ns)).passed());
  EXPECT_TRUE(Deadline::at(Deadline::Clock::time_point::min()).passed());
  EXPECT_EQ(Deadline::at(Deadline::Clock::time_point::min()).left(), 0ns);
}

TEST(Deadline, the_last_moment_of_the_clock_is_still_a_moment) {
  const Deadline last = Deadline::at(Deadline::Clock::time_point::max());
  EXPECT_FALSE(last.is_never());
  EXPECT_FALSE(last.passed());
}

TEST(Deadline, never_does_not_pass_and_immediately_has) {
  EXPECT_FALSE(tenon::never.passed());
  EXPECT_EQ(tenon::never.left(), nanoseconds::max());
  EXPECT_TRUE(tenon::immediately.passed());
  EXPECT_EQ(tenon::immediately.left(), 0ns);
}

TEST(Deadline, what_is_left_only_shrinks) {
  const Deadline deadline = after(1h);
  auto before = deadline.left();
  for (int i = 0; i < 1000; ++i) {
    const auto left = deadline.left();
    ASSERT_LE(left, before);
    before = left;
  }
}

TEST(Deadline, or_sooner_takes_the_earlier_of_both_in_either_order) {
  const Deadline soon = after(1s);
  const Deadline late = after(1h);
  EXPECT_EQ(soon.or_sooner(late).nanoseconds(), soon.nanoseconds());
  EXPECT_EQ(late.or_sooner(soon).nanoseconds(), soon.nanoseconds());
  EXPECT_EQ(tenon::never.or_sooner(soon).nanoseconds(), soon.nanoseconds());
  EXPECT_TRUE(soon.or_sooner(tenon::immediately).is_immediate());
  EXPECT_TRUE(tenon::never.or_sooner(tenon::never).is_never());
}

}  // namespace

#include <tenon/os/clock.hpp>

#include <tenon/os/stop.hpp>

#include <kit/unique.hpp>

#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using tenon::after;
using tenon::Errc;

TEST(Clock, the_monotonic_one_never_goes_back) {
  std::int64_t before = tenon::monotonic_now();
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t now = tenon::monotonic_now();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(Clock, the_monotonic_one_is_the_one_that_deadlines_are_on) {
  const std::int64_t before = tenon::monotonic_now();
  const std::int64_t between = tenon::Deadline::Clock::now().time_since_epoch().count();
  EXPECT_LE(before, between);
  EXPECT_LE(between, tenon::monotonic_now());
}

TEST(Clock, processor_time_grows_with_work_alone) {
  const std::int64_t before = tenon::processor_time();
  EXPECT_TRUE(tenon::sleep_until(after(20ms)).failed_with(Errc::timed_out));
  EXPECT_LT(tenon::processor_time() - before, 20'000'000) << "it slept, and did not spin";
  while (tenon::processor_time() == before) {
  }
}

TEST(Clock, what_changes_after_a_files_time_is_past_bears_another) {
  const kit::UniqueDomain unique;
  const auto time_of = [&] {
    struct stat status{};
    EXPECT_EQ(::fstat(unique.domain().directory().raw(), &status), 0);
    return status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  };
  for (int i = 0; i < 20; ++i) {
    const std::string path = unique.domain().path() + "/" + std::to_string(i);
    ASSERT_NE(::mkdir(path.c_str(), 0700), -1);
    std::int64_t asked = tenon::file_clock_now();
    const std::int64_t seen = time_of();
    while (!tenon::is_past_file_time(asked, seen)) {
      asked = tenon::file_clock_now();
    }
    ASSERT_NE(::rmdir(path.c_str()), -1);
    EXPECT_NE(time_of(), seen) << i;
  }
}

TEST(Clock, a_timespec_has_seconds_and_the_rest) {
  EXPECT_EQ(tenon::timespec_of(0).tv_sec, 0);
  EXPECT_EQ(tenon::timespec_of(1'999'999'999).tv_sec, 1);
  EXPECT_EQ(tenon::timespec_of(1'999'999'999).tv_nsec, 999'999'999);
  EXPECT_EQ(tenon::timespec_of(INT64_MAX).tv_sec, 9'223'372'036);
  EXPECT_EQ(tenon::timespec_of(INT64_MAX).tv_nsec, 854'775'807);
}

TEST(ClockDeathTest, a_timespec_of_a_negative_time_is_refused) {
  EXPECT_DEATH(tenon::timespec_of(-1), "broken contract: a timespec holds no negative time");
}

TEST(SleepUntil, ends_with_the_deadline_and_not_before) {
  const auto deadline = after(10ms);
  EXPECT_TRUE(tenon::sleep_until(deadline).failed_with(Errc::timed_out));
  EXPECT_TRUE(deadline.passed());
}

TEST(SleepUntilDeathTest, refuses_a_sleep_that_nothing_can_end) {
  EXPECT_DEATH((void)tenon::sleep_until(tenon::never), "broken contract: a sleep needs a deadline or a stop");
}

}  // namespace

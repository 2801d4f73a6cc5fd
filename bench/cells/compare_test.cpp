#include <cells/report.hpp>

#include <gtest/gtest.h>

namespace {

using cells::Interval;
using cells::Told;
using cells::Verdict;

Interval around(double median, double half) {
  return {.median = median, .low = median - half, .high = median + half, .confidence = 0.95};
}

Told row(double nanoseconds, double ratio, const char* distance = "near") {
  return {.name = "pipe",
          .distance = distance,
          .limit = "ring",
          .nanoseconds = around(nanoseconds, 10),
          .ratio = around(ratio, 0.05)};
}

Verdict judged(const Told& old, const Told& now) { return cells::compare({old}, {now}).front().verdict; }

TEST(Compare, sees_five_percent_beyond_the_intervals) {
  EXPECT_EQ(judged(row(1000, 5), row(1050, 5.25)), Verdict::slower);
  EXPECT_EQ(judged(row(1050, 5.25), row(1000, 5)), Verdict::faster);
  EXPECT_NEAR(cells::compare({row(1000, 5)}, {row(1050, 5.25)}).front().change, 0.05, 1e-12);
}

TEST(Compare, leaves_alone_what_lies_within_the_intervals_or_is_too_little) {
  EXPECT_EQ(judged(row(1000, 5), row(1005, 5.02)), Verdict::same);
  EXPECT_EQ(judged(row(10000, 5), row(10150, 5.08)), Verdict::same) << "beyond the interval, and 1.5%";
}

TEST(Compare, believes_no_change_of_the_time_that_its_limit_had_too) {
  EXPECT_EQ(judged(row(1000, 5), row(1100, 5)), Verdict::same);
  EXPECT_EQ(judged(row(1000, 5), row(900, 5.5)), Verdict::same);
}

TEST(Compare, goes_by_the_time_alone_beside_another_limit) {
  Told other = row(1050, 2);
  other.limit = "pool";
  EXPECT_EQ(judged(row(1000, 5), other), Verdict::slower);
}

TEST(Compare, says_nothing_of_processors_that_stood_otherwise) {
  EXPECT_EQ(judged(row(1000, 5, "near"), row(4000, 9, "far")), Verdict::apart);
}

TEST(Compare, names_what_came_and_what_went) {
  Told other = row(1, 1);
  other.name = "fifo";
  const auto compared = cells::compare({row(1, 1)}, {other});
  ASSERT_EQ(compared.size(), 2U);
  EXPECT_EQ(compared[0].verdict, Verdict::new_row);
  EXPECT_EQ(compared[1].verdict, Verdict::gone);
  EXPECT_NE(cells::table_of(compared).find("not measured now"), std::string::npos);
}

TEST(Told, refuses_what_no_run_wrote) {
  EXPECT_TRUE(cells::told(std::string("{")).failed_with(tenon::Errc::corrupt));
  EXPECT_TRUE(cells::told(std::string("{\"rows\": [{}]}")).failed_with(tenon::Errc::corrupt));
  EXPECT_TRUE(cells::told(std::string("{\"rows\": []}")).has_value());
}

}  // namespace

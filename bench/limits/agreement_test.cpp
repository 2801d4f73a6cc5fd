#include <limits/agreement.hpp>
#include <limits/limit.hpp>
#include <limits/report.hpp>

#include <gtest/gtest.h>
#include <set>

namespace {

using limits::Agreement;
using limits::Report;
using limits::Row;
using limits::Where;

Row row(std::string name, double nanoseconds, double probe, Where where = Where::across_cores) {
  Row row{.name = std::move(name),
          .family = "family",
          .where = where,
          .kind = limits::Kind::round_trip,
          .payload_bytes = 64,
          .not_measured = {},
          .figure = {},
          .attempts = {.before = probe, .after = probe, .made = 1}};
  row.figure.nanoseconds = nanoseconds;
  return row;
}

std::string run(std::vector<Row> rows) {
  return json_of(Report{.environment = {}, .rows = std::move(rows), .pairs = {}});
}

Agreement agreement(std::vector<Row> first, std::vector<Row> second) {
  return limits::agreement_of(run(std::move(first)), run(std::move(second))).or_throw();
}

TEST(Agreement, runs_within_the_tolerance_agree_and_tell_the_largest_difference_first) {
  const auto both = agreement({row("a", 100, 110), row("b", 200, 110)}, {row("a", 104, 110), row("b", 216, 110)});
  EXPECT_TRUE(both.within(0.10));
  ASSERT_EQ(both.rows.size(), 2U);
  EXPECT_EQ(both.rows.front().name, "b");
  EXPECT_NEAR(both.largest().value_or(0), 0.08, 1e-9);
}

TEST(Agreement, one_row_beyond_the_tolerance_is_enough_to_disagree) {
  const auto both = agreement({row("a", 100, 110), row("b", 200, 110)}, {row("a", 100, 110), row("b", 221, 110)});
  EXPECT_FALSE(both.within(0.10));
  EXPECT_NE(table_of(both, 0.10).find("1 beyond 10%: the runs do not agree"), std::string::npos);
}

TEST(Agreement, it_does_not_matter_which_run_was_the_slower) {
  EXPECT_FALSE(agreement({row("a", 100, 110)}, {row("a", 111, 110)}).within(0.10));
  EXPECT_FALSE(agreement({row("a", 111, 110)}, {row("a", 100, 110)}).within(0.10));
}

TEST(Agreement, a_row_of_near_cores_is_not_held_against_one_of_far_cores) {
  const auto both = agreement({row("a", 110, 110), row("b", 5, 110, Where::alone)},
                              {row("a", 480, 480), row("b", 5, 480, Where::alone)});
  EXPECT_TRUE(both.within(0.10));
  ASSERT_EQ(both.rows.size(), 2U);
  EXPECT_EQ(both.rows.back().not_comparable, "near and far");
}

TEST(Agreement, a_row_of_one_process_is_compared_however_far_the_cores_are) {
  EXPECT_FALSE(agreement({row("a", 5, 110, Where::alone)}, {row("a", 6, 480, Where::alone)}).within(0.10));
}

TEST(Agreement, runs_of_which_no_row_can_be_compared_do_not_agree) {
  EXPECT_FALSE(agreement({row("a", 110, 110)}, {row("a", 480, 480)}).within(0.10));
  EXPECT_FALSE(agreement({}, {}).within(0.10));
}

TEST(Agreement, a_disturbed_row_is_left_out_and_said) {
  auto disturbed = row("a", 900, 110);
  disturbed.attempts.disturbed = true;
  const auto both = agreement({disturbed, row("b", 1, 110)}, {row("a", 100, 110), row("b", 1, 110)});
  EXPECT_TRUE(both.within(0.10));
  EXPECT_NE(table_of(both, 0.10).find("disturbed"), std::string::npos);
}

TEST(Agreement, a_row_that_one_run_lacks_is_a_disagreement) {
  const auto both = agreement({row("a", 100, 110), row("b", 1, 110)}, {row("a", 100, 110)});
  EXPECT_FALSE(both.within(0.10));
  ASSERT_EQ(both.rows.size(), 2U);
  EXPECT_TRUE(both.rows.front().missing);
}

TEST(Agreement, what_is_no_run_is_corrupt_and_named) {
  const auto both = limits::agreement_of(run({}), "{\"limits\": [{\"name\": \"a\"}]}");
  ASSERT_TRUE(both.failed_with(tenon::Errc::corrupt));
  EXPECT_EQ(both.error().object(), "the second run");
  EXPECT_TRUE(limits::agreement_of("", run({})).failed_with(tenon::Errc::corrupt));
}

TEST(Limits, have_names_of_their_own_and_a_quick_run_adds_none) {
  std::set<std::string> full;
  for (const auto& limit : limits::all_limits(limits::Extent::full)) {
    EXPECT_TRUE(full.insert(limit.subject.name).second) << limit.subject.name;
  }
  for (const auto& limit : limits::all_limits(limits::Extent::quick)) {
    EXPECT_TRUE(full.contains(limit.subject.name)) << limit.subject.name;
  }
}

}  // namespace

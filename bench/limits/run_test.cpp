#include <limits/run.hpp>

#include <gtest/gtest.h>

namespace {

using limits::Row;
using limits::tells_more;
using limits::Where;

constexpr double sibling = 67;
constexpr double near = 100;
constexpr double far = 500;

Row row(double nanoseconds, double probe, bool disturbed = false, Where where = Where::across_cores) {
  Row row{.name = "row",
          .family = "family",
          .where = where,
          .kind = limits::Kind::round_trip,
          .not_measured = {},
          .figure = {},
          .attempts = {.before = probe, .after = probe, .made = 1, .disturbed = disturbed}};
  row.figure.nanoseconds = nanoseconds;
  return row;
}

TEST(TellsMore, the_faster_of_two_looks_does) {
  EXPECT_TRUE(tells_more(row(40, near), row(100, near)));
  EXPECT_FALSE(tells_more(row(100, near), row(40, near)));
  EXPECT_FALSE(tells_more(row(40, near), row(40, near)));
}

TEST(TellsMore, a_slow_undisturbed_look_does_beside_a_fast_disturbed_one) {
  EXPECT_TRUE(tells_more(row(100, near), row(40, near, true)));
  EXPECT_FALSE(tells_more(row(40, near, true), row(100, near)));
}

TEST(TellsMore, near_cores_do_beside_far_ones_where_two_cores_take_part) {
  EXPECT_TRUE(tells_more(row(100, near), row(40, far)));
  EXPECT_TRUE(tells_more(row(100, near), row(40, sibling)));
  EXPECT_TRUE(tells_more(row(40, far, false, Where::alone), row(100, near, false, Where::alone)));
}

TEST(TellsMore, a_figure_does_beside_none) {
  Row none = row(0, near);
  none.not_measured = "one core";
  EXPECT_TRUE(tells_more(row(100, far, true), none));
}

}  // namespace

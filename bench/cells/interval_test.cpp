#include <cells/interval.hpp>

#include <gtest/gtest.h>

namespace {

using cells::Interval;
using cells::interval_of;

TEST(Interval, of_few_repeats_is_all_of_them_and_says_how_little_that_is) {
  const Interval one = interval_of({7});
  EXPECT_EQ(one.median, 7);
  EXPECT_EQ(one.low, 7);
  EXPECT_EQ(one.high, 7);
  EXPECT_EQ(one.confidence, 0);
  const Interval three = interval_of({30, 10, 20});
  EXPECT_EQ(three.median, 20);
  EXPECT_EQ(three.low, 10);
  EXPECT_EQ(three.high, 30);
  EXPECT_DOUBLE_EQ(three.confidence, 0.75);
}

// Of 11, the second and the tenth: 1 - 2 (1 + 11) / 2^11 = 0.988; the third and the ninth would be 0.935.
TEST(Interval, of_many_repeats_leaves_out_as_many_as_95_percent_allow) {
  const Interval eleven = interval_of({11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6});
  EXPECT_EQ(eleven.median, 6);
  EXPECT_EQ(eleven.low, 2);
  EXPECT_EQ(eleven.high, 10);
  EXPECT_NEAR(eleven.confidence, 1 - 24.0 / 2048, 1e-12);
  EXPECT_NEAR(interval_of({1, 2, 3, 4, 5, 6}).confidence, 1 - 2.0 / 64, 1e-12);
}

TEST(Interval, overlaps_what_it_touches) {
  const Interval low = interval_of({1, 2, 3});
  EXPECT_TRUE(low.overlaps(interval_of({3, 4, 5})));
  EXPECT_FALSE(low.overlaps(interval_of({3.1, 4, 5})));
  EXPECT_DOUBLE_EQ(low.relative(), 0.5);
}

}  // namespace

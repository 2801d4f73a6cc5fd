#include <harness/percentiles.hpp>

#include <gtest/gtest.h>
#include <numeric>

namespace {

std::vector<double> one_to(int last) {
  std::vector<double> figures(static_cast<std::size_t>(last));
  std::iota(figures.rbegin(), figures.rend(), 1.0);  // falling, since nobody promised an order
  return figures;
}

TEST(Percentiles, are_the_nearest_ranks_of_what_was_seen) {
  const auto p = harness::percentiles_of(one_to(1000));
  EXPECT_EQ(p.p50, 500);
  EXPECT_EQ(p.p90, 900);
  EXPECT_EQ(p.p99, 990);
  EXPECT_EQ(p.p999, 999);
  EXPECT_EQ(p.max, 1000);
  EXPECT_EQ(p.samples, 1000U);
}

TEST(Percentiles, of_ten_take_the_ninth_for_p90_and_the_last_beyond) {
  const auto p = harness::percentiles_of(one_to(10));
  EXPECT_EQ(p.p90, 9);
  EXPECT_EQ(p.p99, 10);
  EXPECT_EQ(p.p999, 10);
}

TEST(Percentiles, of_one_sample_are_that_sample) {
  const auto p = harness::percentiles_of({7});
  EXPECT_EQ(p.p50, 7);
  EXPECT_EQ(p.max, 7);
}

TEST(Percentiles, of_nothing_say_that_there_were_no_samples) { EXPECT_EQ(harness::percentiles_of({}).samples, 0U); }

TEST(Percentiles, a_single_outlier_moves_the_maximum_alone) {
  auto figures = std::vector<double>(2000, 5.0);
  figures[3] = 1e9;
  const auto p = harness::percentiles_of(figures);
  EXPECT_EQ(p.p999, 5);
  EXPECT_EQ(p.max, 1e9);
}

TEST(Median, is_the_mean_of_the_middle_two_of_an_even_number) {
  EXPECT_EQ(harness::median_of({9, 1, 5}), 5);
  EXPECT_EQ(harness::median_of({9, 1, 5, 7}), 6);
}

TEST(Spread, tells_the_quartiles_around_the_median) {
  const auto spread = harness::spread_of(one_to(8));
  EXPECT_EQ(spread.median, 4.5);
  EXPECT_EQ(spread.low, 2);
  EXPECT_EQ(spread.high, 6);
  EXPECT_DOUBLE_EQ(spread.relative(), 4 / 4.5);
}

TEST(MedianDeathTest, of_nothing_is_a_broken_contract) {
  EXPECT_DEATH((void)harness::median_of({}), "a median is of at least one figure");
}

}  // namespace

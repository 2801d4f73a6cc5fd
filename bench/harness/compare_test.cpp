#include <harness/compare.hpp>

#include <harness/probe.hpp>

#include <kit/watchdog.hpp>
#include <gtest/gtest.h>

namespace {

using harness::Blocks;
using harness::DoBlock;
using harness::Pairing;
using harness::TimedBlock;
using tenon::Errc;
using tenon::Result;

DoBlock always(double nanoseconds) {
  return [=] { return Result<TimedBlock>(TimedBlock{.per_operation = nanoseconds}); };
}

TEST(Pairing, gives_the_median_of_the_ratios_with_the_absolute_figures_beside) {
  Pairing pairing(9, 1);
  pairing.run(always(100), always(250)).or_throw();
  const auto figure = pairing.figure();
  EXPECT_EQ(figure.pairs, 9);
  EXPECT_DOUBLE_EQ(figure.ratio.median, 2.5);
  EXPECT_DOUBLE_EQ(figure.limit.nanoseconds, 100);
  EXPECT_DOUBLE_EQ(figure.subject.nanoseconds, 250);
}

// What pairing is for: the machine turns slower from pair to pair, and the ratio stays.
TEST(Pairing, a_machine_that_turns_slower_moves_the_figures_and_not_the_ratio) {
  double slowness = 1;
  int blocks = 0;
  const auto block = [&](double nanoseconds) {
    return [&, nanoseconds]() -> Result<TimedBlock> {
      slowness += (blocks++ % 2 == 0) ? 0.5 : 0;
      return TimedBlock{.per_operation = nanoseconds * slowness};
    };
  };
  Pairing pairing(20, 1);
  pairing.run(block(100), block(300)).or_throw();
  const auto figure = pairing.figure();
  EXPECT_DOUBLE_EQ(figure.ratio.median, 3);
  EXPECT_DOUBLE_EQ(figure.ratio.relative(), 0);
  EXPECT_GT(figure.limit.nanoseconds, 300);
  EXPECT_GT(figure.limit.blocks.relative(), 0.1);
}

TEST(Pairing, the_order_within_the_pairs_is_drawn_and_the_same_for_the_same_seed) {
  const auto order_of = [](std::uint64_t seed) {
    std::string order;
    const auto noting = [&](char name) {
      return [&order, name] {
        order += name;
        return Result<TimedBlock>(TimedBlock{.per_operation = 1});
      };
    };
    Pairing pairing(40, seed);
    pairing.run(noting('L'), noting('S')).or_throw();
    return order;
  };
  const std::string order = order_of(1);
  int limit_first = 0;
  for (std::size_t pair = 0; pair < order.size(); pair += 2) {
    EXPECT_NE(order[pair], order[pair + 1]) << "each pair has one block of each";
    limit_first += order[pair] == 'L' ? 1 : 0;
  }
  EXPECT_GT(limit_first, 0);
  EXPECT_LT(limit_first, 40);
  EXPECT_EQ(order, order_of(1));
  EXPECT_NE(order, order_of(2));
}

TEST(Pairing, a_pair_with_a_preempted_block_is_done_again) {
  int block = 0;
  const DoBlock subject = [&] {
    const bool preempted = block++ % 3 == 0;
    return Result<TimedBlock>(TimedBlock{.per_operation = preempted ? 9000.0 : 200.0, .preempted = preempted});
  };
  Pairing pairing(10, 1);
  pairing.run(always(100), subject).or_throw();
  const auto figure = pairing.figure();
  EXPECT_EQ(figure.pairs, 10);
  EXPECT_DOUBLE_EQ(figure.ratio.high, 2) << "no preempted block is in the figure";
  EXPECT_EQ(figure.subject.blocks_preempted, 5);
}

TEST(Pairing, on_a_machine_that_is_always_busy_it_ends_and_tells_how_many_were_preempted) {
  const DoBlock busy = [] { return Result<TimedBlock>(TimedBlock{.per_operation = 900, .preempted = true}); };
  Pairing pairing(10, 1);
  pairing.run(always(100), busy).or_throw();
  const auto figure = pairing.figure();
  EXPECT_EQ(figure.pairs, 30);
  EXPECT_EQ(figure.subject.blocks_preempted, 30);
  EXPECT_DOUBLE_EQ(figure.ratio.median, 9);
}

TEST(Pairing, the_error_of_a_block_ends_it) {
  Pairing pairing(10, 1);
  const auto done = pairing.run(always(1), [] { return Result<TimedBlock>(tenon::fail(Errc::timed_out)); });
  EXPECT_TRUE(done.failed_with(Errc::timed_out));
}

TEST(Blocks, are_enough_when_so_many_were_left_alone) {
  Blocks blocks(3);
  blocks.add(1, false);
  blocks.add(100, true);
  blocks.add(2, false);
  EXPECT_FALSE(blocks.enough());
  blocks.add(3, false);
  EXPECT_TRUE(blocks.enough());
  EXPECT_EQ(blocks.kept(), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(blocks.preempted(), 1);
}

TEST(Blocks, are_given_up_on_a_busy_machine_and_then_all_count) {
  Blocks blocks(2);
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(blocks.enough());
    blocks.add(i, true);
  }
  EXPECT_TRUE(blocks.enough());
  EXPECT_EQ(blocks.kept().size(), 6U);
}

// With real processes: equal subjects have a ratio, both figures are positive, and nobody hangs.
TEST(Compare, measures_a_subject_beside_itself) {
  const kit::Watchdog watchdog("a subject is compared with itself");
  const auto clock = harness::Clock::calibrate();
  const harness::PairedPace pace{.pace = {.block = std::chrono::microseconds(100), .blocks = 3, .starts = 1}};
  const auto figure =
      harness::compare(harness::bounced_line(), harness::bounced_line(), harness::one_core(2), clock, pace).or_throw();
  EXPECT_GE(figure.pairs, 3);
  EXPECT_GT(figure.limit.nanoseconds, 0);
  EXPECT_GT(figure.subject.nanoseconds, 0);
  EXPECT_GT(figure.ratio.median, 0);
}

}  // namespace

#include <tenon/messaging/topic/chunk_pool.hpp>
#include <tenon/messaging/topic/gate_scan.hpp>

#include <array>
#include <gtest/gtest.h>
#include <set>

using namespace tenon;

namespace {

using Pins = std::array<ChunkPool<>::Pin, 2>;

std::size_t reclaim(ChunkPool<>& pool, const Pins& pins) {
  const std::array<std::span<const ChunkPool<>::Pin>, 1> all{pins};
  return pool.reclaim(all);
}

TEST(ChunkPoolTest, gives_each_chunk_once_and_takes_back_what_nobody_holds) {
  for (const ChunkOrder order : {ChunkOrder::oldest_first, ChunkOrder::newest_first}) {
    ChunkPool<> pool(3, order);
    const std::set<std::uint32_t> taken{*pool.take(), *pool.take(), *pool.take()};
    EXPECT_EQ(taken, (std::set<std::uint32_t>{0, 1, 2}));
    EXPECT_FALSE(pool.take());
    Pins pins{};
    EXPECT_EQ(reclaim(pool, pins), 0U);
    pool.retire(0);
    pool.retire(2);
    pin_chunk(pins[1], 2);
    EXPECT_EQ(reclaim(pool, pins), 1U);
    EXPECT_EQ(pool.take(), 0U);
    EXPECT_FALSE(pool.take()) << "what is held stays out of it";
    unpin_chunk(pins[1]);
    EXPECT_EQ(reclaim(pool, pins), 1U);
    EXPECT_EQ(pool.take(), 2U);
  }
}

TEST(ChunkPoolTest, goes_round_or_takes_the_last_again_as_it_was_told) {
  ChunkPool<> round(3, ChunkOrder::oldest_first);
  EXPECT_EQ(round.take(), 0U);
  round.put_back(0);
  EXPECT_EQ(round.take(), 1U);
  ChunkPool<> again(3, ChunkOrder::newest_first);
  const auto first = again.take();
  again.put_back(*first);
  EXPECT_EQ(again.take(), first);
}

// F20, F22
TEST(ChunkPoolTest, pins_that_name_no_chunk_hold_nothing) {
  ChunkPool<> pool(3, ChunkOrder::oldest_first);
  pool.retire(*pool.take());
  Pins pins{};
  pins[0].store(4);
  pins[1].store(UINT32_MAX);
  EXPECT_EQ(reclaim(pool, pins), 1U);
}

// F21, F22
TEST(GateScanTest, a_gate_that_no_subscriber_can_have_set_holds_nobody_back) {
  GateScan<> gates(0, 8);
  gates.begin(4);
  gates.begin(100);
  for (const std::uint64_t gate : {std::uint64_t{0}, std::uint64_t{91}, std::uint64_t{101}, UINT64_MAX}) {
    EXPECT_EQ(gates.count(gate), 0U);
    EXPECT_EQ(gates.limit(), 108U);
  }
  EXPECT_EQ(gates.count(std::uint64_t{97}), 3U);
  EXPECT_EQ(gates.count(std::uint64_t{99}), 1U);
  EXPECT_EQ(gates.limit(), 105U);
}

// F50
TEST(GateScanTest, goes_on_where_numbers_wrap) {
  GateScan<> gates(UINT64_MAX - 1, 8);
  gates.begin(1);
  EXPECT_EQ(gates.newcomer(), UINT64_MAX - 1);
  EXPECT_EQ(gates.count(UINT64_MAX), 2U);
  EXPECT_EQ(gates.limit(), 7U);
}

}  // namespace

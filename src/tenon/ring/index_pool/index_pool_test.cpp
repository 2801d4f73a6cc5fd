#include <tenon/ring/index_pool/index_pool.hpp>

#include <kit/shared.hpp>
#include <kit/two_processes.hpp>

#include <array>
#include <gtest/gtest.h>
#include <sched.h>
#include <set>

using namespace tenon;

namespace {

using Pool = IndexPool<>;
static_assert(offsetof(Pool::Header, top) == 64 && sizeof(Pool::Header) == 128 && sizeof(Pool::Link) == 4);

class IndexPoolTest : public testing::Test {
 protected:
  Pool make(std::uint64_t count) { return Pool::initialise(memory_.bytes(), count).or_throw(); }
  kit::SharedBytes memory_{1 << 16};
};

TEST_F(IndexPoolTest, gives_each_index_to_one_taker_until_it_is_given_back) {
  Pool pool = make(8);
  std::set<std::uint32_t> taken;
  while (const auto index = pool.take()) {
    EXPECT_LT(*index, 8U);
    EXPECT_TRUE(taken.insert(*index).second);
  }
  EXPECT_EQ(taken.size(), 8U);
  pool.give(5);
  EXPECT_EQ(pool.take(), 5U);
  EXPECT_FALSE(pool.take());
}

TEST_F(IndexPoolTest, is_made_anew_from_what_is_in_use) {
  Pool pool = make(8);
  ASSERT_TRUE(pool.take());
  ASSERT_TRUE(pool.take());  // and its taker dies
  pool.rebuild([](std::uint32_t index) { return index == 0 || index == 7; });
  for (std::uint32_t expected = 1; expected < 7; ++expected) {
    EXPECT_EQ(pool.take(), expected);
  }
  EXPECT_FALSE(pool.take());
}

// F20, F23
TEST_F(IndexPoolTest, links_that_nobody_can_have_written_lead_nowhere) {
  Pool pool = make(4);
  auto* const links = reinterpret_cast<Pool::Link*>(memory_.data() + sizeof(Pool::Header));
  links[0].store(1'000'000);
  EXPECT_EQ(pool.take(), 0U);
  EXPECT_FALSE(pool.take());
}

TEST_F(IndexPoolTest, no_two_processes_ever_have_the_same_index) {
  make(4);
  const kit::Shared<std::array<std::atomic<int>, 4>> holders;
  const auto use = [&](kit::Stage&) {
    Pool pool = Pool::open(memory_.bytes()).or_throw();
    for (int i = 0; i < 100'000;) {
      const auto index = pool.take();
      if (!index) {
        ::sched_yield();
        continue;
      }
      ASSERT_EQ((*holders)[*index].fetch_add(1), 0);
      (*holders)[*index].fetch_sub(1);
      pool.give(*index);
      ++i;
    }
  };
  kit::run_sides({{"one", use}, {"two", use}, {"three", use}});
  Pool pool = Pool::open(memory_.bytes()).or_throw();
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(pool.take());
  }
  EXPECT_FALSE(pool.take());
}

}  // namespace

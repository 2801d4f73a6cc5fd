#include <tenon/ring/mpmc_ring/mpmc_ring.hpp>

#include <kit/shared.hpp>
#include <kit/two_processes.hpp>

#include <array>
#include <gtest/gtest.h>
#include <sched.h>

using namespace tenon;

namespace {

struct Job {
  std::uint64_t producer = 0;
  std::uint64_t number = 0;
};
using Ring = MpmcRing<Job>;
static_assert(offsetof(Ring::Header, tail) == 64 && offsetof(Ring::Header, head) == 128 && sizeof(Ring::Header) == 192);

class MpmcRingTest : public testing::Test {
 protected:
  Ring make(std::uint64_t slots, std::uint64_t first = 0) {
    return Ring::initialise(memory_.bytes(), slots, first).or_throw();
  }
  static std::vector<std::uint64_t> drain(Ring ring) {
    std::vector<std::uint64_t> numbers;
    while (const auto job = ring.try_pop()) {
      numbers.push_back(job->number);
    }
    return numbers;
  }
  kit::SharedBytes memory_{1 << 16};
};

TEST_F(MpmcRingTest, gives_what_was_pushed_in_order_and_says_full_and_empty) {
  Ring ring = make(4);
  EXPECT_FALSE(ring.try_pop());
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(ring.try_push({.number = i}));
  }
  EXPECT_FALSE(ring.try_push({.number = 4}));
  EXPECT_EQ(ring.try_pop()->number, 0U);
  EXPECT_TRUE(ring.try_push({.number = 4}));
  EXPECT_EQ(drain(ring), (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

TEST_F(MpmcRingTest, has_two_slots_at_least) {
  EXPECT_TRUE(Ring::initialise(memory_.bytes(), 1).failed_with(Errc::invalid_argument));
}

// F50
TEST_F(MpmcRingTest, its_numbers_may_wrap) {
  Ring ring = make(4, ~std::uint64_t{0} - 2);
  for (std::uint64_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(ring.try_push({.number = i}));
    ASSERT_TRUE(ring.try_push({.number = i + 100}));
    ASSERT_EQ(ring.try_pop()->number, i);
    ASSERT_EQ(ring.try_pop()->number, i + 100);
    ASSERT_FALSE(ring.try_pop());
  }
}

TEST_F(MpmcRingTest, recovers_from_producers_and_consumers_that_died_with_a_slot) {
  Ring ring = make(8, ~std::uint64_t{0} - 2);
  ASSERT_TRUE(ring.try_push({.number = 1}));
  ASSERT_TRUE(ring.try_push({.number = 2}));
  ASSERT_TRUE(ring.try_take());  // 1 is taken by one who dies
  ASSERT_TRUE(ring.try_loan());  // and this message is never sent
  ASSERT_TRUE(ring.try_push({.number = 3}));
  ASSERT_TRUE(ring.try_loan());
  ASSERT_TRUE(ring.try_push({.number = 4}));
  EXPECT_EQ(ring.try_pop()->number, 2U);
  EXPECT_FALSE(ring.try_pop()) << "it is stuck";

  EXPECT_EQ(ring.recover(), 3U);
  EXPECT_EQ(drain(ring), (std::vector<std::uint64_t>{3, 4}));
  for (std::uint64_t i = 0; i < 8; ++i) {
    EXPECT_TRUE(ring.try_push({.number = i})) << i;
  }
  EXPECT_FALSE(ring.try_push({}));
  EXPECT_EQ(ring.recover(), 0U);
  EXPECT_EQ(drain(ring), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
}

// F20
TEST_F(MpmcRingTest, recovers_in_bounded_time_whatever_the_counts_are) {
  Ring ring = make(4);
  ASSERT_TRUE(ring.try_push({.number = 1}));
  reinterpret_cast<Ring::Header*>(memory_.data())->tail.store(~std::uint64_t{0} / 2);
  EXPECT_EQ(ring.recover(), 3U);
  EXPECT_EQ(drain(ring), (std::vector<std::uint64_t>{1}));
}

TEST_F(MpmcRingTest, each_job_of_three_producers_reaches_exactly_one_of_three_consumers_in_its_producers_order) {
  make(64);
  constexpr std::uint64_t jobs = 100'000;
  struct Counts {
    std::array<std::atomic<std::uint64_t>, 3> received_of;
    std::array<std::atomic<std::uint64_t>, 3> sum_of;
  };
  const kit::Shared<Counts> counts;
  const auto produce = [&](std::uint64_t self) {
    return [&, self](kit::Stage&) {
      Ring ring = Ring::open(memory_.bytes()).or_throw();
      for (std::uint64_t i = 1; i <= jobs;) {
        ring.try_push({.producer = self, .number = i}) ? void(++i) : void(::sched_yield());
      }
    };
  };
  const auto consume = [&](kit::Stage&) {
    Ring ring = Ring::open(memory_.bytes()).or_throw();
    std::array<std::uint64_t, 3> last{};
    const auto all = [&] {
      return counts->received_of[0] + counts->received_of[1] + counts->received_of[2] == 3 * jobs;
    };
    while (!all()) {
      const auto job = ring.try_pop();
      if (!job) {
        ::sched_yield();
        continue;
      }
      ASSERT_LT(job->producer, 3U);
      ASSERT_GT(job->number, last[job->producer]);
      last[job->producer] = job->number;
      counts->sum_of[job->producer] += job->number;
      ++counts->received_of[job->producer];
    }
  };
  kit::run_sides({{"producer 0", produce(0)},
                  {"producer 1", produce(1)},
                  {"producer 2", produce(2)},
                  {"consumer 0", consume},
                  {"consumer 1", consume},
                  {"consumer 2", consume}});
  for (const auto& sum : counts->sum_of) {
    EXPECT_EQ(sum, jobs * (jobs + 1) / 2);
  }
}

}  // namespace

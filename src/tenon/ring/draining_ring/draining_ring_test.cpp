#include <tenon/ring/draining_ring/draining_ring.hpp>

#include <kit/shared.hpp>
#include <kit/two_processes.hpp>

#include <array>
#include <gtest/gtest.h>
#include <numeric>
#include <sched.h>

using namespace tenon;

namespace {

using Ring = DrainingRing<std::uint64_t>;
static_assert(offsetof(Ring::Header, head) == 64 && offsetof(Ring::Header, tail) == 128 && sizeof(Ring::Header) == 192);

class DrainingRingTest : public testing::Test {
 protected:
  Ring make(std::uint64_t slots, std::uint64_t first = 0) {
    return Ring::initialise(memory_.bytes(), slots, first).or_throw();
  }
  Ring::Header& header() { return *reinterpret_cast<Ring::Header*>(memory_.data()); }
  kit::SharedBytes memory_{1 << 16};
};

TEST_F(DrainingRingTest, gives_what_was_pushed_in_order_and_says_full_and_empty) {
  Ring ring = make(4);
  auto producer = ring.producer();
  auto consumer = ring.consumer();
  EXPECT_FALSE(consumer.try_pop());
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(producer.try_push(i));
  }
  EXPECT_FALSE(producer.try_push(4));
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(consumer.try_pop(), i);
  }
  EXPECT_FALSE(consumer.try_pop());
  EXPECT_TRUE(producer.try_push(4));
}

TEST_F(DrainingRingTest, shows_nothing_of_a_batch_before_it_is_published) {
  Ring ring = make(8);
  auto producer = ring.producer();
  auto consumer = ring.consumer();
  for (std::uint64_t i = 0; i < 3; ++i) {
    *producer.try_loan() = i;
    producer.commit();
  }
  EXPECT_EQ(consumer.available(), 0U);
  producer.publish();
  EXPECT_EQ(consumer.available(), 3U);
}

// F50
TEST_F(DrainingRingTest, batches_go_round_the_end_of_the_ring_and_its_counts_may_wrap) {
  Ring ring = make(8, ~std::uint64_t{0} - 2);
  auto producer = ring.producer();
  auto consumer = ring.consumer();
  std::array<std::uint64_t, 7> values{};
  for (std::uint64_t round = 0; round < 20; ++round) {
    std::iota(values.begin(), values.end(), 100 * round);
    ASSERT_EQ(producer.push(values), 7U);
    const auto runs = consumer.front(100);
    ASSERT_EQ(runs.size(), 7U);
    std::uint64_t expected = 100 * round;
    for (const auto run : {runs.first, runs.second}) {
      for (const std::uint64_t value : run) {
        ASSERT_EQ(value, expected++);
      }
    }
    consumer.pop(7);
    ASSERT_EQ(consumer.available(), 0U);
  }
}

TEST_F(DrainingRingTest, pushes_as_much_of_a_batch_as_fits) {
  Ring ring = make(4);
  auto producer = ring.producer();
  const std::array<std::uint64_t, 6> values = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(producer.push(values), 4U);
  EXPECT_EQ(producer.push(values), 0U);
  EXPECT_EQ(ring.consumer().available(), 4U);
}

TEST_F(DrainingRingTest, a_new_producer_and_a_new_consumer_go_on_where_the_memory_says) {
  Ring ring = make(8);
  {
    auto producer = ring.producer();
    ASSERT_TRUE(producer.try_push(1));
    *producer.try_loan() = 99;
    producer.commit();  // and it dies before it publishes
  }
  auto producer = Ring::open(memory_.bytes()).or_throw().producer();
  ASSERT_TRUE(producer.try_push(2));
  auto consumer = ring.consumer();
  EXPECT_EQ(consumer.try_pop(), 1U);
  EXPECT_EQ(ring.consumer().try_pop(), 2U) << "with eight slots each one that was let go is told at once";
}

// F21
TEST_F(DrainingRingTest, counts_that_nobody_can_have_written_change_nothing) {
  Ring ring = make(2);
  auto producer = ring.producer();
  auto consumer = ring.consumer();
  header().head.store(1'000'000);
  EXPECT_EQ(consumer.available(), 0U);
  EXPECT_EQ(consumer.try_front(), nullptr);
  ASSERT_TRUE(producer.try_push(1));
  ASSERT_TRUE(producer.try_push(2));
  header().tail.store(1'000'000);
  EXPECT_EQ(producer.room(), 0U);
}

// F20 F22
TEST_F(DrainingRingTest, a_new_producer_writes_nowhere_but_into_the_ring_whatever_the_counts_are) {
  Ring ring = make(4);
  header().tail.store(1'000);
  auto producer = ring.producer();
  EXPECT_EQ(producer.room(100), 0U);
  EXPECT_EQ(producer.loan(100).size(), 0U);
  header().tail.store(0);
  EXPECT_EQ(producer.room(100), 4U);
}

TEST_F(DrainingRingTest, carries_two_million_numbers_in_batches_from_one_process_to_another) {
  make(1024);
  constexpr std::uint64_t numbers = 2'000'000;
  kit::run_sides({{"producer",
                   [&](kit::Stage&) {
                     auto producer = Ring::open(memory_.bytes()).or_throw().producer();
                     for (std::uint64_t i = 0; i < numbers;) {
                       auto runs = producer.loan(std::min<std::uint64_t>(100, numbers - i));
                       for (const auto run : {runs.first, runs.second}) {
                         std::iota(run.begin(), run.end(), i);
                         i += run.size();
                       }
                       producer.commit(runs.size());
                       producer.publish();
                       if (runs.size() == 0) {
                         ::sched_yield();
                       }
                     }
                   }},
                  {"consumer", [&](kit::Stage&) {
                     auto consumer = Ring::open(memory_.bytes()).or_throw().consumer();
                     for (std::uint64_t i = 0; i < numbers;) {
                       const auto runs = consumer.front(1024);
                       for (const auto run : {runs.first, runs.second}) {
                         for (const std::uint64_t number : run) {
                           ASSERT_EQ(number, i++);
                         }
                       }
                       consumer.pop(runs.size());
                       if (runs.size() == 0) {
                         ::sched_yield();
                       }
                     }
                   }}});
}

}  // namespace

#include <tenon/ring/sequenced_ring/sequenced_ring.hpp>

#include <kit/shared.hpp>
#include <kit/two_processes.hpp>

#include <gtest/gtest.h>
#include <sched.h>

using namespace tenon;

namespace {

struct Sample {
  std::uint64_t number = 0;
  std::uint64_t check = 0;
};
using Ring = SequencedRing<Sample>;
static_assert(sizeof(SequencedRing<std::array<std::uint64_t, 7>>::Slot) == cache_line);
static_assert(offsetof(Ring::Header, taken) == 64 && sizeof(Ring::Header) == 128 && offsetof(Ring::Slot, value) == 8);

class SequencedRingTest : public testing::Test {
 protected:
  Ring make(std::uint64_t slots, std::uint64_t first = 0) {
    return Ring::initialise(memory_.bytes(), slots, first).or_throw();
  }
  kit::SharedBytes memory_{1 << 16};
};

TEST_F(SequencedRingTest, gives_what_was_pushed_in_order_and_says_full_and_empty) {
  Ring ring = make(4);
  auto producer = ring.producer();
  auto consumer = ring.consumer();
  EXPECT_FALSE(consumer.try_pop());
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(producer.try_push({.number = i}));
  }
  EXPECT_FALSE(producer.try_push({.number = 4}));
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(consumer.try_pop().value().number, i);
  }
  EXPECT_FALSE(consumer.try_pop());
  EXPECT_TRUE(producer.try_push({.number = 4}));
}

TEST_F(SequencedRingTest, lends_a_place_that_nobody_sees_before_it_is_published) {
  Ring ring = make(2);
  auto producer = ring.producer();
  auto consumer = ring.consumer();
  producer.try_loan()->number = 5;
  EXPECT_EQ(consumer.try_front(), nullptr);
  producer.publish();
  EXPECT_EQ(consumer.try_front()->number, 5U);
  EXPECT_EQ(consumer.try_front()->number, 5U) << "it stays in front until it is let go";
}

// F50
TEST_F(SequencedRingTest, its_numbers_may_wrap) {
  Ring ring = make(4, ~std::uint64_t{0} - 2);
  auto producer = ring.producer();
  auto consumer = ring.consumer();
  for (std::uint64_t round = 0; round < 5; ++round) {
    for (std::uint64_t i = 0; i < 4; ++i) {
      ASSERT_TRUE(producer.try_push({.number = 10 * round + i}));
    }
    ASSERT_FALSE(producer.try_push({}));
    for (std::uint64_t i = 0; i < 4; ++i) {
      ASSERT_EQ(consumer.try_pop().value().number, 10 * round + i);
    }
    ASSERT_FALSE(consumer.try_pop());
  }
}

TEST_F(SequencedRingTest, a_new_producer_and_a_new_consumer_go_on_where_the_memory_says) {
  Ring ring = make(8);
  {
    auto producer = ring.producer();
    for (std::uint64_t i = 0; i < 5; ++i) {
      ASSERT_TRUE(producer.try_push({.number = i}));
    }
    producer.try_loan()->number = 99;  // and it dies before it publishes
  }
  EXPECT_EQ(ring.consumer().try_pop().value().number, 0U);
  auto producer = Ring::open(memory_.bytes()).or_throw().producer();
  EXPECT_EQ(producer.next(), 5U);
  ASSERT_TRUE(producer.try_push({.number = 5}));
  auto consumer = ring.consumer();
  for (std::uint64_t i = 1; i < 6; ++i) {
    EXPECT_EQ(consumer.try_pop().value().number, i);
  }
}

// F21
TEST_F(SequencedRingTest, a_count_that_nobody_can_have_written_frees_nothing) {
  Ring ring = make(2);
  auto producer = ring.producer();
  ASSERT_TRUE(producer.try_push({}));
  ASSERT_TRUE(producer.try_push({}));
  reinterpret_cast<Ring::Header*>(memory_.data())->taken.store(1'000'000);
  EXPECT_FALSE(producer.try_push({}));
}

TEST_F(SequencedRingTest, carries_a_million_samples_from_one_process_to_another) {
  make(1024);
  constexpr std::uint64_t samples = 1'000'000;
  kit::run_sides({{"producer",
                   [&](kit::Stage&) {
                     auto producer = Ring::open(memory_.bytes()).or_throw().producer();
                     for (std::uint64_t i = 0; i < samples; ++i) {
                       while (!producer.try_push({.number = i, .check = i * 3})) {
                         ::sched_yield();
                       }
                     }
                   }},
                  {"consumer", [&](kit::Stage&) {
                     auto consumer = Ring::open(memory_.bytes()).or_throw().consumer();
                     for (std::uint64_t i = 0; i < samples;) {
                       const auto sample = consumer.try_pop();
                       if (!sample) {
                         ::sched_yield();
                         continue;
                       }
                       ASSERT_EQ(sample->number, i);
                       ASSERT_EQ(sample->check, i * 3);
                       ++i;
                     }
                   }}});
}

}  // namespace

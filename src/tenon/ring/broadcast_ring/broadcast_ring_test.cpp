#include <tenon/ring/broadcast_ring/broadcast_ring.hpp>

#include <kit/shared.hpp>
#include <kit/two_processes.hpp>

#include <array>
#include <gtest/gtest.h>
#include <sched.h>

using namespace tenon;

namespace {

struct Price {
  std::uint64_t number = 0;
  std::uint64_t twice = 0;
  std::uint32_t thrice = 0;
};
using Ring = BroadcastRing<Price>;
using Seen = Ring::Seen;
static_assert(sizeof(BroadcastRing<std::array<std::uint64_t, 7>>::Slot) == cache_line);

Price price(std::uint64_t number) {
  return {.number = number, .twice = 2 * number, .thrice = static_cast<std::uint32_t>(3 * number)};
}
bool is_whole(const Price& seen) {
  return seen.twice == 2 * seen.number && seen.thrice == static_cast<std::uint32_t>(3 * seen.number);
}

class BroadcastRingTest : public testing::Test {
 protected:
  Ring make(std::uint64_t slots, std::uint64_t first = 0) {
    return Ring::initialise(memory_.bytes(), slots, first).or_throw();
  }
  kit::SharedBytes memory_{1 << 16};
};

TEST_F(BroadcastRingTest, every_consumer_sees_every_message) {
  Ring ring = make(4);
  auto producer = ring.producer();
  auto one = ring.lossy_consumer();
  auto other = ring.lossy_consumer();
  Price seen;
  EXPECT_EQ(one.try_receive(seen), Seen::nothing);
  ASSERT_TRUE(producer.try_publish(price(5)));
  for (auto* consumer : {&one, &other}) {
    EXPECT_EQ(consumer->try_receive(seen), Seen::message);
    EXPECT_EQ(seen.number, 5U);
    EXPECT_TRUE(is_whole(seen));
    EXPECT_EQ(consumer->try_receive(seen), Seen::nothing);
  }
}

// F50, F61
TEST_F(BroadcastRingTest, who_is_overtaken_is_told_by_exactly_how_much_also_when_numbers_wrap) {
  const std::uint64_t first = ~std::uint64_t{0} - 2;
  for (std::uint64_t messages = 1; messages < 40; ++messages) {
    Ring ring = make(8, first);
    auto producer = ring.producer();
    auto consumer = ring.lossy_consumer();
    for (std::uint64_t i = 0; i < messages; ++i) {
      ASSERT_TRUE(producer.try_publish(price(i)));
    }
    Price seen;
    std::uint64_t received = 0;
    for (Seen what = Seen::gap; what != Seen::nothing;) {
      what = consumer.try_receive(seen);
      if (what == Seen::message) {
        EXPECT_EQ(seen.number, received + consumer.lost());
        ++received;
      }
    }
    EXPECT_EQ(received + consumer.lost(), messages);
    EXPECT_EQ(seen.number, messages - 1);
    EXPECT_EQ(consumer.lost() == 0, messages <= 8) << messages;
  }
}

TEST_F(BroadcastRingTest, holds_the_producer_back_until_every_gate_has_passed) {
  Ring ring = make(4);
  auto producer = ring.producer();
  Ring::Gate slow{0};
  Ring::Gate fast{0};
  const std::array<const Ring::Gate*, 2> gates = {&slow, &fast};
  producer.set_gates(gates);
  auto slow_one = ring.gated_consumer(slow, 0);
  auto fast_one = ring.gated_consumer(fast, 0);
  Price seen;
  for (std::uint64_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(producer.try_publish(price(i)));
    ASSERT_EQ(fast_one.try_receive(seen), Seen::message);
  }
  EXPECT_FALSE(producer.try_publish(price(4)));
  ASSERT_EQ(slow_one.try_receive(seen), Seen::message);
  EXPECT_EQ(seen.number, 0U);
  EXPECT_TRUE(producer.try_publish(price(4)));
  EXPECT_FALSE(producer.try_publish(price(5)));
  producer.set_gates(std::span(gates).subspan(1));  // the slow one has died
  EXPECT_TRUE(producer.try_publish(price(5)));
}

TEST_F(BroadcastRingTest, a_new_producer_goes_on_behind_what_the_last_one_sent) {
  Ring ring = make(4, ~std::uint64_t{0} - 2);
  auto consumer = ring.lossy_consumer();
  for (std::uint64_t i = 0; i < 3; ++i) {
    auto producer = Ring::open(memory_.bytes()).or_throw().producer();
    ASSERT_TRUE(producer.try_publish(price(i)));
  }
  Price seen;
  for (std::uint64_t i = 0; i < 3; ++i) {
    ASSERT_EQ(consumer.try_receive(seen), Seen::message);
    EXPECT_EQ(seen.number, i);
  }
}

// F21
TEST_F(BroadcastRingTest, a_gate_that_no_consumer_can_have_set_holds_nobody_back) {
  Ring ring = make(2);
  auto producer = ring.producer();
  Ring::Gate wild{1'000'000};
  const std::array<const Ring::Gate*, 1> gates = {&wild};
  producer.set_gates(gates);
  for (std::uint64_t i = 0; i < 10; ++i) {
    EXPECT_TRUE(producer.try_publish(price(i)));
  }
}

// F24
TEST_F(BroadcastRingTest, a_lossy_consumer_in_another_process_sees_whole_messages_and_counts_the_others) {
  make(16);
  constexpr std::uint64_t messages = 500'000;
  kit::run_sides({{"producer",
                   [&](kit::Stage& stage) {
                     auto producer = Ring::open(memory_.bytes()).or_throw().producer();
                     stage.await("listening");
                     for (std::uint64_t i = 0; i < messages; ++i) {
                       ASSERT_TRUE(producer.try_publish(price(i)));
                     }
                   }},
                  {"consumer", [&](kit::Stage& stage) {
                     auto consumer = Ring::open(memory_.bytes()).or_throw().lossy_consumer();
                     stage.signal("listening");
                     Price seen;
                     std::uint64_t received = 0;
                     while (consumer.next() != messages) {
                       const Seen what = consumer.try_receive(seen);
                       if (what == Seen::nothing) {
                         ::sched_yield();
                       } else if (what == Seen::message) {
                         ASSERT_TRUE(is_whole(seen));
                         ASSERT_EQ(seen.number, received + consumer.lost());
                         ++received;
                       }
                     }
                     EXPECT_EQ(received + consumer.lost(), messages);
                   }}});
}

TEST_F(BroadcastRingTest, gated_consumers_in_other_processes_lose_nothing) {
  make(16);
  constexpr std::uint64_t messages = 200'000;
  struct Gates {
    alignas(cache_line) Ring::Gate gate[2]{};
  };
  const kit::Shared<Gates> shared;
  const auto consume = [&](std::size_t self) {
    return [&, self](kit::Stage&) {
      auto consumer = Ring::open(memory_.bytes()).or_throw().gated_consumer(shared->gate[self], 0);
      Price seen;
      for (std::uint64_t i = 0; i < messages;) {
        const Seen what = consumer.try_receive(seen);
        ASSERT_NE(what, Seen::gap);
        if (what == Seen::nothing) {
          ::sched_yield();
          continue;
        }
        ASSERT_EQ(seen.number, i);
        ASSERT_TRUE(is_whole(seen));
        ++i;
      }
    };
  };
  kit::run_sides({{"producer",
                   [&](kit::Stage&) {
                     auto producer = Ring::open(memory_.bytes()).or_throw().producer();
                     const std::array<const Ring::Gate*, 2> gates = {&shared->gate[0], &shared->gate[1]};
                     producer.set_gates(gates);
                     for (std::uint64_t i = 0; i < messages;) {
                       producer.try_publish(price(i)) ? void(++i) : void(::sched_yield());
                     }
                   }},
                  {"one consumer", consume(0)},
                  {"another consumer", consume(1)}});
}

}  // namespace

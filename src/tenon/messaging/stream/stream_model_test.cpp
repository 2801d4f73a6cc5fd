// The lock-free parts of a stream under the deterministic scheduler: every schedule with a few preemptions and old
// values.
#include <tenon/messaging/stream/stream_bell.hpp>
#include <tenon/messaging/stream/stream_ring.hpp>

#include <kit/schedule.hpp>

#include <array>
#include <gtest/gtest.h>
#include <memory>

namespace {

using Byte = kit::Plain<char>;
using Producer = tenon::StreamProducer<kit::Atomic, Byte>;
using Consumer = tenon::StreamConsumer<kit::Atomic, Byte>;

constexpr std::uint64_t first = ~std::uint64_t{0};  // counts wrap

template <std::size_t capacity>
struct Parts {
  kit::Atomic<std::uint64_t> head{first};
  kit::Atomic<std::uint64_t> tail{first};
  std::array<Byte, capacity> bytes;
  Producer producer() { return {head, tail, bytes, first}; }
  Consumer consumer() { return {head, tail, bytes, first}; }
};

void expect_all(kit::Scenario (*scenario)()) {
  const kit::ScheduleReport report = kit::explore(scenario);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
  EXPECT_GT(report.runs, 100U);
}

kit::Scenario ab_through_one_byte() {
  auto parts = std::make_shared<Parts<1>>();
  const auto write = [parts] {
    auto producer = parts->producer();
    for (char letter = 'a'; letter <= 'b';) {
      kit::require(producer.room() != 0 || producer.look(), "a tail was taken for a lie");
      const auto place = producer.writable(2);
      for (const auto run : {place.first, place.second}) {
        for (Byte& byte : run) {
          byte.write(letter++);
        }
      }
      producer.publish(place.size());
      if (place.size() == 0) {
        kit::yield();
      }
    }
  };
  const auto read = [parts] {
    auto consumer = parts->consumer();
    for (char expected = 'a'; expected <= 'b';) {
      kit::require(consumer.available() != 0 || consumer.look(), "a head was taken for a lie");
      const auto there = consumer.readable(2);
      for (const auto run : {there.first, there.second}) {
        for (const Byte& byte : run) {
          kit::require(byte.read() == expected++, "a byte is another than was written");
        }
      }
      consumer.consume(there.size());
      if (there.size() == 0) {
        kit::yield();
      }
    }
  };
  return {.threads = {write, read}};
}

TEST(StreamModel, loses_nothing_and_tears_nothing_in_any_schedule) { expect_all(ab_through_one_byte); }

struct Rung : Parts<2> {
  kit::Atomic<std::uint64_t> wish{0};
  kit::Atomic<std::uint64_t> wished{0};
  kit::Atomic<std::uint32_t> bell{UINT32_MAX};
  kit::Atomic<std::uint32_t> wakes{0};
};

// Wishes for the second byte, and sleeps until a wake if nothing is there.
void await_both(Rung& parts) {
  auto consumer = parts.consumer();
  tenon::StreamWish<kit::Atomic> self(parts.wish, parts.wished, parts.bell);
  while (consumer.look() && consumer.available() < 2) {
    const std::uint32_t wakes = parts.wakes.fetch_add(0);
    const std::uint32_t told = self.wish_for(first + 2);
    if (!consumer.look() || consumer.available() >= 2) {
      break;
    }
    // The kernel: compares the newest value, and sleeps until a wake.
    while (parts.bell.fetch_add(0) == told && parts.wakes.fetch_add(0) == wakes) {
      kit::yield();
    }
    self.withdraw();
  }
}

// By a writer that fences for itself.
kit::Scenario a_sleeper() {
  auto parts = std::make_shared<Rung>();
  const auto write = [parts] {
    auto producer = parts->producer();
    tenon::StreamRinger<kit::Atomic> other(parts->bell, parts->wish, parts->wished);
    for (int i = 0; i < 2; ++i) {
      producer.publish(1);
      other.fence();
      if (other.wish_of() != 0 && other.is_due(producer.at())) {
        other.ring();
        parts->wakes.fetch_add(1);
      }
    }
  };
  return {.threads = {write, [parts] { await_both(*parts); }}};
}

TEST(StreamModel, no_sleeper_misses_what_is_sent_in_any_schedule) { expect_all(a_sleeper); }

kit::Scenario an_end() {
  auto parts = std::make_shared<Rung>();
  const auto write = [parts] {
    auto producer = parts->producer();
    producer.publish(1);
    tenon::StreamWish<kit::Atomic> self(parts->wish, parts->wished, parts->bell);
    self.say_closed();
  };
  const auto read = [parts] {
    auto consumer = parts->consumer();
    const tenon::StreamRinger<kit::Atomic> other(parts->bell, parts->wish, parts->wished);
    kit::until([&] { return other.has_closed(); });
    kit::require(consumer.look() && consumer.available() == 1, "the end was seen before what came before it");
  };
  return {.threads = {write, read}};
}

TEST(StreamModel, who_sees_the_end_sees_all_that_was_sent_in_any_schedule) {
  const kit::ScheduleReport report = kit::explore(an_end);
  EXPECT_TRUE(report.passed() && report.exhaustive) << report.message();
}

}  // namespace

// The ring under the deterministic scheduler: every schedule with a few preemptions and old values.
#include <tenon/ring/sequenced_ring/sequenced_ring.hpp>

#include <kit/schedule.hpp>

#include <array>
#include <gtest/gtest.h>
#include <memory>

namespace {

using Ring = tenon::SequencedRing<kit::Plain<int>, kit::Atomic>;

struct Parts {
  Ring::Header header;
  std::array<Ring::Slot, 2> slots;
  Ring ring{header, slots, ~std::uint64_t{0}};  // its numbers wrap
};

kit::Scenario three_through_two_slots() {
  auto parts = std::make_shared<Parts>();
  const auto produce = [parts] {
    auto producer = parts->ring.producer();
    for (int value = 1; value <= 3; ++value) {
      kit::Plain<int>* place = producer.try_loan();
      for (; place == nullptr; place = producer.try_loan()) {
        kit::yield();
      }
      place->write(value);
      producer.publish();
    }
  };
  const auto consume = [parts] {
    auto consumer = parts->ring.consumer();
    for (int expected = 1; expected <= 3; ++expected) {
      const kit::Plain<int>* front = consumer.try_front();
      for (; front == nullptr; front = consumer.try_front()) {
        kit::yield();
      }
      kit::require(front->read() == expected, "a message is another than was sent");
      consumer.pop();
    }
  };
  return {.threads = {produce, consume}};
}

TEST(SequencedRingModel, loses_nothing_and_tears_nothing_in_any_schedule) {
  const kit::ScheduleReport report = kit::explore(three_through_two_slots);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
  EXPECT_GT(report.runs, 100U);
}

// A producer that comes after one that died, while the consumer goes on.
kit::Scenario a_second_producer() {
  auto parts = std::make_shared<Parts>();
  auto first = parts->ring.producer();
  first.try_loan()->write(1);
  first.publish();
  first.try_loan()->write(99);  // and it dies
  const auto produce = [parts] {
    auto producer = parts->ring.producer();
    for (int value = 2; value <= 3; ++value) {
      kit::Plain<int>* place = producer.try_loan();
      for (; place == nullptr; place = producer.try_loan()) {
        kit::yield();
      }
      place->write(value);
      producer.publish();
    }
  };
  const auto consume = [parts] {
    auto consumer = parts->ring.consumer();
    for (int expected = 1; expected <= 3; ++expected) {
      const kit::Plain<int>* front = consumer.try_front();
      for (; front == nullptr; front = consumer.try_front()) {
        kit::yield();
      }
      kit::require(front->read() == expected, "the second producer did not go on where the first had been");
      consumer.pop();
    }
  };
  return {.threads = {produce, consume}};
}

TEST(SequencedRingModel, goes_on_behind_what_a_dead_producer_sent) {
  const kit::ScheduleReport report = kit::explore(a_second_producer);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
}

}  // namespace

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

// A producer that sends the numbers from `first` to 3.
auto producer_from(int first, std::shared_ptr<Parts> parts) {
  return [first, parts] {
    auto producer = parts->ring.producer();
    for (int value = first; value <= 3; ++value) {
      kit::until([&] { return producer.try_loan(); })->write(value);
      producer.publish();
    }
  };
}

auto consumer_of_three(std::shared_ptr<Parts> parts) {
  return [parts] {
    auto consumer = parts->ring.consumer();
    for (int expected = 1; expected <= 3; ++expected) {
      kit::require(kit::until([&] { return consumer.try_front(); })->read() == expected,
                   "a message is another than was sent");
      consumer.pop();
    }
  };
}

kit::Scenario three_through_two_slots() {
  auto parts = std::make_shared<Parts>();
  return {.threads = {producer_from(1, parts), consumer_of_three(parts)}};
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
  return {.threads = {producer_from(2, parts), consumer_of_three(parts)}};
}

TEST(SequencedRingModel, goes_on_behind_what_a_dead_producer_sent) {
  const kit::ScheduleReport report = kit::explore(a_second_producer);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
}

}  // namespace

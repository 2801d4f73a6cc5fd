// The ring under the deterministic scheduler: every schedule with a few preemptions and old values.
#include <tenon/ring/draining_ring/draining_ring.hpp>

#include <kit/schedule.hpp>

#include <array>
#include <gtest/gtest.h>
#include <memory>

namespace {

using Ring = tenon::DrainingRing<kit::Plain<int>, kit::Atomic>;

struct Parts {
  Ring::Header header;
  std::array<kit::Plain<int>, 2> slots;
  Ring ring{header, slots, ~std::uint64_t{0}};  // its counts wrap
};

// The producer sends the first two as a batch.
kit::Scenario three_through_two_slots() {
  auto parts = std::make_shared<Parts>();
  const auto produce = [parts] {
    auto producer = parts->ring.producer();
    for (int value = 1; value <= 3; ++value) {
      kit::until([&] { return producer.try_loan(); })->write(value);
      producer.commit();
      if (value > 1) {
        producer.publish();
      }
    }
  };
  const auto consume = [parts] {
    auto consumer = parts->ring.consumer();
    for (int expected = 1; expected <= 3; ++expected) {
      kit::require(kit::until([&] { return consumer.try_front(); })->read() == expected,
                   "a message is another than was sent");
      consumer.pop();
    }
  };
  return {.threads = {produce, consume}};
}

TEST(DrainingRingModel, loses_nothing_and_tears_nothing_in_any_schedule) {
  const kit::ScheduleReport report = kit::explore(three_through_two_slots);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
  EXPECT_GT(report.runs, 100U);
}

}  // namespace

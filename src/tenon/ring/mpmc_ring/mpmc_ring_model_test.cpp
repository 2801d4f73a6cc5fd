// The ring under the deterministic scheduler: every schedule with a few preemptions and old values.
#include <tenon/ring/mpmc_ring/mpmc_ring.hpp>

#include <kit/schedule.hpp>

#include <array>
#include <gtest/gtest.h>
#include <memory>

namespace {

using Ring = tenon::MpmcRing<kit::Plain<int>, kit::Atomic>;

struct Parts {
  Ring::Header header;
  std::array<Ring::Slot, 2> slots;
  Ring ring{header, slots, ~std::uint64_t{0}};  // its numbers wrap
  std::array<kit::Atomic<int>, 8> received;
};

void push(Ring& ring, int value) {
  const auto claimed = kit::until([&] { return ring.try_loan(); });
  claimed->value->write(value);
  ring.publish(*claimed);
}

int pop(Ring& ring) {
  const auto claimed = kit::until([&] { return ring.try_take(); });
  const int value = claimed->value->read();
  ring.release(*claimed);
  return value;
}

kit::Scenario a_producer_and_two_consumers() {
  auto parts = std::make_shared<Parts>();
  const auto produce = [parts] {
    push(parts->ring, 1);
    push(parts->ring, 2);
  };
  const auto consume = [parts] { parts->received[static_cast<std::size_t>(pop(parts->ring))].fetch_add(1); };
  return {.threads = {produce, consume, consume}, .at_end = [parts] {
            kit::require(parts->received[1].load() == 1 && parts->received[2].load() == 1,
                         "each message reaches exactly one consumer");
          }};
}

TEST(MpmcRingModel, each_message_reaches_exactly_one_consumer_in_any_schedule) {
  const kit::ScheduleReport report = kit::explore(a_producer_and_two_consumers, {.stale_reads = 0});
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
  EXPECT_GT(report.runs, 100U);
}

kit::Scenario two_producers_and_a_consumer() {
  auto parts = std::make_shared<Parts>();
  const auto produce = [parts](int value) { return [parts, value] { push(parts->ring, value); }; };
  const auto consume = [parts] {
    for (int i = 0; i < 2; ++i) {
      parts->received[static_cast<std::size_t>(pop(parts->ring))].fetch_add(1);
    }
  };
  return {.threads = {produce(1), produce(2), consume}, .at_end = [parts] {
            kit::require(parts->received[1].load() == 1 && parts->received[2].load() == 1, "each message is sent once");
          }};
}

TEST(MpmcRingModel, each_message_is_sent_once_in_any_schedule) {
  const kit::ScheduleReport report = kit::explore(two_producers_and_a_consumer, {.stale_reads = 0});
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
}

// More messages than slots, so that slots are used again.
kit::Scenario three_through_two_slots() {
  auto parts = std::make_shared<Parts>();
  const auto produce = [parts] {
    for (int value = 1; value <= 3; ++value) {
      push(parts->ring, value);
    }
  };
  const auto consume = [parts] {
    for (int expected = 1; expected <= 3; ++expected) {
      kit::require(pop(parts->ring) == expected, "a message is another than was sent");
    }
  };
  return {.threads = {produce, consume}};
}

TEST(MpmcRingModel, slots_are_used_again_only_when_they_have_been_read) {
  const kit::ScheduleReport report = kit::explore(three_through_two_slots, {.stale_reads = 1});
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
}

}  // namespace

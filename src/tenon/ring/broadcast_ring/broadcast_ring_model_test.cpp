// The ring under the deterministic scheduler: every schedule with a few preemptions and old values. That a gate is
// stored only after the words have been loaded (S3) it cannot see: it never lets a load take what is stored later.
#include <tenon/ring/broadcast_ring/broadcast_ring.hpp>

#include <kit/schedule.hpp>

#include <array>
#include <gtest/gtest.h>
#include <memory>

namespace {

struct Pair {
  std::uint64_t one = 0;
  std::uint64_t same = 0;
};
using Ring = tenon::BroadcastRing<Pair, kit::Atomic>;

struct Parts {
  Ring::Header header;
  std::array<Ring::Slot, 2> slots;
  Ring ring{header, slots, ~std::uint64_t{0}};  // its numbers wrap
  Ring::Gate gate{~std::uint64_t{0}};
  std::array<const Ring::Gate*, 1> gates{&gate};
};

kit::Scenario a_lossy_consumer() {
  auto parts = std::make_shared<Parts>();
  const auto produce = [parts] {
    auto producer = parts->ring.producer();
    for (std::uint64_t i = 1; i <= 4; ++i) {
      kit::require(producer.try_publish({.one = i, .same = i}), "nobody holds it back");
    }
  };
  const auto consume = [parts] {
    auto consumer = parts->ring.lossy_consumer();
    const std::uint64_t begin = consumer.next() - ~std::uint64_t{0};  // how many it came too late for
    std::uint64_t received = 0;
    for (int looks = 0; looks < 4; ++looks) {
      Pair seen;
      if (consumer.try_receive(seen) == Ring::Seen::message) {
        ++received;
        kit::require(seen.one == seen.same, "a message is torn");
        kit::require(seen.one == begin + consumer.lost() + received, "a gap is not counted exactly");
      }
    }
  };
  return {.threads = {produce, consume}};
}

TEST(BroadcastRingModel, a_lossy_consumer_sees_whole_messages_and_counts_gaps_in_any_schedule) {
  const kit::ScheduleReport report = kit::explore(a_lossy_consumer);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
  EXPECT_GT(report.runs, 100U);
}

kit::Scenario a_gated_consumer() {
  auto parts = std::make_shared<Parts>();
  const auto produce = [parts] {
    auto producer = parts->ring.producer();
    producer.set_gates(parts->gates);
    for (std::uint64_t i = 1; i <= 3; ++i) {
      kit::until([&] { return producer.try_publish({.one = i, .same = i}); });
    }
  };
  const auto consume = [parts] {
    auto consumer = parts->ring.gated_consumer(parts->gate, ~std::uint64_t{0});
    for (std::uint64_t expected = 1; expected <= 3; ++expected) {
      Pair seen;
      Ring::Seen what = Ring::Seen::nothing;
      kit::until([&] { return (what = consumer.try_receive(seen)) != Ring::Seen::nothing; });
      kit::require(what == Ring::Seen::message, "a gated consumer was overtaken");
      kit::require(seen.one == expected && seen.same == expected, "a message is another than was sent");
    }
  };
  return {.threads = {produce, consume}};
}

TEST(BroadcastRingModel, a_gated_consumer_loses_nothing_in_any_schedule) {
  const kit::ScheduleReport report = kit::explore(a_gated_consumer, {.stale_reads = 1});
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
}

}  // namespace

// The ring under the deterministic scheduler: every schedule with a few preemptions and old values.
#include <tenon/ring/byte_ring/byte_ring.hpp>

#include <kit/schedule.hpp>

#include <array>
#include <gtest/gtest.h>
#include <memory>

namespace {

using Ring = tenon::ByteRing<kit::Atomic, kit::Plain<char>>;

struct Parts {
  Ring::Header header;
  std::array<kit::Plain<char>, 2> bytes;
  Ring ring{Ring::Ring(header, bytes, ~std::uint64_t{0})};
};

kit::Scenario abc_through_two_bytes() {
  auto parts = std::make_shared<Parts>();
  const auto write = [parts] {
    auto writer = parts->ring.writer();
    for (char letter = 'a'; letter <= 'c';) {
      const auto place = writer.writable(2);
      for (const auto run : {place.first, place.second}) {
        for (auto& byte : run) {
          byte.write(letter++);
        }
      }
      writer.commit(place.size());
      if (place.size() == 0) {
        kit::yield();
      }
    }
  };
  const auto read = [parts] {
    auto reader = parts->ring.reader();
    for (char expected = 'a'; expected <= 'c';) {
      const auto there = reader.readable(2);
      for (const auto run : {there.first, there.second}) {
        for (const auto& byte : run) {
          kit::require(byte.read() == expected++, "a byte is another than was written");
        }
      }
      reader.consume(there.size());
      if (there.size() == 0) {
        kit::yield();
      }
    }
  };
  return {.threads = {write, read}};
}

TEST(ByteRingModel, loses_nothing_and_tears_nothing_in_any_schedule) {
  const kit::ScheduleReport report = kit::explore(abc_through_two_bytes);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
  EXPECT_GT(report.runs, 100U);
}

}  // namespace

// The lock under the deterministic scheduler: every schedule with a few preemptions and old values.
#include <tenon/ring/sequence_lock/sequence_lock.hpp>

#include <kit/schedule.hpp>

#include <array>
#include <gtest/gtest.h>
#include <memory>

namespace {

struct Pair {
  std::uint64_t one = 0;
  std::uint64_t same = 0;
};
using Lock = tenon::SequenceLock<Pair, kit::Atomic>;

kit::Scenario one_writer_and_one_reader() {
  auto lock = std::make_shared<Lock>();
  const auto write = [lock] {
    for (std::uint64_t i = 1; i <= 3; ++i) {
      lock->write({.one = i, .same = i});
    }
  };
  const auto read = [lock] {
    std::uint64_t last = 0;
    for (int looks = 0; looks < 2; ++looks) {
      Pair seen;
      if (lock->try_read(seen)) {
        kit::require(seen.one == seen.same, "a value is torn");
        kit::require(seen.one >= last, "a value older than the last was seen");
        last = seen.one;
      }
    }
  };
  return {.threads = {write, read}};
}

TEST(SequenceLockModel, values_are_whole_and_never_go_back_in_any_schedule) {
  const kit::ScheduleReport report = kit::explore(one_writer_and_one_reader);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
  EXPECT_GT(report.runs, 100U);
}

// A single store beside it overtakes no reader: only the beginning of a second one does.
kit::Scenario one_store() {
  auto lock = std::make_shared<Lock>();
  lock->write({.one = 1, .same = 1});
  const auto write = [lock] { lock->write({.one = 2, .same = 2}); };
  const auto read = [lock] {
    Pair seen;
    kit::require(lock->try_read(seen), "one store has overtaken a reader");
    kit::require(seen.one == seen.same && seen.one >= 1, "a value is torn");
  };
  return {.threads = {write, read}};
}

TEST(SequenceLockModel, one_store_overtakes_no_reader) {
  const kit::ScheduleReport report = kit::explore(one_store);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
}

// Four copies of two words, as a blackboard has them; the reader takes the value before the newest too.
struct FourCopies {
  kit::Atomic<std::uint64_t> state{0};
  std::array<kit::Atomic<std::uint64_t>, 8> words{};
  tenon::SequencedCopies<kit::Atomic> copies{state, words.data(), 2, 4};

  void write(std::uint64_t value) {
    copies.write(2, [value](std::size_t) { return value; });
  }
  // 0 if it was overtaken.
  std::uint64_t read(std::uint64_t number) {
    std::array<std::uint64_t, 2> seen{};
    const bool whole = copies.read(number, 2, [&](std::size_t i, std::uint64_t word) { seen[i] = word; });
    kit::require(!whole || seen[0] == seen[1], "a value is torn");
    kit::require(!whole || seen[0] == number, "a value is another's");
    return whole ? seen[0] : 0;
  }
};

kit::Scenario a_writer_of_four_copies() {
  auto four = std::make_shared<FourCopies>();
  four->write(1);
  four->write(2);
  const auto write = [four] {
    for (std::uint64_t i = 3; i <= 5; ++i) {
      four->write(i);
    }
  };
  const auto read = [four] {
    const std::uint64_t newest = four->copies.number();
    four->read(newest);
    four->read(newest - 1);
  };
  return {.threads = {write, read}};
}

TEST(SequencedCopiesModel, values_are_whole_and_their_own_in_any_schedule) {
  const kit::ScheduleReport report = kit::explore(a_writer_of_four_copies);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
  EXPECT_GT(report.runs, 100U);
}

// Neither two values nor the beginning of a third overtake a reader.
kit::Scenario two_values() {
  auto four = std::make_shared<FourCopies>();
  four->write(1);
  const auto write = [four] {
    four->write(2);
    four->write(3);
  };
  const auto read = [four] {
    kit::require(four->read(four->copies.number()) != 0, "two values have overtaken a reader");
  };
  return {.threads = {write, read}};
}

TEST(SequencedCopiesModel, two_values_overtake_no_reader_of_four_copies) {
  const kit::ScheduleReport report = kit::explore(two_values);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
}

}  // namespace

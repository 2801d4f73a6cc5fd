// The lock under the deterministic scheduler: every schedule with a few preemptions and old values.
#include <tenon/ring/sequence_lock/sequence_lock.hpp>

#include <kit/schedule.hpp>

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

}  // namespace

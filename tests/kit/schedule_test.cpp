#include <kit/schedule.hpp>

#include <atomic>
#include <gtest/gtest.h>
#include <memory>

namespace {

using kit::Atomic;
using kit::explore;
using kit::Plain;
using kit::require;
using kit::Scenario;
using kit::ScheduleOptions;
using kit::ScheduleReport;
using std::memory_order;

/// One slot between one producer and one consumer, written as lock-free code is: the atomic type is a parameter.
template <class Payload, template <class> class AtomicType = std::atomic>
class Slot {
 public:
  explicit Slot(memory_order publish = memory_order::release) : publish_(publish) {}

  bool try_push(int value) noexcept {
    if (full_.load(memory_order::acquire)) {
      return false;
    }
    payload_.write(value);
    full_.store(true, publish_);
    return true;
  }
  bool try_pop(int& value) noexcept {
    if (!full_.load(memory_order::acquire)) {
      return false;
    }
    value = payload_.read();
    full_.store(false, memory_order::release);
    return true;
  }

 private:
  memory_order publish_;
  AtomicType<bool> full_{false};
  Payload payload_;
};

Scenario two_through(memory_order publish) {
  auto slot = std::make_shared<Slot<Plain<int>, Atomic>>(publish);
  return {.threads = {[slot] {
                        for (int value = 1; value <= 2; ++value) {
                          while (!slot->try_push(value)) {
                            kit::yield();
                          }
                        }
                      },
                      [slot] {
                        for (int expected = 1; expected <= 2; ++expected) {
                          int value = 0;
                          while (!slot->try_pop(value)) {
                            kit::yield();
                          }
                          require(value == expected, "a value was lost");
                        }
                      }}};
}

TEST(Schedule, passes_a_slot_that_is_right) {
  const ScheduleReport report = explore([] { return two_through(memory_order::release); });
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
  EXPECT_GT(report.runs, 100U);
}

TEST(Schedule, finds_a_missing_release) {
  const ScheduleReport report = explore([] { return two_through(memory_order::relaxed); });
  EXPECT_FALSE(report.passed()) << report.message();
  EXPECT_NE(report.failure.find("data race"), std::string::npos) << report.message();
}

/// The same with relaxed words for the payload, as a ring whose slots are read optimistically has them.
Scenario message_passing(memory_order publish, memory_order receive) {
  struct Words {
    Atomic<int> data{0};
    Atomic<int> flag{0};
  };
  auto words = std::make_shared<Words>();
  return {.threads = {[words, publish] {
                        words->data.store(1, memory_order::relaxed);
                        words->flag.store(1, publish);
                      },
                      [words, receive] {
                        if (words->flag.load(receive) == 1) {
                          require(words->data.load(memory_order::relaxed) == 1, "the flag came before the data");
                        }
                      }}};
}

TEST(Schedule, finds_a_missing_acquire) {
  EXPECT_TRUE(explore([] { return message_passing(memory_order::release, memory_order::acquire); }).passed());
  EXPECT_FALSE(explore([] { return message_passing(memory_order::release, memory_order::relaxed); }).passed());
  EXPECT_FALSE(explore([] { return message_passing(memory_order::relaxed, memory_order::acquire); }).passed());
}

/// Each raises its flag and looks at the other's: at least one must see the other.
Scenario dekker(memory_order access, memory_order fence) {
  struct Words {
    Atomic<int> mine[2] = {0, 0};
    int seen[2] = {0, 0};
  };
  auto words = std::make_shared<Words>();
  auto body = [words, access, fence](int self) {
    return [=] {
      words->mine[self].store(1, access);
      thread_fence(words->mine[self], fence);
      words->seen[self] = words->mine[1 - self].load(access);
    };
  };
  return {.threads = {body(0), body(1)},
          .at_end = [words] { require(words->seen[0] + words->seen[1] > 0, "neither saw the other"); }};
}

TEST(Schedule, finds_dekker_without_its_fence) {
  const ScheduleReport with = explore([] { return dekker(memory_order::relaxed, memory_order::seq_cst); });
  EXPECT_TRUE(with.passed()) << with.message();
  EXPECT_TRUE(with.exhaustive);
  const ScheduleReport without = explore([] { return dekker(memory_order::relaxed, memory_order::acq_rel); });
  EXPECT_EQ(without.failure, "neither saw the other");
  EXPECT_TRUE(explore([] { return dekker(memory_order::seq_cst, memory_order::relaxed); }).passed());
}

TEST(Schedule, finds_it_at_random_too) {
  const ScheduleOptions random{.random_runs = 2000, .seed = 7};
  EXPECT_TRUE(explore([] { return dekker(memory_order::relaxed, memory_order::seq_cst); }, random).passed());
  EXPECT_FALSE(explore([] { return dekker(memory_order::relaxed, memory_order::acq_rel); }, random).passed());
}

TEST(Schedule, replays_what_it_printed) {
  auto make = [] { return dekker(memory_order::relaxed, memory_order::acq_rel); };
  for (const ScheduleOptions& options : {ScheduleOptions{}, ScheduleOptions{.random_runs = 2000}}) {
    const ScheduleReport found = explore(make, options);
    ASSERT_FALSE(found.passed());
    const ScheduleReport again = explore(make, ScheduleOptions{.replay = found.schedule});
    EXPECT_EQ(again.runs, 1U);
    EXPECT_EQ(again.failure, found.failure);
    EXPECT_EQ(again.schedule, found.schedule);
  }
}

Scenario two_additions(bool atomically) {
  auto count = std::make_shared<Atomic<int>>(0);
  auto add = [=] {
    if (atomically) {
      count->fetch_add(1);
    } else {
      count->store(count->load() + 1);
    }
  };
  return {.threads = {add, add}, .at_end = [=] { require(count->load() == 2, "an addition was lost"); }};
}

TEST(Schedule, finds_an_addition_in_two_steps) {
  EXPECT_TRUE(explore([] { return two_additions(true); }).passed());
  EXPECT_FALSE(explore([] { return two_additions(false); }).passed());
  EXPECT_TRUE(explore([] { return two_additions(false); }, ScheduleOptions{.preemptions = 0}).passed());
}

TEST(Schedule, makes_weak_exchanges_fail_for_no_reason) {
  auto once = [] {
    auto word = std::make_shared<Atomic<int>>(0);
    return Scenario{.threads = {[=] {
                      int expected = 0;
                      require(word->compare_exchange_weak(expected, 1), "it was not tried again");
                    }}};
  };
  EXPECT_EQ(explore(once).failure, "it was not tried again");
}

TEST(Schedule, finds_a_loop_that_never_ends) {
  auto forever = [] {
    auto word = std::make_shared<Atomic<int>>(0);
    return Scenario{.threads = {[=] {
                      while (word->load() == 0) {
                        kit::yield();
                      }
                    }}};
  };
  EXPECT_EQ(explore(forever).failure, "it does not come to an end");
}

TEST(Schedule, finds_a_write_under_a_reader) {
  auto racing = [] {
    auto data = std::make_shared<Plain<int>>(0);
    return Scenario{.threads = {[=] { (void)data->read(); }, [=] { data->write(1); }}};
  };
  EXPECT_NE(explore(racing).failure.find("data race"), std::string::npos);
}

/// A read-modify-write continues the release sequence: whoever acquires it sees what the first released.
TEST(Schedule, keeps_release_sequences) {
  auto chain = [] {
    struct Words {
      Plain<int> data;
      Atomic<int> turn{0};
    };
    auto words = std::make_shared<Words>();
    return Scenario{.threads = {[=] {
                                  words->data.write(1);
                                  words->turn.store(1, memory_order::release);
                                },
                                [=] { words->turn.fetch_add(1, memory_order::relaxed); },
                                [=] {
                                  if (words->turn.load(memory_order::acquire) == 2) {
                                    require(words->data.read() == 1, "the release was lost");
                                  }
                                }}};
  };
  const ScheduleReport report = explore(chain);
  EXPECT_TRUE(report.passed()) << report.message();
}

TEST(Schedule, uses_the_code_as_it_ships) {
  struct Plainly {
    int value = 0;
    void write(int to) { value = to; }
    int read() const { return value; }
  };
  Slot<Plainly> slot;
  int value = 0;
  EXPECT_TRUE(slot.try_push(5));
  EXPECT_FALSE(slot.try_push(6));
  EXPECT_TRUE(slot.try_pop(value));
  EXPECT_EQ(value, 5);
}

}  // namespace

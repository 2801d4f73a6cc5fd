#include <tenon/sync/condition.hpp>

#include <kit/asleep.hpp>
#include <kit/shared.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/stop.hpp>

#include <chrono>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

struct Guarded {
  Mutex mutex;
  Condition changed;
  int value = 0;
  int waiting = 0;

  MutexGuard lock() { return mutex.lock(never).or_throw(); }
  void wait_for(int wanted) {
    MutexGuard guard = lock();
    ++waiting;
    changed.wait_until(guard, [&] { return value >= wanted; }, never).or_throw();
  }
  void set(int to) {
    {
      const MutexGuard guard = lock();
      value = to;
    }
    changed.notify_all();
  }
  // Who waits has gone to sleep or is about to: the mutex is free while the count says so.
  void await_waiters(int count) {
    while (waiting_now() < count) {
      std::this_thread::yield();
    }
  }
  int waiting_now() {
    const MutexGuard guard = lock();
    return waiting;
  }
};

std::vector<kit::Side> waiters(const kit::Shared<Guarded>& shared, int count) {
  std::vector<kit::Side> sides;
  for (int i = 0; i < count; ++i) {
    sides.push_back({"waiter " + std::to_string(i), [&](kit::Stage&) { shared->wait_for(1); }});
  }
  return sides;
}

TEST(Condition, wakes_all_processes_that_wait_for_it) {
  const kit::Shared<Guarded> shared;
  kit::Sides sides(waiters(shared, 3));
  shared->await_waiters(3);
  shared->set(1);
  sides.finish();
}

TEST(Condition, two_processes_take_turns_by_it) {
  constexpr int rounds = 500;
  const kit::Shared<Guarded> shared;
  auto play = [&](int parity) {
    return [&, parity](kit::Stage&) {
      for (int round = 0; round < rounds; ++round) {
        {
          MutexGuard guard = shared->lock();
          shared->changed.wait_until(guard, [&] { return shared->value % 2 == parity; }, never).or_throw();
          ++shared->value;
        }
        shared->changed.notify_one();
      }
    };
  };
  kit::run_sides({{"even", play(0)}, {"odd", play(1)}});
  EXPECT_EQ(shared->value, 2 * rounds);
}

// F43
TEST(Condition, waiters_that_were_killed_asleep_are_in_nobodys_way) {
  const kit::Watchdog watchdog("notifying past the dead");
  const kit::Shared<Guarded> shared;
  {
    kit::Sides sides(waiters(shared, 3));
    shared->await_waiters(3);
    for (int i = 0; i < 3; ++i) {
      sides.side("waiter " + std::to_string(i)).kill();
    }
    sides.finish();
  }
  shared->changed.notify_one();
  shared->changed.notify_all();
  kit::Sides sides(waiters(shared, 2));
  shared->await_waiters(5);
  shared->set(1);
  sides.finish();
}

// F44
TEST(Condition, a_change_whose_notifier_died_before_the_wake_is_found_within_a_recheck) {
  const kit::Watchdog watchdog("a wait that nobody ends");
  const kit::Shared<Guarded> shared;
  kit::Sides sides(waiters(shared, 1));
  shared->await_waiters(1);
  {
    const MutexGuard guard = shared->lock();
    shared->value = 1;
  }
  sides.finish();
}

TEST(Condition, whose_mutexs_owner_died_says_so_and_holds_it) {  // F37
  const kit::Watchdog watchdog("a wait beside a death");
  const kit::Shared<Guarded> shared;
  MutexGuard guard = shared->lock();
  kit::Sides sides({{"owner", [&](kit::Stage& stage) {
                       const MutexGuard own = shared->lock();
                       shared->changed.notify_all();
                       stage.signal("held");
                       stage.await("never");
                     }}});
  std::thread killer([&] {
    sides.stage().await("held");
    sides.side("owner").kill();
  });
  Result<void> waited;
  while (waited) {
    waited = shared->changed.wait(guard, never);
  }
  killer.join();
  EXPECT_TRUE(waited.failed_with(Errc::owner_died));
  EXPECT_TRUE(guard.owner_died());
  guard.mark_consistent();
  EXPECT_TRUE(shared->changed.wait(guard, after(1ms)).failed_with(Errc::timed_out));
}

TEST(Condition, whose_mutex_is_not_recoverable_says_so_and_holds_nothing) {  // F38
  const kit::Watchdog watchdog("a wait with a mutex that is lost");
  const kit::Shared<Guarded> shared;
  MutexGuard guard = shared->lock();
  std::thread careless([&] {
    kit::run_sides({{"owner", [&](kit::Stage&) {
                       new MutexGuard(shared->lock());  // it ends with it
                     }}});
    (void)shared->mutex.lock(never);  // unlocked without a word
  });
  Result<void> waited;
  while (waited || waited.failed_with(Errc::owner_died)) {
    if (guard.owner_died()) {
      guard = shared->lock();
    }
    waited = shared->changed.wait(guard, never);
  }
  careless.join();
  EXPECT_TRUE(waited.failed_with(Errc::not_recoverable));
  EXPECT_FALSE(guard.holds());
}

TEST(Condition, a_sequence_that_wraps_has_changed) {  // F49
  const kit::Watchdog watchdog("a wait across the wrap");
  const kit::Shared<Guarded> shared;
  const std::uint32_t late = UINT32_MAX - 2;
  std::memcpy(static_cast<void*>(&shared->changed), &late, sizeof late);
  for (int round = 1; round <= 6; ++round) {
    kit::Sides sides({{"waiter", [&](kit::Stage&) { shared->wait_for(round); }}});
    shared->await_waiters(round);
    shared->set(round);
    sides.finish();
  }
}

TEST(Condition, keeps_its_deadline_under_signals_and_holds_the_mutex_then) {  // F71
  const kit::Watchdog watchdog("a wait that nobody ends");
  const kit::Shared<Guarded> shared;
  const kit::SignalStorm storm;
  MutexGuard guard = shared->lock();
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(shared->changed.wait_until(guard, [] { return false; }, after(120ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 120ms);
  EXPECT_TRUE(guard.holds());
  EXPECT_TRUE(shared->mutex.try_lock().failed_with(Errc::would_block));
}

TEST(Condition, that_has_come_true_counts_although_the_deadline_has_passed) {  // F54
  const kit::Shared<Guarded> shared;
  MutexGuard guard = shared->lock();
  EXPECT_TRUE(shared->changed.wait_until(guard, [] { return true; }, immediately));
  EXPECT_TRUE(shared->changed.wait(guard, immediately).failed_with(Errc::timed_out));
  EXPECT_TRUE(shared->changed.wait(guard, after(-1h)).failed_with(Errc::timed_out));
}

TEST(Condition, waiting_is_stopped) {
  const kit::Watchdog watchdog("a stopped wait returns");
  const kit::Shared<Guarded> shared;
  Stop stop = Stop::create().or_throw();
  std::jthread waiter = kit::thread_asleep_in([&] {
    MutexGuard guard = shared->lock();
    EXPECT_TRUE(
        shared->changed.wait_until(guard, [] { return false; }, never.or_stop(stop)).failed_with(Errc::stopped));
    EXPECT_TRUE(guard.holds());
  });
  stop.request();
  waiter.join();
}

TEST(Condition, waiting_takes_next_to_no_processor_time) {
  const kit::Shared<Guarded> shared;
  MutexGuard guard = shared->lock();
  const std::int64_t before = processor_time();
  EXPECT_TRUE(shared->changed.wait_until(guard, [] { return false; }, after(300ms)).failed_with(Errc::timed_out));
  EXPECT_LT(processor_time() - before, 30'000'000) << "a tenth of what a wait that spins would take";
}

TEST(ConditionDeathTest, of_a_guard_that_was_not_repaired_is_a_broken_contract) {
  const kit::Shared<Guarded> shared;
  kit::run_sides({{"owner", [&](kit::Stage&) { new MutexGuard(shared->lock()); }}});
  MutexGuard guard = shared->lock();
  EXPECT_DEATH((void)shared->changed.wait(guard, immediately), "repaired and marked");
  guard.mark_consistent();
}

}  // namespace

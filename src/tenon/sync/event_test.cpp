#include <tenon/sync/event.hpp>

#include <kit/asleep.hpp>
#include <kit/shared.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/stop.hpp>

#include <atomic>
#include <chrono>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

struct Manual {
  Event event{Event::Reset::manual};
  std::atomic<int> through = 0;
};
struct Automatic {
  Event event{Event::Reset::automatic};
  std::atomic<int> through = 0;
};

// Faster than anybody could look in between, and without a wake.
void set_and_reset(const kit::Shared<Manual>& shared) {
  std::atomic_ref(*reinterpret_cast<std::uint32_t*>(shared.bytes().data())) += 2;  // set once more, and not set now
}

TEST(Event, that_is_manual_lets_all_through_until_it_is_reset) {
  const kit::Watchdog watchdog("an event that is set");
  const kit::Shared<Manual> shared;
  EXPECT_TRUE(shared->event.try_wait().failed_with(Errc::would_block));
  auto wait = [&](kit::Stage&) { shared->event.wait(never).or_throw(); };
  kit::Sides sides({{"a", wait}, {"b", wait}, {"c", wait}});
  shared->event.set();
  sides.finish();
  EXPECT_TRUE(shared->event.is_set());
  EXPECT_TRUE(shared->event.wait(immediately));
  shared->event.reset();
  EXPECT_FALSE(shared->event.is_set());
  EXPECT_TRUE(shared->event.wait(immediately).failed_with(Errc::timed_out));
}

TEST(Event, that_is_manual_and_reset_at_once_has_let_those_through_who_waited) {
  const kit::Watchdog watchdog("set and reset");
  const kit::Shared<Manual> shared;
  const std::jthread waiter = kit::thread_asleep_in([&] { shared->event.wait(never).or_throw(); });
  set_and_reset(shared);
}

TEST(Event, that_is_automatic_lets_one_through_each_time) {
  const kit::Watchdog watchdog("an event that resets itself");
  const kit::Shared<Automatic> shared;
  auto wait = [&](kit::Stage&) {
    shared->event.wait(never).or_throw();
    ++shared->through;
  };
  kit::Sides sides({{"a", wait}, {"b", wait}, {"c", wait}});
  for (int round = 1; round <= 3; ++round) {
    shared->event.set();
    while (shared->through < round) {
      std::this_thread::yield();
    }
    EXPECT_EQ(shared->through, round);
    EXPECT_FALSE(shared->event.is_set());
  }
  sides.finish();
  shared->event.set();
  shared->event.set();
  EXPECT_TRUE(shared->event.try_wait());
  EXPECT_TRUE(shared->event.try_wait().failed_with(Errc::would_block)) << "set twice, it is set";
}

TEST(Event, publishes_what_was_done_before_it_was_set) {
  const kit::Watchdog watchdog("an event with a value");
  const kit::Shared<Automatic> shared;
  const kit::Shared<Automatic> back;
  const kit::Shared<int> value;
  kit::Sides sides({{"reader", [&](kit::Stage&) {
                       for (int i = 1; i <= 1000; ++i) {
                         shared->event.wait(never).or_throw();
                         ASSERT_EQ(*value, i);
                         back->event.set();
                       }
                     }}});
  for (int i = 1; i <= 1000; ++i) {
    *value = i;
    shared->event.set();
    back->event.wait(never).or_throw();
  }
  sides.finish();
}

// F43
TEST(Event, waiters_that_were_killed_asleep_are_in_nobodys_way) {
  const kit::Watchdog watchdog("setting past the dead");
  const kit::Shared<Automatic> shared;
  {
    auto wait = [&](kit::Stage& stage) {
      stage.signal("waiting");
      shared->event.wait(never).or_throw();
    };
    kit::Sides sides({{"a", wait}, {"b", wait}});
    sides.stage().await("waiting", 2);
    sides.side("a").kill();
    sides.side("b").kill();
    sides.finish();
  }
  std::thread waiter([&] { shared->event.wait(never).or_throw(); });
  shared->event.set();
  waiter.join();
}

// F44
TEST(Event, set_by_one_that_died_before_the_wake_is_found_within_a_recheck) {
  const kit::Watchdog watchdog("a set without a wake");
  const kit::Shared<Manual> shared;
  kit::Sides sides({{"waiter", [&](kit::Stage& stage) {
                       stage.signal("waiting");
                       shared->event.wait(never).or_throw();
                     }}});
  sides.stage().await("waiting");
  std::atomic_ref(*reinterpret_cast<std::uint32_t*>(shared.bytes().data())) = 3;  // what set() stores first
  sides.finish();
}

TEST(Event, whose_times_wrap_lets_through_who_waits) {  // F49
  const kit::Watchdog watchdog("a wait across the wrap");
  const kit::Shared<Manual> shared;
  const std::uint32_t state = UINT32_MAX - 1 - 2 * 3;  // three times before the last
  std::memcpy(shared.bytes().data(), &state, sizeof state);
  for (int round = 0; round < 6; ++round) {
    const std::jthread waiter = kit::thread_asleep_in([&] { shared->event.wait(never).or_throw(); });
    set_and_reset(shared);
  }
}

TEST(Event, keeps_its_deadline_under_signals_and_is_stopped) {  // F54 F71
  const kit::Watchdog watchdog("an event that nobody sets");
  const kit::Shared<Automatic> shared;
  {
    const kit::SignalStorm storm;
    const auto begin = Deadline::Clock::now();
    EXPECT_TRUE(shared->event.wait(after(120ms)).failed_with(Errc::timed_out));
    EXPECT_GE(Deadline::Clock::now() - begin, 120ms);
  }
  Stop stop = Stop::create().or_throw();
  std::jthread waiter =
      kit::thread_asleep_in([&] { EXPECT_TRUE(shared->event.wait(never.or_stop(stop)).failed_with(Errc::stopped)); });
  stop.request();
  waiter.join();
  shared->event.set();
  EXPECT_TRUE(shared->event.wait(never.or_stop(stop)).failed_with(Errc::stopped)) << "although it is set";
  EXPECT_TRUE(shared->event.try_wait()) << "who was stopped has not taken it";
}

}  // namespace

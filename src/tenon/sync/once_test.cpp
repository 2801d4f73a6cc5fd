#include <tenon/sync/once.hpp>

#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/stop.hpp>

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

struct Initialised {
  Once once;
  std::atomic<int> runs = 0;
  int value = 0;
};

TEST(Once, is_run_by_exactly_one_of_many_processes_and_seen_by_all) {
  const kit::Shared<Initialised> shared;
  auto come = [&](kit::Stage& stage) {
    stage.barrier();
    const bool mine = shared->once
                          .run(
                              [&]() -> Result<void> {
                                ++shared->runs;
                                shared->value = 17;
                                return {};
                              },
                              never)
                          .or_throw();
    EXPECT_EQ(shared->value, 17);
    EXPECT_LE(mine, shared->runs == 1);
  };
  kit::run_sides({{"a", come}, {"b", come}, {"c", come}, {"d", come}});
  EXPECT_EQ(shared->runs, 1);
  EXPECT_TRUE(shared->once.is_done());
}

// F37
TEST(Once, whose_runner_dies_in_it_is_run_by_the_next) {
  const kit::Watchdog watchdog("a second runner");
  const kit::Shared<Initialised> shared;
  kit::Sides sides({{"first",
                     [&](kit::Stage& stage) {
                       (void)shared->once.run(
                           [&]() -> Result<void> {
                             shared->value = -1;
                             stage.signal("half-way");
                             stage.await("never");
                             return {};
                           },
                           never);
                     }},
                    {"second", [&](kit::Stage& stage) {
                       stage.await("half-way");
                       stage.signal("comes");
                       EXPECT_TRUE(shared->once
                                       .run(
                                           [&]() -> Result<void> {
                                             EXPECT_EQ(shared->value, -1);
                                             shared->value = 17;
                                             return {};
                                           },
                                           never)
                                       .or_throw());
                     }}});
  sides.stage().await("comes");
  EXPECT_FALSE(shared->once.is_done());
  sides.side("first").kill();
  sides.finish();
  EXPECT_TRUE(shared->once.is_done());
  EXPECT_EQ(shared->value, 17);
  EXPECT_FALSE(shared->once.run([]() -> Result<void> { return fail(Errc::corrupt); }, never).or_throw());
}

TEST(Once, that_failed_is_not_done_and_tried_again) {
  const kit::Shared<Initialised> shared;
  EXPECT_TRUE(
      shared->once.run([]() -> Result<void> { return fail(Errc::no_space); }, never).failed_with(Errc::no_space));
  EXPECT_FALSE(shared->once.is_done());
  EXPECT_THROW((void)shared->once.run([]() -> Result<void> { throw 1; }, never), int);
  EXPECT_FALSE(shared->once.is_done());
  EXPECT_TRUE(shared->once.run([]() -> Result<void> { return {}; }, never).or_throw());
}

TEST(Once, that_somebody_else_is_at_keeps_the_deadline_and_is_stopped) {  // F54
  const kit::Watchdog watchdog("somebody else initialises");
  const kit::Shared<Initialised> shared;
  const auto nothing = []() -> Result<void> { return {}; };
  kit::Sides sides({{"first", [&](kit::Stage& stage) {
                       (void)shared->once.run(
                           [&]() -> Result<void> {
                             stage.signal("at it");
                             stage.await("go on");
                             return {};
                           },
                           never);
                     }}});
  sides.stage().await("at it");
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(shared->once.run(nothing, after(20ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 20ms);
  Stop stop = Stop::create().or_throw();
  stop.request();
  EXPECT_TRUE(shared->once.run(nothing, never.or_stop(stop)).failed_with(Errc::stopped));
  sides.stage().signal("go on");
  sides.finish();
  EXPECT_FALSE(shared->once.run(nothing, immediately).or_throw());
}

}  // namespace

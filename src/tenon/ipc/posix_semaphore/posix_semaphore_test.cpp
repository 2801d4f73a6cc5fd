// What holds for a semaphore wherever it stands; here it stands in memory that children share.
#include <tenon/ipc/posix_semaphore/posix_semaphore.hpp>
#include <tenon/ipc/posix_semaphore/unnamed_semaphore.hpp>

#include <kit/asleep.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/stop.hpp>

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::HasSubstr;

/// A place in shared memory, and the semaphore in it.
struct Place {
  explicit Place(unsigned value) : semaphore(UnnamedSemaphore::create(memory.bytes(), value).or_throw()) {}
  kit::Shared<sem_t> memory;
  UnnamedSemaphore semaphore;
};

// Its count, where the GNU C library keeps it on 64-bit machines.
std::atomic<std::uint32_t>& count_word(const PosixSemaphore& semaphore) {
  return *reinterpret_cast<std::atomic<std::uint32_t>*>(semaphore.native());
}

TEST(PosixSemaphore, counts_what_is_posted_and_taken) {
  Place place(2);
  PosixSemaphore& semaphore = place.semaphore;
  EXPECT_EQ(semaphore.value(), 2U);
  EXPECT_TRUE(semaphore.wait(never));
  EXPECT_TRUE(semaphore.try_wait());
  EXPECT_EQ(semaphore.value(), 0U);
  const auto empty = semaphore.try_wait();
  EXPECT_TRUE(empty.failed_with(Errc::would_block));
  EXPECT_EQ(empty.error().message(), "sem_trywait: would block");
  EXPECT_TRUE(semaphore.post());
  EXPECT_EQ(semaphore.value(), 1U);
  EXPECT_TRUE(semaphore.wait(immediately)) << "a deadline that has passed takes what is there";
}

TEST(PosixSemaphore, lets_a_waiter_go_on_when_another_process_posts) {
  Place place(0);
  const kit::Shared<std::atomic<bool>> done;
  kit::run_sides({{"waiter",
                   [&](kit::Stage& stage) {
                     stage.signal("waiting");
                     EXPECT_TRUE(place.semaphore.wait(never));
                     EXPECT_TRUE(*done);
                   }},
                  {"poster", [&](kit::Stage& stage) {
                     stage.await("waiting");
                     *done = true;
                     EXPECT_TRUE(place.semaphore.post());
                   }}});
  EXPECT_EQ(place.semaphore.value(), 0U);
}

TEST(PosixSemaphore, lets_as_many_in_as_it_counts_and_no_more) {
  constexpr int permits = 3;
  Place place(permits);
  const kit::Shared<std::atomic<int>> inside;
  const kit::Shared<std::atomic<int>> rounds;
  auto work = [&](kit::Stage& stage) {
    stage.barrier();
    for (int i = 0; i < 200; ++i) {
      place.semaphore.wait(never).or_throw();
      EXPECT_LE(++*inside, permits);
      std::this_thread::yield();
      --*inside;
      ++*rounds;
      place.semaphore.post().or_throw();
    }
  };
  kit::run_sides(std::vector<kit::Side>(6, {"worker", work}));
  EXPECT_EQ(*rounds, 1200);
  EXPECT_EQ(place.semaphore.value(), 3U);
}

TEST(PosixSemaphore, may_be_used_by_many_threads_at_once) {
  Place place(1);
  std::atomic<int> inside = 0;
  std::atomic<int> entered = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        place.semaphore.wait(never).or_throw();
        EXPECT_EQ(inside.fetch_add(1), 0);
        ++entered;
        inside.fetch_sub(1);
        place.semaphore.post().or_throw();
        (void)place.semaphore.value();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(entered, 2000);
}

TEST(PosixSemaphore, past_its_maximum_is_a_limit_reached_and_stays_as_it_was) {  // F48
  Place place(PosixSemaphore::most);
  const auto refused = place.semaphore.post();
  ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
  ASSERT_NE(refused.error().limit(), nullptr);
  EXPECT_EQ(refused.error().limit()->name, "SEM_VALUE_MAX");
  EXPECT_EQ(refused.error().limit()->value, 2147483647U);
  EXPECT_EQ(refused.error().limit()->wanted, 2147483648U);
  EXPECT_THAT(refused.error().message(), HasSubstr("somebody posts more often than anybody waits"));
  EXPECT_EQ(place.semaphore.value(), PosixSemaphore::most);
  EXPECT_TRUE(place.semaphore.wait(never));
  EXPECT_TRUE(place.semaphore.post());
}

// F44: a poster that is killed between its add and its wake leaves just this: a count, and a sleeper that nobody wakes.
TEST(PosixSemaphore, a_post_whose_wake_never_comes_is_found_within_a_recheck) {
  const kit::Watchdog watchdog("the sleeper looks again");
  for (const Deadline deadline : {never, after(1h)}) {
    Place place(0);
    kit::ReportedChild sleeper("sleeper", [&] { EXPECT_TRUE(place.semaphore.wait(deadline)); });
    kit::until_asleep(sleeper.process().pid());
    count_word(place.semaphore) = 1;
    EXPECT_TRUE(sleeper.finish(never));
    EXPECT_EQ(place.semaphore.value(), 0U);
  }
}

TEST(PosixSemaphore, a_waiter_killed_in_its_sleep_takes_nothing_with_it) {  // F43
  Place place(0);
  kit::ReportedChild doomed("doomed", [&] { (void)place.semaphore.wait(never); });
  kit::until_asleep(doomed.process().pid());
  doomed.kill();
  (void)doomed.finish(never);
  kit::ReportedChild survivor("survivor", [&] { EXPECT_TRUE(place.semaphore.wait(never)); });
  kit::until_asleep(survivor.process().pid());
  EXPECT_TRUE(place.semaphore.post());
  EXPECT_TRUE(survivor.finish(never));
  EXPECT_EQ(place.semaphore.value(), 0U);
}

// F45: the permit is gone with its holder, as POSIX has it; the deadline is what tells the others.
TEST(PosixSemaphore, a_killed_holders_permit_does_not_come_back) {
  Place place(1);
  kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                       place.semaphore.wait(never).or_throw();
                       stage.signal("holding");
                       kit::wait_to_be_killed();
                     }}});
  sides.stage().await("holding");
  sides.side("holder").kill();
  EXPECT_TRUE(place.semaphore.wait(after(60ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(place.semaphore.value(), 0U);
  EXPECT_TRUE(place.semaphore.post()) << "whoever knows that the holder is dead may give it back";
  EXPECT_TRUE(place.semaphore.wait(never));
}

TEST(PosixSemaphore, a_wait_without_deadline_goes_on_after_signals) {  // F71
  const kit::Watchdog watchdog("a wait under signals");
  Place place(0);
  const kit::SignalStorm storm;
  std::jthread poster([&] {
    storm.await(20);
    place.semaphore.post().or_throw();
  });
  EXPECT_TRUE(place.semaphore.wait(never));
}

TEST(PosixSemaphore, takes_what_was_posted_before_the_deadline_even_if_it_looks_after_it) {  // F54
  Place place(1);
  Stop stop = Stop::create().or_throw();
  EXPECT_TRUE(place.semaphore.wait(Deadline::at(Deadline::Clock::now() - 1s).or_stop(stop)));
  EXPECT_TRUE(place.semaphore.wait(immediately.or_stop(stop)).failed_with(Errc::timed_out));
  stop.request();
  place.semaphore.post().or_throw();
  EXPECT_TRUE(place.semaphore.wait(never.or_stop(stop)).failed_with(Errc::stopped));
  EXPECT_EQ(place.semaphore.value(), 1U) << "who is stopped takes nothing";
}

TEST(PosixSemaphoreDeathTest, used_after_it_was_moved_from_is_a_broken_contract) {
  Place place(0);
  UnnamedSemaphore moved = std::move(place.semaphore);
  EXPECT_TRUE(moved.post());
  EXPECT_DEATH((void)place.semaphore.post(), "used after it was moved from");  // NOLINT(bugprone-use-after-move)
}

}  // namespace

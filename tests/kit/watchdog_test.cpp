#include <kit/watchdog.hpp>

#include <kit/descendants.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/process.hpp>

#include <array>
#include <csignal>
#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

TEST(Watchdog, lets_a_test_that_ends_in_time_alone) {
  const kit::Watchdog watchdog("nothing to do");
  SUCCEED();
}

TEST(WatchdogDeathTest, names_what_hung_and_aborts) {
  EXPECT_EXIT(
      {
        const kit::Watchdog watchdog("the wait for nobody", 20ms);
        while (true) {
          ::pause();
        }
      },
      testing::KilledBySignal(SIGABRT), "did not end in time: the wait for nobody");
}

TEST(WatchdogDeathTest, bites_a_thread_that_spins) {
  if (kit::sanitizer() == kit::Sanitizer::thread) {
    GTEST_SKIP() << "ThreadSanitizer holds signals back until the thread makes a call";
  }
  EXPECT_EXIT(
      {
        const kit::Watchdog watchdog("the loop", 20ms);
        for (volatile bool on = true; on;) {
        }
      },
      testing::KilledBySignal(SIGABRT), "the loop");
}

// The grandchild holds the write end of a pipe: end of file tells that it is gone.
TEST(Watchdog, takes_the_descendants_along) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  auto bitten = tenon::spawn([&] {
    ::close(ends[0]);
    ::close(STDERR_FILENO);
    auto child = tenon::spawn([] { return ::pause(); }, tenon::WithParent::lives_on);
    const kit::Watchdog watchdog("never ends", 20ms);
    return ::pause();
  });
  ASSERT_TRUE(bitten);
  ::close(ends[1]);
  const kit::Watchdog watchdog("the grandchild dies too");
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 0);
  EXPECT_EQ(bitten->wait(tenon::never), tenon::ExitStatus::killed(SIGABRT));
  ::close(ends[0]);
}

TEST(Descendants, are_listed_parents_first) {
  auto child = tenon::spawn([] { return ::pause(); });
  ASSERT_TRUE(child);
  std::array<pid_t, 16> room{};
  ASSERT_EQ(kit::descendants(::getpid(), room), 1U);
  EXPECT_EQ(room[0], child->pid());
  ASSERT_TRUE(child->signal(SIGKILL));
  EXPECT_TRUE(child->wait(tenon::never));
  EXPECT_EQ(kit::descendants(::getpid(), room), 0U);
}

}  // namespace

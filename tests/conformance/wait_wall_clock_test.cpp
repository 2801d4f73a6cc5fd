/// No wait heeds the wall clock: neither does Tenon look at it, nor does it let the kernel wait by it. How the real
/// clock is made to jump stands in wait_real_clock_test.cpp.
#include "apparent_clock.hpp"
#include "waits.hpp"

#include <tenon/os/clock.hpp>
#include <tenon/os/stop.hpp>

#include <kit/asleep.hpp>
#include <kit/reported_child.hpp>
#include <kit/watchdog.hpp>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <memory>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using conformance::Wait;

class WallClock : public testing::TestWithParam<Wait> {};

INSTANTIATE_TEST_SUITE_P(All, WallClock, testing::ValuesIn(conformance::all_waits()),
                         [](const auto& one) { return one.param.name; });

void in_child(const std::function<void()>& body) {
  kit::ReportedChild child("child", body);
  EXPECT_TRUE(child.finish(tenon::never));
}

// F53: a wait by the wall clock would end at once when it jumps ahead, and an hour late when it jumps back.
TEST_P(WallClock, an_hour_either_way_moves_no_deadline) {
  for (const auto by : {1h, -1h}) {
    for (const bool with_stop : {false, true}) {
      in_child([&] {
        const kit::Watchdog watchdog("the wait ends although the wall clock jumps");
        const conformance::Waiting waiting = GetParam().make();
        const tenon::Stop stop = tenon::Stop::create().or_throw();
        conformance::refuse_waits_by_wall_clock();
        const tenon::Deadline deadline = tenon::after(70ms);  // more than one recheck
        // Detached: the C library joins a thread by a wait on the wall clock, which is refused here.
        const auto jumped = std::make_shared<std::atomic<bool>>(false);
        std::thread([by, jumped, waiter = ::gettid()] {
          kit::until_asleep(::getpid(), waiter);
          conformance::set_apparent_clock(by);
          *jumped = true;
        }).detach();
        const auto waited = waiting(with_stop ? deadline.or_stop(stop) : deadline);
        EXPECT_TRUE(waited.failed_with(tenon::Errc::timed_out)) << (waited ? "" : waited.error().message());
        EXPECT_TRUE(deadline.passed()) << "it ended before its deadline";
        while (!*jumped) {  // under load it may not have come to it; it asks for no more than a moment of sleep
          [[maybe_unused]] const auto slept = tenon::sleep_until(tenon::after(1ms));
        }
      });
    }
  }
}

// F53: without this, the test above might watch a clock that nobody reads.
TEST(ApparentClock, is_the_one_that_the_library_reads) {
  in_child([] {
    const std::int64_t before = tenon::realtime_now();
    const std::int64_t steady = tenon::monotonic_now();
    conformance::set_apparent_clock(1h);
    EXPECT_GE(tenon::realtime_now() - before, std::chrono::nanoseconds(1h).count());
    EXPECT_GE(std::chrono::system_clock::now().time_since_epoch().count(), tenon::realtime_now() - 3600'000'000'000);
    EXPECT_LT(tenon::monotonic_now() - steady, std::chrono::nanoseconds(1h).count());
  });
}

// F53: as above, for the kernel's side.
TEST(ApparentClock, waits_by_the_kernels_own_wall_clock_are_refused) {
  in_child([] {
    conformance::refuse_waits_by_wall_clock();
    const std::uint32_t word = 0;
    const timespec past{};
    EXPECT_EQ(::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, nullptr, 1), -1);
    EXPECT_EQ(errno, EDOM);
    EXPECT_EQ(::syscall(SYS_futex_waitv, nullptr, 1, 0, &past, CLOCK_REALTIME), -1);
    EXPECT_EQ(errno, EDOM);
    EXPECT_EQ(::syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &past, nullptr), -1);
    EXPECT_EQ(errno, EDOM);
    EXPECT_EQ(::syscall(SYS_timerfd_create, CLOCK_REALTIME, 0), -1);
    EXPECT_EQ(errno, EDOM);
    EXPECT_EQ(::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &past, nullptr, 1), -1);
    EXPECT_EQ(errno, ETIMEDOUT) << "by the monotonic clock one may wait";
  });
}

}  // namespace

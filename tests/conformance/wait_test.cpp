/// What every wait owes: it keeps its deadline whatever it is, no signal surfaces, and a Stop ends it.
#include "waits.hpp"

#include <tenon/os/clock.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/stop.hpp>

#include <kit/asleep.hpp>
#include <kit/patience.hpp>
#include <kit/reported_child.hpp>
#include <kit/watchdog.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using conformance::Wait;
using kit::until_asleep;
using tenon::after;
using tenon::Deadline;
using tenon::Errc;
using tenon::Stop;

class EveryWait : public testing::TestWithParam<Wait> {
 protected:
  tenon::Result<void> wait(Deadline deadline) { return waiting_(deadline); }
  Errc at_once() { return GetParam().at_once; }

 private:
  kit::Watchdog watchdog_{"the wait ends"};
  conformance::Waiting waiting_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(All, EveryWait, testing::ValuesIn(conformance::all_waits()),
                         [](const auto& one) { return one.param.name; });

Deadline moment(std::int64_t nanoseconds) {
  return Deadline::at(Deadline::Clock::time_point(std::chrono::nanoseconds(nanoseconds)));
}

// F54
TEST_P(EveryWait, a_deadline_of_zero_or_less_is_over_at_once) {
  for (const Deadline deadline : {tenon::immediately, after(0ns), after(-1ns), after(-1h),
                                  after(std::chrono::hours::min()), after(std::chrono::nanoseconds::min())}) {
    EXPECT_TRUE(wait(deadline).failed_with(at_once())) << deadline.nanoseconds();
  }
}

// F54
TEST_P(EveryWait, a_moment_that_has_passed_is_over_at_once) {
  for (const std::int64_t ns : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}}) {
    EXPECT_TRUE(wait(moment(ns)).failed_with(at_once())) << ns;
  }
  for (const std::int64_t ns : {std::int64_t{1}, std::int64_t{999'999'999}, tenon::monotonic_now()}) {
    EXPECT_TRUE(wait(moment(ns)).failed_with(Errc::timed_out)) << ns;
  }
}

TEST_P(EveryWait, waits_until_its_deadline_and_not_less) {
  for (const auto duration : {1ns, 1'000ns, 3'000'000ns, 70'000'000ns}) {  // the last is more than one recheck
    const Deadline deadline = after(duration);
    EXPECT_TRUE(wait(deadline).failed_with(Errc::timed_out));
    EXPECT_TRUE(deadline.passed());
  }
}

// F54
TEST_P(EveryWait, a_deadline_as_far_away_as_can_be_is_waited_for) {
  for (const Deadline deadline :
       {tenon::never, moment(INT64_MAX), moment(INT64_MAX - 1), after(std::chrono::hours::max()),
        after(std::chrono::nanoseconds::max()), after(24h * 36525)}) {
    Stop stop = Stop::create().or_throw();
    std::jthread requester([&stop, waiter = ::gettid()] {
      until_asleep(::getpid(), waiter);
      stop.request();
    });
    EXPECT_TRUE(wait(deadline.or_stop(stop)).failed_with(Errc::stopped)) << deadline.nanoseconds();
  }
}

std::atomic<std::int64_t> last_signal = 0;
std::atomic<std::int64_t> longest_silence = 0;
void note_signal(int) {
  const std::int64_t now = tenon::monotonic_now();
  longest_silence = std::max(longest_silence.load(), now - last_signal.exchange(now));
}

// Sends this thread SIGUSR1 a thousand times a second, to a handler that does not ask for calls to be restarted.
class ManySignals {
 public:
  ManySignals() {
    last_signal = tenon::monotonic_now();
    longest_silence = 0;
    struct sigaction action{};
    action.sa_handler = note_signal;
    EXPECT_EQ(::sigaction(SIGUSR1, &action, &before_), 0);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGUSR1;
    event._sigev_un._tid = ::gettid();
    EXPECT_EQ(::timer_create(CLOCK_MONOTONIC, &event, &timer_), 0);
    const itimerspec often{.it_interval = {.tv_sec = 0, .tv_nsec = 1'000'000},
                           .it_value = {.tv_sec = 0, .tv_nsec = 1'000'000}};
    EXPECT_EQ(::timer_settime(timer_, 0, &often, nullptr), 0);
  }
  ManySignals(const ManySignals&) = delete;
  ManySignals& operator=(const ManySignals&) = delete;
  ~ManySignals() {
    ::timer_delete(timer_);
    ::sigaction(SIGUSR1, &before_, nullptr);
  }

  // Until now, without a signal.
  std::chrono::nanoseconds longest() const {
    return std::chrono::nanoseconds(std::max(longest_silence.load(), tenon::monotonic_now() - last_signal));
  }

 private:
  struct sigaction before_{};
  timer_t timer_{};
};

// F71: were the deadline restarted after each signal, it would never come. But where the machine is so busy that no
// signal interrupts the wait for half its time, it could come all the same: then nothing has been shown, and it is
// waited once more.
TEST_P(EveryWait, signals_neither_surface_nor_move_its_deadline) {
  constexpr auto time = 60ms;
  for (const bool with_stop : {false, true}) {
    const Stop stop = Stop::create().or_throw();
    int waits_left = 5;
    for (bool shown = false; !shown;) {
      const ManySignals many;
      const Deadline deadline = after(time);
      EXPECT_TRUE(wait(with_stop ? deadline.or_stop(stop) : deadline).failed_with(Errc::timed_out));
      EXPECT_TRUE(deadline.passed());
      shown = many.longest() < time / 2;
      if (!shown && --waits_left == 0 && kit::sanitizer() == kit::Sanitizer::thread) {
        GTEST_SKIP() << "ThreadSanitizer keeps signals back while a thread is in a call that it does not know";
      }
    }
  }
}

// F55
TEST_P(EveryWait, goes_on_after_the_waiter_was_stopped_and_continued) {
  kit::ReportedChild waiter("waiter", [&] {
    const kit::Watchdog own("the wait ends in the child");
    const Deadline deadline = after(kit::patient(400ms));
    EXPECT_TRUE(conformance::Waiting(GetParam().make())(deadline).failed_with(Errc::timed_out));
    EXPECT_TRUE(deadline.passed());
  });
  tenon::Child& process = waiter.process();
  until_asleep(process.pid(), process.pid());
  EXPECT_TRUE(process.signal(SIGSTOP));
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(process.pid()), &info, WSTOPPED | WEXITED | WNOWAIT), 0);
  EXPECT_EQ(info.si_code, CLD_STOPPED);
  EXPECT_TRUE(process.signal(SIGCONT));
  EXPECT_TRUE(waiter.finish(tenon::never));
}

TEST_P(EveryWait, a_stop_that_is_set_already_ends_it_at_once) {
  Stop stop = Stop::create().or_throw();
  stop.request();
  for (const Deadline deadline : {tenon::never, tenon::immediately, after(1h)}) {
    EXPECT_TRUE(wait(deadline.or_stop(stop)).failed_with(Errc::stopped)) << deadline.nanoseconds();
  }
}

TEST_P(EveryWait, another_thread_stops_it) {
  for (const Deadline deadline : {tenon::never, after(1h)}) {
    Stop stop = Stop::create().or_throw();
    std::jthread requester([&stop, waiter = ::gettid()] {
      until_asleep(::getpid(), waiter);
      stop.request();
    });
    EXPECT_TRUE(wait(deadline.or_stop(stop)).failed_with(Errc::stopped));
  }
}

std::atomic<Stop*> stop_of_the_handler = nullptr;
void request_stop(int) { stop_of_the_handler.load()->request(); }

TEST_P(EveryWait, a_signal_handler_stops_it) {
  Stop stop = Stop::create().or_throw();
  stop_of_the_handler = &stop;
  struct sigaction before{};
  struct sigaction action{};
  action.sa_handler = request_stop;
  action.sa_flags = SA_RESTART;  // so that it is the stop that ends the wait
  ASSERT_EQ(::sigaction(SIGUSR2, &action, &before), 0);
  {
    std::jthread killer([waiter = ::gettid()] {
      until_asleep(::getpid(), waiter);
      ::syscall(SYS_tgkill, ::getpid(), waiter, SIGUSR2);
    });
    EXPECT_TRUE(wait(tenon::never.or_stop(stop)).failed_with(Errc::stopped));
  }
  ::sigaction(SIGUSR2, &before, nullptr);
}

}  // namespace

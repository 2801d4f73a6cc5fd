/// No wait heeds the wall clock, shown on the real one. Only where TENON_SET_CLOCK is set: what other programs write
/// while the machine's clock is an hour wrong bears that time, and a build that ran meanwhile may take a changed source
/// for an old one.
#include "waits.hpp"
#include "wall_clock.hpp"

#include <tenon/os/clock.hpp>
#include <tenon/os/stop.hpp>

#include <kit/asleep.hpp>
#include <kit/watchdog.hpp>
#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <latch>
#include <list>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using tenon::Deadline;
using tenon::Errc;

enum class Jump : unsigned char { too_late, refused, seen };

// All waits at once, each with and without a Stop, and the clock set wrong while they are under way.
class WaitsAtOnce {
 public:
  explicit WaitsAtOnce(std::chrono::hours by) : clock_(by, kit::patient(1s)) {
    for (const conformance::Wait& wait : conformance::all_waits()) {
      runs_.emplace_back(wait.name, wait.make(), false);
      runs_.emplace_back(wait.name + " with a stop", wait.make(), true);
    }
  }

  Jump run(std::chrono::milliseconds duration) {
    std::latch started(static_cast<std::ptrdiff_t>(runs_.size()));
    std::list<std::jthread> threads;
    for (Run& run : runs_) {
      threads.emplace_back([&] { wait(run, started, duration); });
    }
    started.wait();
    for (const Run& run : runs_) {
      kit::until_asleep(::getpid(), run.thread);
    }
    const bool set = clock_.set().has_value();
    const std::int64_t when = tenon::monotonic_now();
    threads.clear();
    // That the limit came first means that a wait went on until the clock was right again.
    EXPECT_TRUE(!set || clock_.put_right()) << "a wait did not end";
    Jump jump = set ? Jump::seen : Jump::refused;
    for (const Run& run : runs_) {
      EXPECT_TRUE(run.result.failed_with(Errc::timed_out)) << run.name;
      EXPECT_TRUE(run.passed) << run.name << " ended before its deadline";
      jump = set && run.until <= when ? Jump::too_late : jump;
    }
    return jump;
  }

 private:
  struct Run {
    std::string name;
    conformance::Waiting waiting;
    bool with_stop;
    std::atomic<pid_t> thread = 0;
    std::int64_t until = 0;
    tenon::Result<void> result = {};
    bool passed = false;
  };

  void wait(Run& run, std::latch& started, std::chrono::milliseconds duration) {
    run.thread = ::gettid();
    started.arrive_and_wait();
    const Deadline deadline = tenon::after(duration);
    run.until = deadline.nanoseconds();
    run.result = run.waiting(run.with_stop ? deadline.or_stop(stop_) : deadline);
    run.passed = deadline.passed();
  }

  conformance::WrongWallClock clock_;
  tenon::Stop stop_ = tenon::Stop::create().or_throw();
  std::list<Run> runs_;
};

// On a busy machine the clock may be set only after the waits: then they wait longer the next time.
void jump_during_waits(std::chrono::hours by) {
  if (std::getenv("TENON_SET_CLOCK") == nullptr) {
    GTEST_SKIP() << "sets the clock of the whole machine; with TENON_SET_CLOCK=1, as root, it runs";
  }
  const kit::Watchdog watchdog("every wait ends although the wall clock jumps");
  for (auto duration = 30ms; duration < 500ms; duration *= 2) {
    switch (WaitsAtOnce(by).run(duration)) {
      case Jump::seen:
        return;
      case Jump::refused:
        GTEST_SKIP() << "needs the right to set the clock (CAP_SYS_TIME)";
      case Jump::too_late:
        break;
    }
  }
  FAIL() << "the clock was never set while the waits were under way";
}

// F53: a wait on the wall clock would end at once.
TEST(RealWallClock, an_hour_ahead_ends_no_wait_early) { jump_during_waits(1h); }

// F53: a wait on the wall clock would last an hour longer.
TEST(RealWallClock, an_hour_back_prolongs_no_wait) { jump_during_waits(-1h); }

}  // namespace

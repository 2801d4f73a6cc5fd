#include <kit/two_processes.hpp>

#include <csignal>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using kit::Stage;

TEST(TwoProcesses, are_two) {
  auto memory = tenon::Mapping::shared_with_children(2 * sizeof(pid_t)).or_throw();
  auto* pids = reinterpret_cast<pid_t*>(memory.data());
  kit::run_sides({{"a", [&](Stage&) { pids[0] = ::getpid(); }}, {"b", [&](Stage&) { pids[1] = ::getpid(); }}});
  EXPECT_NE(pids[0], 0);
  EXPECT_NE(pids[1], 0);
  EXPECT_NE(pids[0], pids[1]);
  EXPECT_NE(pids[0], ::getpid());
}

TEST(TwoProcesses, take_steps_in_the_agreed_order) {
  auto memory = tenon::Mapping::shared_with_children(64).or_throw();
  auto* text = reinterpret_cast<volatile char*>(memory.data());
  volatile char* end = text;
  auto note = [&](char letter) {
    while (*end != '\0') {
      end = end + 1;
    }
    *end = letter;
  };
  kit::run_sides({{"a",
                   [&](Stage& stage) {
                     note('1');
                     stage.signal("go");
                     stage.await("done");
                     note('3');
                     stage.barrier();
                   }},
                  {"b", [&](Stage& stage) {
                     stage.await("go");
                     note('2');
                     stage.signal("done");
                     stage.barrier();
                     note('4');
                   }}});
  EXPECT_STREQ(const_cast<const char*>(text), "1234");
}

TEST(TwoProcesses, meet_at_the_barrier_again_and_again) {
  auto memory = tenon::Mapping::shared_with_children(sizeof(int) * 2).or_throw();
  auto* counts = reinterpret_cast<volatile int*>(memory.data());
  auto body = [&](int own) {
    return [&counts, own](Stage& stage) {
      for (int round = 1; round <= 100; ++round) {
        counts[own] = round;
        stage.barrier();
        EXPECT_EQ(counts[1 - own], round);
        stage.barrier();
      }
    };
  };
  kit::run_sides({{"a", body(0)}, {"b", body(1)}});
}

TEST(TwoProcesses, bring_a_failed_expectation_back) {
  EXPECT_NONFATAL_FAILURE(kit::run_sides({{"writer", [](Stage&) { EXPECT_EQ(1 + 1, 3); }}}),
                          "writer: Expected equality");
}

TEST(TwoProcesses, bring_an_exception_back) {
  EXPECT_NONFATAL_FAILURE(kit::run_sides({{"writer", [](Stage&) { throw std::runtime_error("no ink"); }}}),
                          "writer: threw: no ink");
}

TEST(TwoProcesses, report_a_side_that_crashes) {
  EXPECT_NONFATAL_FAILURE(kit::run_sides({{"writer", [](Stage&) { ::raise(SIGKILL); }}}), "writer killed by signal 9");
}

TEST(TwoProcesses, report_a_side_that_leaves_by_exit) {
  EXPECT_NONFATAL_FAILURE(kit::run_sides({{"writer", [](Stage&) { ::_exit(3); }}}), "writer exited with 3");
}

// The parts of a test that has several failures, as texts.
std::string failures_of(const std::function<void()>& body) {
  testing::TestPartResultArray parts;
  {
    const testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &parts);
    body();
  }
  std::string all;
  for (int i = 0; i < parts.size(); ++i) {
    all += std::string(parts.GetTestPartResult(i).message()) + "\n";
  }
  return all;
}

TEST(TwoProcesses, do_not_wait_for_one_that_failed) {
  const std::string failures = failures_of([] {
    kit::run_sides({{"writer", [](Stage&) { throw std::runtime_error("no ink"); }},
                    {"reader", [](Stage& stage) { stage.await("written"); }}});
  });
  EXPECT_NE(failures.find("writer: threw: no ink"), std::string::npos) << failures;
  EXPECT_NE(failures.find("reader: threw: gave up at await(\"written\")"), std::string::npos) << failures;
}

TEST(TwoProcesses, say_where_a_side_hung) {
  const std::string failures =
      failures_of([] { kit::run_sides({{"reader", [](Stage& stage) { stage.await("nobody"); }}}, 50ms); });
  EXPECT_NE(failures.find("reader killed by signal 6"), std::string::npos) << failures;
  EXPECT_NE(failures.find("reader was at await(\"nobody\")"), std::string::npos) << failures;
}

TEST(TwoProcesses, may_be_killed_on_purpose) {
  kit::Sides sides({{"victim", [](Stage& stage) {
                       stage.signal("ready");
                       while (true) {
                         ::pause();
                       }
                     }}});
  sides.stage().await("ready");
  sides.side("victim").kill();
  EXPECT_EQ(sides.side("victim").finish(tenon::never).or_throw(), tenon::ExitStatus::killed(SIGKILL));
}

}  // namespace

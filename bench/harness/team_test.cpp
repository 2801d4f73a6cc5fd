#include <harness/team.hpp>

#include <tenon/os/poll.hpp>
#include <harness/measure.hpp>
#include <harness/spin.hpp>

#include <kit/descendants.hpp>
#include <kit/watchdog.hpp>
#include <array>
#include <csignal>
#include <gtest/gtest.h>
#include <stdexcept>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using harness::Loop;
using harness::Observe;
using harness::Round;
using harness::Side;
using harness::Subject;
using harness::Team;
using tenon::Errc;
using tenon::MutableBytes;
using tenon::Result;

Side side(std::string name, Loop loop) {
  return {.name = std::move(name), .start = [loop = std::move(loop)](MutableBytes) { return loop; }};
}

Side idle(std::string name) {
  return side(std::move(name), [](Round&) {});
}

Result<Team> start(const Subject& subject) {
  return Team::start(subject, harness::one_core(subject.sides.size()), harness::Clock::calibrate(), tenon::after(30s));
}

// The watchdog of the run is short here: what it ends would not come back however long one waited.
tenon::Error error_of_a_block(const Subject& subject, tenon::Deadline deadline) {
  auto team = start(subject).or_throw();
  auto block = team.run(10, 0, Observe::time_alone, deadline);
  if (block) {
    throw std::runtime_error("the block came back");
  }
  return block.error();
}

std::size_t sides_alive() {
  std::array<pid_t, 8> pids{};
  return kit::descendants(::getpid(), pids);
}

TEST(Team, does_each_block_with_as_many_operations_as_asked_after_warming_up) {
  const kit::Watchdog watchdog("the sides count their operations");
  const Subject counting{
      .name = "counting",
      .shared_bytes = 8,
      .sides = {{"counter", [](MutableBytes shared) {
                   return Loop([count = reinterpret_cast<std::uint64_t*>(shared.data())](Round& round) {
                     for (std::uint64_t i = 0; i < round.operations(); ++i) {
                       *count += 1;
                       round.mark();
                     }
                     if (*count != 105 && *count != 5 && *count != 155) {
                       throw std::runtime_error("counted " + std::to_string(*count));
                     }
                   });
                 }}}};
  auto team = start(counting).or_throw();
  const auto first = team.run(100, 5, Observe::time_alone, tenon::after(30s)).or_throw();
  EXPECT_EQ(first.operations, 100U);
  EXPECT_GT(first.nanoseconds, 0);
  EXPECT_TRUE(first.samples.empty());
  const auto second = team.run(50, 0, Observe::everything, tenon::after(30s)).or_throw();
  EXPECT_EQ(second.samples.size(), 50U);
}

TEST(Team, the_time_that_a_side_leaves_out_is_no_part_of_the_block) {
  const kit::Watchdog watchdog("a side waits and leaves it out");
  const Subject waiting{.name = "waiting", .sides = {side("waiter", [](Round& round) {
                                             const auto start = tenon::monotonic_now();
                                             while (tenon::monotonic_now() - start < 20'000'000) {
                                             }
                                             round.leave_out(static_cast<double>(tenon::monotonic_now() - start));
                                             round.mark();
                                           })}};
  auto team = start(waiting).or_throw();
  const auto block = team.run(1, 0, Observe::everything, tenon::after(30s)).or_throw();
  EXPECT_LT(block.nanoseconds, 20e6);
  ASSERT_EQ(block.samples.size(), 1U);
  EXPECT_LT(block.samples[0], 20e6);
}

TEST(Team, what_a_side_throws_ends_the_run_with_its_name_and_text) {
  const kit::Watchdog watchdog("a side throws");
  const Subject throwing{
      .name = "payloads",
      .sides = {idle("sender"), side("receiver", [](Round&) { throw std::runtime_error("the payload differs"); })}};
  const auto error = error_of_a_block(throwing, tenon::after(30s));
  EXPECT_EQ(error.code(), Errc::aborted);
  EXPECT_NE(error.message().find("payloads"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("receiver: the payload differs"), std::string::npos) << error.message();
}

TEST(Team, a_side_that_is_killed_is_told_while_its_peer_spins_for_it) {
  const kit::Watchdog watchdog("a side is killed");
  const Subject dying{.name = "dying",
                      .sides = {side("spinner", [](Round&) { harness::spin_until([] { return false; }); }),
                                side("victim", [](Round&) { ::kill(::getpid(), SIGKILL); })}};
  const auto error = error_of_a_block(dying, tenon::after(30s));
  EXPECT_EQ(error.code(), Errc::peer_died);
  EXPECT_NE(error.message().find("victim: killed by signal 9"), std::string::npos) << error.message();
}

TEST(Team, sides_that_do_not_come_back_are_named_at_the_deadline) {
  const kit::Watchdog watchdog("a side hangs");
  const Subject hanging{
      .name = "hanging",
      .sides = {idle("quick"), side("wedged", [](Round&) { harness::spin_until([] { return false; }); })}};
  const auto error = error_of_a_block(hanging, tenon::after(200ms));
  EXPECT_EQ(error.code(), Errc::timed_out);
  EXPECT_NE(error.message().find("not back: wedged"), std::string::npos) << error.message();
}

TEST(Team, leaves_no_process_behind_however_a_block_ended) {
  const kit::Watchdog watchdog("a team ends");
  const Subject hanging{
      .name = "hanging",
      .sides = {idle("quick"), side("wedged", [](Round&) { harness::spin_until([] { return false; }); })}};
  (void)error_of_a_block(hanging, tenon::after(10ms));
  EXPECT_EQ(sides_alive(), 0U);
  {
    auto idling = start({.name = "idle", .sides = {idle("one"), idle("two")}}).or_throw();
    EXPECT_EQ(sides_alive(), 2U);
  }
  EXPECT_EQ(sides_alive(), 0U);
}

// A process on its way out is waited for, by its pidfd.
void expect_to_end(pid_t pid) {
  ASSERT_GT(pid, 0);
  auto left = tenon::Child::adopt(pid);
  if (left) {
    EXPECT_TRUE(tenon::wait_ready(left->fd(), tenon::Ready::reading, tenon::after(30s)).has_value());
  } else {
    EXPECT_TRUE(left.failed_with(Errc::not_found));
  }
}

TEST(Team, its_sides_die_with_the_process_that_started_them) {
  const kit::Watchdog watchdog("the parent of a team dies");
  const auto shared = tenon::Mapping::shared_with_children(4096).or_throw();
  auto* pids = reinterpret_cast<pid_t*>(shared.data());
  const auto telling = [pids](std::size_t index) {
    return [pids, index](MutableBytes) {
      pids[index] = ::getpid();
      return Loop([](Round&) { harness::spin_until([] { return false; }); });
    };
  };
  auto parent = tenon::spawn([&] {
                  auto team =
                      start({.name = "orphans", .sides = {{"one", telling(0)}, {"two", telling(1)}}}).or_throw();
                  ::kill(::getpid(), SIGKILL);
                  return 0;
                }).or_throw();
  EXPECT_EQ(parent.wait(tenon::after(30s)).or_throw(), tenon::ExitStatus::killed(SIGKILL));
  expect_to_end(pids[0]);
  expect_to_end(pids[1]);
}

TEST(Measure, starts_again_while_the_starts_disagree_up_to_the_bound) {
  const kit::Watchdog watchdog("a subject is measured whose starts differ");
  int starts = 0;
  Subject differing{.name = "differing",
                    .shared_bytes = 8,
                    .sides = {{"sleeper", [](MutableBytes shared) {
                                 return Loop([shared](Round& round) {
                                   const auto factor = *reinterpret_cast<std::int64_t*>(shared.data());
                                   const auto start = tenon::monotonic_now();
                                   while (tenon::monotonic_now() - start <
                                          2000 * factor * static_cast<std::int64_t>(round.operations())) {
                                   }
                                 });
                               }}}};
  differing.prepare = [&](MutableBytes shared) {
    *reinterpret_cast<std::int64_t*>(shared.data()) = ++starts % 2 == 0 ? 1 : 8;
  };
  const harness::Pace pace{.block = 50us, .blocks = 3, .starts = 3, .max_starts = 6, .tolerance = 0.02};
  const auto figure = harness::measure(differing, harness::alone(), harness::Clock::calibrate(), pace).or_throw();
  EXPECT_EQ(starts, 6);
  EXPECT_GE(figure.nanoseconds, 2000);
}

}  // namespace

// Blackboards between processes, of which some are killed or stopped at the worst moment.
#include <tenon/messaging/blackboard/blackboard.hpp>

#include <tenon/os/process.hpp>

#include <kit/numbers.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

using Value = kit::Numbers<12>;
using Board = Blackboard<std::uint64_t, Value>;
using kit::numbered;

class BlackboardProcesses : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  Board board_ = Board::create(holder_, "b", {.keys = 4}).or_throw();
  kit::Watchdog watchdog_{"a blackboard between processes"};

  ~BlackboardProcesses() override { static_cast<void>(Board::remove(unique_.domain(), "b")); }

  // A child that does this to the file itself, and then kills itself.
  void killed_after(const std::function<void(const BoardFile&)>& what) {
    Child child = spawn([&] {
                    const auto file = BoardFile::open(unique_.domain(), "b", Access::read_write).or_throw();
                    what(file);
                    return ::raise(SIGKILL);
                  }).or_throw();
    ASSERT_EQ(child.wait(never).or_throw(), ExitStatus::killed(SIGKILL));
  }
};

// What a writer does up to the middle of its value.
void write_half(const BoardFile& file) {
  const auto guard = mutex_in(file.entry(0).mutex).lock(never).or_throw();
  file.copies(0).write(1000, [&](std::size_t i) -> std::uint64_t {
    if (i == 8) {
      ::raise(SIGKILL);
    }
    return 7 * i;
  });
}

TEST_F(BlackboardProcesses, a_value_that_its_writer_did_not_finish_was_never_written) {
  for (std::uint64_t i = 1; i <= 9; ++i) {
    board_.write(0, numbered<Value>(i), never).or_throw();
    killed_after(write_half);
    const auto latest = board_.read<Value>(0).or_throw();
    EXPECT_EQ(latest.number, i);
    EXPECT_EQ(latest.value.number, i);
    EXPECT_TRUE(kit::is_whole(latest.value));
  }
}

TEST_F(BlackboardProcesses, a_key_whose_writer_died_can_be_written_again_and_again) {
  board_.write(0, numbered<Value>(1), never).or_throw();
  for (int round = 0; round < 3; ++round) {
    killed_after(write_half);
  }
  EXPECT_EQ(board_.write(0, numbered<Value>(2), never).or_throw(), 2U);
  EXPECT_EQ(board_.write(0, numbered<Value>(3), never).or_throw(), 3U);
  EXPECT_TRUE(kit::is_whole(board_.read<Value>(0).or_throw().value));
}

TEST_F(BlackboardProcesses, a_key_that_was_half_added_is_not_lost_and_not_there_twice) {
  board_.write(7, numbered<Value>(1), never).or_throw();
  killed_after([](const BoardFile& file) {
    const auto guard = mutex_in(file.state().adding).lock(never).or_throw();
    std::ranges::copy(bytes_of_value(std::uint64_t{8}), file.key(1).begin());
    file.entry(1).ready.store(1);
    ::raise(SIGKILL);  // before it has its place
  });
  EXPECT_TRUE(board_.read<Value>(8).failed_with(Errc::not_found));
  board_.write(9, numbered<Value>(1), never).or_throw();
  board_.write(8, numbered<Value>(1), never).or_throw();
  board_.write(10, numbered<Value>(1), never).or_throw();
  EXPECT_THAT(board_.keys(), testing::ElementsAre(7, 8, 9, 10));
  EXPECT_TRUE(board_.write(11, numbered<Value>(1), never).failed_with(Errc::limit_reached));
}

TEST_F(BlackboardProcesses, a_count_that_was_not_raised_is_made_good) {
  board_.write(7, numbered<Value>(1), never).or_throw();
  killed_after([](const BoardFile& file) {
    const auto guard = mutex_in(file.state().adding).lock(never).or_throw();
    file.state().used.store(0);  // as before entry 0 was added, which has its place
    ::raise(SIGKILL);
  });
  board_.write(8, numbered<Value>(1), never).or_throw();
  EXPECT_THAT(board_.keys(), testing::ElementsAre(7, 8));
  EXPECT_EQ(board_.read<Value>(7).or_throw().number, 1U);
}

TEST_F(BlackboardProcesses, a_value_whose_writer_died_before_the_wake_is_found_within_a_recheck) {
  board_.write(0, numbered<Value>(1), never).or_throw();
  const auto entry = board_.find<Value>(0).or_throw();
  Child waiter = spawn([&] { return entry.wait(1, never).or_throw().number == 2 ? 0 : 1; }).or_throw();
  killed_after([](const BoardFile& file) {
    while (!bell_in(file.entry(0).bell).is_wanted()) {
      ::sched_yield();
    }
    const auto guard = mutex_in(file.entry(0).mutex).lock(never).or_throw();
    file.copies(0).write(2 + sizeof(Value) / 8, [](std::size_t) -> std::uint64_t { return 0; });
    ::raise(SIGKILL);
  });
  EXPECT_EQ(waiter.wait(never).or_throw().code(), 0);
}

TEST_F(BlackboardProcesses, a_writer_that_stands_still_keeps_its_own_key_alone) {
  board_.write(0, numbered<Value>(1), never).or_throw();
  board_.write(1, numbered<Value>(1), never).or_throw();
  const auto file = BoardFile::open(unique_.domain(), "b", Access::read_write).or_throw();
  Child writer = spawn([&] {
                   const auto guard = mutex_in(file.entry(0).mutex).lock(never).or_throw();
                   ::raise(SIGSTOP);
                   return 0;
                 }).or_throw();
  siginfo_t stopped{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(writer.pid()), &stopped, WSTOPPED | WNOWAIT), 0);
  EXPECT_TRUE(board_.write(0, numbered<Value>(2), after(1ms)).failed_with(Errc::timed_out));
  board_.write(1, numbered<Value>(2), never).or_throw();
  EXPECT_EQ(board_.read<Value>(0).or_throw().number, 1U);
  writer.signal(SIGCONT).or_throw();
  EXPECT_EQ(writer.wait(never).or_throw().code(), 0);
  board_.write(0, numbered<Value>(2), never).or_throw();
}

TEST_F(BlackboardProcesses, a_reader_is_not_starved_by_a_writer_of_long_values) {
  using Frame = kit::Numbers<8191>;
  using Frames = Blackboard<std::uint64_t, Frame>;
  auto frames = Frames::create(holder_, "frames", {.keys = 1}).or_throw();
  auto entry = frames.entry<Frame>(0, never).or_throw();
  entry.write(numbered<Frame>(1), never).or_throw();
  constexpr int reads = 300;
  Child child = spawn([&] {
                  std::uint64_t last = 0;
                  auto frame = std::make_unique<Frame>();
                  for (int i = 0; i < reads; ++i) {
                    const auto stamp = entry.read_into(*frame).or_throw();
                    if (!kit::is_whole(*frame) || frame->number < last || stamp.number < last) {
                      return 1;
                    }
                    last = frame->number;
                  }
                  return 0;
                }).or_throw();
  std::uint64_t number = 1;
  auto ended = child.wait(immediately);
  for (; !ended; ended = child.wait(immediately)) {
    entry.write(numbered<Frame>(++number), never).or_throw();
  }
  EXPECT_EQ(ended->code(), 0);
  Frames::remove(unique_.domain(), "frames").or_throw();
}

}  // namespace

#include <tenon/ring/sequence_lock/sequence_lock.hpp>

#include <kit/shared.hpp>
#include <kit/two_processes.hpp>

#include <array>
#include <csignal>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tenon;

namespace {

struct Pose {
  std::uint64_t x = 0;
  std::uint64_t y = 0;
  std::uint32_t heading = 0;
};
using Lock = SequenceLock<Pose>;
static_assert(sizeof(Lock) == 128);

Pose pose(std::uint64_t i) { return {.x = i, .y = i + 1, .heading = static_cast<std::uint32_t>(i + 2)}; }
bool is_whole(const Pose& seen) {
  return seen.y == seen.x + 1 && seen.heading == static_cast<std::uint32_t>(seen.x + 2);
}

TEST(SequenceLock, holds_the_latest_value_and_counts_them) {
  Lock lock;
  EXPECT_EQ(lock.version(), 0U);
  EXPECT_EQ(lock.read().x, 0U);
  for (std::uint64_t i = 1; i < 5; ++i) {
    lock.write(pose(i));
    EXPECT_EQ(lock.read().x, i);
    EXPECT_TRUE(is_whole(lock.read()));
    EXPECT_EQ(lock.version(), i);
  }
}

// F24
TEST(SequenceLock, readers_in_other_processes_see_whole_values_that_never_go_back) {
  const kit::Shared<Lock> lock;
  constexpr std::uint64_t values = 300'000;
  const auto read = [&](kit::Stage&) {
    std::uint64_t last = 0;
    while (last != values) {
      const Pose seen = lock->read();
      ASSERT_TRUE(seen.x == 0 || is_whole(seen));
      ASSERT_GE(seen.x, last);
      last = seen.x;
    }
  };
  kit::run_sides({{"writer",
                   [&](kit::Stage&) {
                     for (std::uint64_t i = 1; i <= values; ++i) {
                       lock->write(pose(i));
                     }
                   }},
                  {"one reader", read},
                  {"another reader", read}});
}

TEST(SequenceLock, a_writer_killed_at_any_moment_blocks_neither_readers_nor_the_next_writer) {
  const kit::Shared<Lock> lock;
  for (std::uint64_t trial = 0; trial < 50; ++trial) {
    const pid_t writer = ::fork();
    ASSERT_NE(writer, -1);
    if (writer == 0) {
      for (std::uint64_t i = lock->read().x + 1;; ++i) {
        lock->write(pose(i));
      }
    }
    const std::uint64_t before = lock->version();
    while (lock->version() < before + 100 + trial) {
    }
    ASSERT_EQ(::kill(writer, SIGKILL), 0);
    ASSERT_EQ(::waitpid(writer, nullptr, 0), writer);
    Pose seen;
    ASSERT_TRUE(lock->try_read(seen)) << "nobody writes";
    ASSERT_TRUE(is_whole(seen));
  }
}

}  // namespace

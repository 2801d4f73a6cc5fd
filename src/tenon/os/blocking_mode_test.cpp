#include <tenon/os/blocking_mode.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <utility>

namespace {

using namespace tenon;

TEST(BlockingMode, becomes_non_blocking_once_and_for_good) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd reader = Fd::adopt(ends[0]);
  const Fd writer = Fd::adopt(ends[1]);
  BlockingMode mode;
  EXPECT_FALSE(mode.non_blocking());
  EXPECT_EQ(::fcntl(reader.raw(), F_GETFL) & O_NONBLOCK, 0);
  mode.make_non_blocking(reader.view()).or_throw();
  EXPECT_NE(::fcntl(reader.raw(), F_GETFL) & O_NONBLOCK, 0);
  BlockingMode moved = std::move(mode);
  EXPECT_TRUE(moved.non_blocking());
  EXPECT_TRUE(BlockingMode().make_non_blocking(FdView(-1)).failed_with(errc_of(EBADF)));
}

}  // namespace

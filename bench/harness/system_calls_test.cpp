#include <harness/system_calls.hpp>

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

TEST(SystemCalls, are_counted_without_those_that_count_them_or_the_reason_is_told) {
  auto counter = harness::SystemCalls::count_own();
  if (!counter) {
    EXPECT_FALSE(counter.error().message().empty());
    GTEST_SKIP() << "system calls cannot be counted here: " << counter.error().message();
  }
  const std::uint64_t before = counter->so_far();
  for (int i = 0; i < 100; ++i) {
    ::syscall(SYS_getppid);
  }
  EXPECT_EQ(counter->so_far() - before, 100U);
  EXPECT_EQ(counter->so_far() - before, 100U) << "looking makes no difference";
}

}  // namespace

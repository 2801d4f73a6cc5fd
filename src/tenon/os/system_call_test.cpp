#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <gtest/gtest.h>

namespace {

using tenon::uninterrupted;

// Answers with EINTR `times` times, and then with `last`.
auto interrupted(int times, int last, int last_error = 0) {
  return [=]() mutable {
    errno = times > 0 ? EINTR : last_error;
    return times-- > 0 ? -1 : last;
  };
}

// F71
TEST(Uninterrupted, repeats_a_call_until_no_signal_comes_between) {
  EXPECT_EQ(uninterrupted(interrupted(0, 7)), 7);
  EXPECT_EQ(uninterrupted(interrupted(1000, 7)), 7);
}

TEST(Uninterrupted, leaves_every_other_error_to_the_caller) {
  EXPECT_EQ(uninterrupted(interrupted(3, -1, EIO)), -1);
  EXPECT_EQ(errno, EIO);
}

// A call that succeeds may leave an old EINTR in errno.
TEST(Uninterrupted, looks_at_errno_only_after_a_failure) { EXPECT_EQ(uninterrupted(interrupted(0, 0, EINTR)), 0); }

}  // namespace

#include <tenon/os/sigpipe.hpp>

#include <kit/patience.hpp>
#include <kit/reported_child.hpp>
#include <tenon/base/deadline.hpp>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

using namespace tenon;

int lonely_write_end() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ::close(ends[0]);
  return ends[1];
}

bool blocked() {
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return ::sigismember(&mask, SIGPIPE) == 1;
}

bool pending() {
  sigset_t set;
  ::sigpending(&set);
  return ::sigismember(&set, SIGPIPE) == 1;
}

void block() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void in_child(const std::function<void()>& body) {
  kit::ReportedChild child("writer", [&] {
    std::signal(SIGPIPE, SIG_DFL);
    body();
  });
  (void)child.finish(never);
}

ssize_t write_to(int end) {
  return without_sigpipe([&] { return ::write(end, "x", 1); });
}

TEST(Sigpipe, is_not_raised_and_the_mask_is_left_as_it_was) {  // F72
  in_child([] {
    EXPECT_EQ(write_to(lonely_write_end()), -1);
    EXPECT_EQ(errno, EPIPE);
    EXPECT_FALSE(blocked());
    EXPECT_FALSE(pending());
  });
}

TEST(Sigpipe, stays_blocked_where_the_caller_had_it_blocked) {
  in_child([] {
    block();
    EXPECT_EQ(write_to(lonely_write_end()), -1);
    EXPECT_TRUE(blocked());
    EXPECT_FALSE(pending()) << "the one that the write raised is taken away";
  });
}

TEST(Sigpipe, that_was_pending_before_stays_pending) {
  in_child([] {
    block();
    ::raise(SIGPIPE);
    EXPECT_EQ(write_to(lonely_write_end()), -1);
    EXPECT_TRUE(pending());
  });
}

TEST(Sigpipe, that_somebody_else_sends_meanwhile_arrives) {
  if (kit::sanitizer() == kit::Sanitizer::thread) {
    GTEST_SKIP() << "the kernel may give the signal to a thread of ThreadSanitizer's own, which ends the program";
  }
  in_child([] {
    static volatile std::sig_atomic_t arrived = 0;
    std::signal(SIGPIPE, [](int) { arrived = 1; });
    const ssize_t returned = without_sigpipe([] {
      ::kill(::getpid(), SIGPIPE);
      return ssize_t{1};
    });
    EXPECT_EQ(returned, 1);
    EXPECT_EQ(arrived, 1);
  });
}

TEST(Sigpipe, guards_leave_errno_alone) {
  in_child([] {
    errno = EXDEV;
    {
      const SigpipeHeld held;
      held.take();  // nothing is pending
    }
    EXPECT_EQ(errno, EXDEV);
  });
}

}  // namespace

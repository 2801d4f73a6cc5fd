// The one process that is told of a message into an empty queue.
#include <tenon/ipc/posix_queue/posix_queue.hpp>

#include <kit/reported_child.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::HasSubstr;

constexpr PosixQueue::Limits small{.messages = 2, .message_bytes = 16};

// Blocked for the whole program of the test, so that the thread that asks for it finds it pending.
class BlockedSignal {
 public:
  explicit BlockedSignal(int signal) : signal_(signal) {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  BlockedSignal(const BlockedSignal&) = delete;
  BlockedSignal& operator=(const BlockedSignal&) = delete;
  ~BlockedSignal() {
    [[maybe_unused]] const auto none_left = take(0s);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  // Who sent it, 0 if none came.
  pid_t take(std::chrono::seconds patience) const {
    siginfo_t info{};
    const timespec limit = timespec_of(std::chrono::nanoseconds(patience).count());
    return ::sigtimedwait(&set_, &info, &limit) == signal_ && info.si_code == SI_MESGQ ? info.si_pid : 0;
  }

 private:
  int signal_;
  sigset_t set_{};
  sigset_t before_{};
};

TEST(PosixQueue, notifies_one_process_once_of_a_message_into_an_empty_queue) {
  const std::string name = "/" + kit::unique_name();
  PosixQueue queue = PosixQueue::create(name, small).or_throw();
  const UnlinkOnExit guard(PosixQueue::unlink, name);
  const BlockedSignal blocked(SIGUSR1);
  queue.notify(SIGUSR1).or_throw();
  const auto second = queue.notify(SIGUSR1);
  ASSERT_TRUE(second.failed_with(Errc::already_exists));
  EXPECT_THAT(second.error().message(), HasSubstr("already"));
  kit::ReportedChild child("sender", [&] {
    EXPECT_TRUE(queue.notify(SIGUSR2).failed_with(Errc::already_exists)) << "another process has it";
    queue.send(bytes_of("x"), 0, never).or_throw();
    queue.send(bytes_of("y"), 0, never).or_throw();
  });
  EXPECT_EQ(blocked.take(20s), child.process().pid());
  (void)child.finish(never);
  EXPECT_EQ(blocked.take(0s), 0) << "the second message came into a queue that was not empty";
  EXPECT_TRUE(queue.notify(SIGUSR1)) << "once told, the place is free";
  EXPECT_TRUE(queue.cancel_notification());
  EXPECT_TRUE(queue.notify(SIGUSR1)) << "and when it was cancelled";
}

TEST(PosixQueue, whose_notified_process_was_killed_can_notify_another) {  // F70
  const std::string name = "/" + kit::unique_name();
  PosixQueue queue = PosixQueue::create(name, small).or_throw();
  const UnlinkOnExit guard(PosixQueue::unlink, name);
  const BlockedSignal blocked(SIGUSR1);
  kit::Sides sides({{"owner", [&](kit::Stage& stage) {
                       PosixQueue own = PosixQueue::open(name).or_throw();
                       own.notify(SIGUSR2).or_throw();
                       stage.signal("registered");
                       stage.await("nothing that ever comes");
                     }}});
  sides.stage().await("registered");
  EXPECT_TRUE(queue.notify(SIGUSR1).failed_with(Errc::already_exists));
  sides.side("owner").kill();
  wait_ready(sides.side("owner").process().fd(), Ready::reading, never).or_throw();
  EXPECT_TRUE(queue.notify(SIGUSR1));
  queue.send(bytes_of("x"), 0, never).or_throw();
  EXPECT_EQ(blocked.take(20s), ::getpid());
  sides.finish();
}

}  // namespace

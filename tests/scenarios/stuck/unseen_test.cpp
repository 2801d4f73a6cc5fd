/// `tenon why` to an ordinary user, of whom another user's process could help: it may not be looked at, or is hidden.
#include "locks.hpp"
#include "nobody.hpp"
#include "room.hpp"

#include <scenarios/transfer/command.hpp>

#include <kit/watchdog.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sem.h>

namespace stuck {
namespace {

using testing::HasSubstr;
using testing::Not;

// What is said of it as soon as it is seen to wait.
transfer::Finished told_of(pid_t waiter) {
  while (true) {
    auto answer = transfer::Command({"why", std::to_string(waiter)}).finish();
    if (!answer.output.contains("waits for nobody")) {
      return answer;
    }
  }
}

// The receiver belongs to root, and serves.
TEST(StuckUnseen, a_sender_whose_receiver_may_not_be_looked_at_is_not_accused) {
  const kit::Watchdog watchdog("another user's receiver");
  Room room;
  const std::string queue = room.queue();
  const mqd_t open = ::mq_open(queue.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::fchmod(open, 0666), 0);
  ::mq_close(open);
  room.start({}, [&] {
    ::mq_open(queue.c_str(), O_RDONLY);
    live();
  });
  as_nobody([] {},
            [&] {
              Room own;
              const pid_t sender = own.start({}, [&] {
                const mqd_t to = ::mq_open(queue.c_str(), O_WRONLY);
                ::mq_send(to, "x", 1, 0);
                ::mq_send(to, "y", 1, 0);
              });
              const auto answer = told_of(sender);
              EXPECT_EQ(answer.status.code(), 0) << answer.output;
              EXPECT_THAT(answer.output, HasSubstr("is full; not seen: who could end that"));
              EXPECT_THAT(answer.output, HasSubstr("could not be looked at"));
            });
}

void hide_other_users_processes() {
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2") != 0) {
    GTEST_SKIP() << "no /proc of one's own can be had here";
  }
}

TEST(StuckUnseen, who_is_hidden_is_not_called_dead) {
  const kit::Watchdog watchdog("hidden processes");
  Room room;
  const int set = room.sysv_set(1, 1);
  const Memory memory = room.memory();
  semid_ds state{};
  ASSERT_EQ(::semctl(set, 0, IPC_STAT, &state), 0);
  state.sem_perm.mode = 0666;
  ASSERT_EQ(::semctl(set, 0, IPC_SET, &state), 0);
  ASSERT_EQ(::chmod(("/dev/shm" + memory.name()).c_str(), 0666), 0);
  const pid_t owner = room.start({}, [&] {
    auto& mutex = memory.at<pthread_mutex_t>(0);
    make_mutex(mutex);
    ::pthread_mutex_lock(&mutex);
    operate(set, 0, -1);
    live();
  });
  as_nobody(hide_other_users_processes, [&] {
    ASSERT_EQ(::access(("/proc/" + std::to_string(owner)).c_str(), F_OK), -1);
    Room own;
    const pid_t at_set = own.start({}, [&] { operate(set, 0, -1); });
    const pid_t at_mutex = own.start({}, [&] { ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(0)); });
    for (const pid_t waiter : {at_set, at_mutex}) {
      const auto answer = told_of(waiter);
      EXPECT_EQ(answer.status.code(), 0) << answer.output;
      EXPECT_THAT(answer.output, Not(HasSubstr("dead")));
      EXPECT_THAT(answer.output, HasSubstr(std::to_string(owner)));
    }
  });
}

}  // namespace
}  // namespace stuck

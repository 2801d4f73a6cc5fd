/// Waits for System V queues and semaphores.
#include <kit/waiting_child.hpp>

#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <gmock/gmock.h>
#include <sys/msg.h>
#include <sys/sem.h>

namespace {

using namespace tenon;
using namespace tenon::inspect;
using kit::Seen;
using kit::seen_waiting;
using kit::WaitingChild;
using testing::ElementsAre;

struct Message {
  long type = 1;
  std::array<char, 8> text = {};
};

TEST(Waits, on_a_system_v_queue_both_ways_are_seen) {
  const kit::Watchdog watchdog("two who wait on a queue");
  const int queue = ::msgget(IPC_PRIVATE, 0600);
  ASSERT_NE(queue, -1);
  {
    WaitingChild receiver([&] {
      Message message;
      ::msgrcv(queue, &message, sizeof message.text, 0, 0);
    });
    const Seen seen = seen_waiting(receiver.pid(), "msgrcv");
    EXPECT_EQ(seen.object().kind, Kind::sysv_queue);
    EXPECT_EQ(seen.object().id, queue);
    EXPECT_EQ(seen.wait.need, Need::message);
  }
  msqid_ds state{};
  ASSERT_EQ(::msgctl(queue, IPC_STAT, &state), 0);
  state.msg_qbytes = 8;
  ASSERT_EQ(::msgctl(queue, IPC_SET, &state), 0);
  WaitingChild sender([&] {
    const Message message;
    while (::msgsnd(queue, &message, sizeof message.text, 0) == 0) {
    }
  });
  const Seen seen = seen_waiting(sender.pid(), "msgsnd");
  EXPECT_EQ(seen.object().id, queue);
  EXPECT_EQ(seen.wait.need, Need::room);
  ::msgctl(queue, IPC_RMID, nullptr);
}

TEST(Waits, of_a_set_the_semaphore_that_holds_back_is_told) {
  const kit::Watchdog watchdog("two who wait for a set");
  const int set = ::semget(IPC_PRIVATE, 3, 0600);
  ASSERT_NE(set, -1);
  std::array first = {sembuf{.sem_num = 0, .sem_op = 1, .sem_flg = 0}, sembuf{.sem_num = 2, .sem_op = 1, .sem_flg = 0}};
  ASSERT_EQ(::semop(set, first.data(), first.size()), 0);
  const auto held_back_by = [&](std::array<sembuf, 2> operations) {
    WaitingChild child([&] { ::semop(set, operations.data(), operations.size()); });
    // Some C libraries make one call of both.
    const Seen seen = seen_waiting(child.pid(), "semtimedop");
    EXPECT_EQ(seen.object().id, set);
    EXPECT_EQ(seen.wait.need, Need::lock);
    EXPECT_FALSE(seen.wait.gives_up);
    return seen.wait.semaphore;
  };
  EXPECT_EQ(held_back_by(
                {sembuf{.sem_num = 0, .sem_op = -1, .sem_flg = 0}, sembuf{.sem_num = 1, .sem_op = -1, .sem_flg = 0}}),
            1U);
  EXPECT_EQ(
      held_back_by({sembuf{.sem_num = 1, .sem_op = 0, .sem_flg = 0}, sembuf{.sem_num = 2, .sem_op = 0, .sem_flg = 0}}),
      2U);
  // One after the other: what an operation gives, the next has.
  EXPECT_EQ(
      held_back_by({sembuf{.sem_num = 2, .sem_op = 1, .sem_flg = 0}, sembuf{.sem_num = 1, .sem_op = -1, .sem_flg = 0}}),
      1U);
  EXPECT_EQ(held_back_by(
                {sembuf{.sem_num = 2, .sem_op = -1, .sem_flg = 0}, sembuf{.sem_num = 2, .sem_op = -1, .sem_flg = 0}}),
            2U)
      << "what the first takes the second has not";
  ::semctl(set, 0, IPC_RMID);
}

TEST(Waits, of_a_semaphore_that_is_given_first_it_is_another_that_holds_back) {
  const kit::Watchdog watchdog("who gives and takes at once");
  const int set = ::semget(IPC_PRIVATE, 2, 0600);
  ASSERT_NE(set, -1);
  std::array operations = {sembuf{.sem_num = 0, .sem_op = 2, .sem_flg = 0},
                           sembuf{.sem_num = 0, .sem_op = -1, .sem_flg = 0},
                           sembuf{.sem_num = 1, .sem_op = -1, .sem_flg = 0}};
  WaitingChild child([&] { ::semop(set, operations.data(), operations.size()); });
  EXPECT_EQ(seen_waiting(child.pid(), "semtimedop").wait.semaphore, 1U);
  ::semctl(set, 0, IPC_RMID);
}

TEST(Waits, of_a_set_whose_kind_was_not_asked_for_are_not_said_to_be_of_one_that_is_gone) {
  const kit::Watchdog watchdog("a look at pipes alone");
  const int set = ::semget(IPC_PRIVATE, 1, 0600);
  ASSERT_NE(set, -1);
  WaitingChild waiter([&] {
    sembuf take{.sem_num = 0, .sem_op = -1, .sem_flg = 0};
    ::semop(set, &take, 1);
  });
  seen_waiting(waiter.pid(), "semtimedop");
  const Snapshot pipes = snapshot({.kinds = {Kind::pipe}, .directories = {}, .waits = true});
  const auto wait = std::ranges::find(pipes.waits, waiter.pid(), &Wait::pid);
  if (wait != pipes.waits.end()) {
    EXPECT_EQ(wait->unseen, "");
    EXPECT_TRUE(wait->elsewhere);
  }
  ::semctl(set, 0, IPC_RMID);
}

}  // namespace

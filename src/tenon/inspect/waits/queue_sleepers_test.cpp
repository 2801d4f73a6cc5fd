/// Who sleeps at which System V queue.
#include <tenon/inspect/waits/queue_sleepers.hpp>

#include <tenon/os/procfs.hpp>

#include <kit/waiting_child.hpp>

#include <kit/watchdog.hpp>

#include <array>
#include <csignal>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/msg.h>

namespace {

using kit::WaitingChild;
using tenon::inspect::QueueSleepers;
using testing::ElementsAre;
using testing::IsEmpty;

struct Message {
  long type = 1;
  std::array<char, 8> text = {};
};

class Queue {
 public:
  Queue() : id_(::msgget(IPC_PRIVATE, 0600)) {}
  ~Queue() { ::msgctl(id_, IPC_RMID, nullptr); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  int id() const noexcept { return id_; }
  void receive() const {
    Message message;
    ::msgrcv(id_, &message, sizeof message.text, 0, 0);
  }

 private:
  int id_;
};

TEST(QueueSleepers, one_look_tells_of_all_queues) {
  const kit::Watchdog watchdog("two who sleep at queues");
  const Queue one;
  const Queue other;
  const Queue nobodys;
  WaitingChild first([&] { one.receive(); });
  WaitingChild second([&] { other.receive(); });
  kit::seen_waiting(first.pid(), "msgrcv");
  kit::seen_waiting(second.pid(), "msgrcv");
  QueueSleepers look;
  EXPECT_THAT(look.at(one.id()), ElementsAre(first.pid()));
  EXPECT_THAT(look.at(other.id()), ElementsAre(second.pid()));
  EXPECT_THAT(look.at(nobodys.id()), IsEmpty());
  WaitingChild late([&] { nobodys.receive(); });
  kit::seen_waiting(late.pid(), "msgrcv");
  EXPECT_THAT(look.at(nobodys.id()), IsEmpty()) << "it has looked, and does not look again";
  EXPECT_THAT(QueueSleepers().at(nobodys.id()), ElementsAre(late.pid()));
}

void until_stopped(pid_t pid) {
  while (tenon::procfs::process(pid).or_throw().state != 'T') {
    ::sched_yield();
  }
}

TEST(QueueSleepers, one_that_was_stopped_there_is_still_at_the_queue) {
  const kit::Watchdog watchdog("one who was stopped at a queue");
  const Queue queue;
  WaitingChild receiver([&] { queue.receive(); });
  kit::seen_waiting(receiver.pid(), "msgrcv");
  ASSERT_EQ(::kill(receiver.pid(), SIGSTOP), 0);
  until_stopped(receiver.pid());
  EXPECT_THAT(QueueSleepers().at(queue.id()), ElementsAre(receiver.pid()));
}

}  // namespace

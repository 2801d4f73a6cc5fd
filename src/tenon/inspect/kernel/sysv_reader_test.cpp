/// System V objects as a snapshot shows them, in an IPC namespace of their own.
#include <tenon/inspect/kernel/scene.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <tenon/os/fd.hpp>
#include <tenon/os/process.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

namespace {

using namespace tenon;
using inspect::Kind;
using inspect::Relation;
using inspect::Snapshot;
using testing::Contains;
using testing::HasSubstr;

Snapshot only(Kind kind) { return inspect::snapshot({.kinds = {kind}, .directories = {}}); }

// The edge of that relation, if there is exactly one.
const inspect::Edge* edge(const Snapshot& all, Relation relation) {
  const inspect::Edge* found = nullptr;
  for (const inspect::Edge& one : all.edges) {
    if (one.relation == relation) {
      EXPECT_EQ(found, nullptr) << "a second edge of the same kind";
      found = &one;
    }
  }
  return found;
}

struct Letter {
  long type;
  std::array<char, 5> text;
};

Child paused() {
  return spawn([] { return ::pause(); }).or_throw();
}

void end(Child& child) {
  EXPECT_TRUE(child.signal(SIGKILL));
  EXPECT_TRUE(child.wait(never));
}

TEST(InspectSystemV, a_queue_shows_its_key_owner_mode_depth_and_who_sent_last) {
  kit::in_private_namespaces([] {
    EXPECT_TRUE(only(Kind::sysv_queue).objects.empty());
    const int id = ::msgget(0x162e, IPC_CREAT | IPC_EXCL | 0640);
    ASSERT_NE(id, -1);
    const Letter letter{.type = 1, .text = {'h', 'e', 'l', 'l', 'o'}};
    ASSERT_EQ(::msgsnd(id, &letter, sizeof letter.text, 0), 0);
    const Snapshot all = only(Kind::sysv_queue);
    ASSERT_EQ(all.objects.size(), 1U);
    const inspect::Object& queue = all.objects.front();
    EXPECT_EQ(queue.name, "0x0000162e");
    EXPECT_EQ(queue.id, id);
    EXPECT_EQ(queue.owner, ::geteuid());
    EXPECT_EQ(queue.creator, ::geteuid());
    EXPECT_EQ(queue.mode, mode_t{0640});
    EXPECT_EQ(queue.figure("messages"), 1U);
    EXPECT_EQ(queue.figure("bytes"), 5U);
    EXPECT_GT(queue.figure("max_bytes").value_or(0), 5U);
    EXPECT_TRUE(queue.changed && queue.used);
    const inspect::Edge* sender = edge(all, Relation::last_sent);
    ASSERT_NE(sender, nullptr);
    EXPECT_EQ(sender->pid, ::getpid());
    EXPECT_FALSE(sender->ended);
    ASSERT_NE(all.process(::getpid()), nullptr);
    EXPECT_EQ(all.process(::getpid())->user, ::geteuid());
    EXPECT_EQ(edge(all, Relation::last_received), nullptr);
    ::msgctl(id, IPC_RMID, nullptr);
    EXPECT_TRUE(only(Kind::sysv_queue).objects.empty());
  });
}

// F51
TEST(InspectSystemV, a_process_that_started_after_the_deed_did_not_do_it) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const Fd reader = Fd::adopt(pipe[0]);
  const Fd writer = Fd::adopt(pipe[1]);
  Snapshot all;
  all.processes = {*only(Kind::pipe).process(::getpid())};
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  inspect::add_remembered(all, 0, Relation::last_sent, ::getpid(), now);
  inspect::add_remembered(all, 0, Relation::last_sent, ::getpid(), now - 1'000'000'000);
  inspect::tell_who_came_later(all);
  ASSERT_EQ(all.edges.size(), 2U);
  EXPECT_FALSE(all.edges[0].ended);
  EXPECT_TRUE(all.edges[1].ended) << "the id is another process's by now";
}

// F51
TEST(InspectSystemV, a_last_user_that_has_ended_is_no_living_process) {
  kit::in_private_namespaces([] {
    const int id = ::msgget(IPC_PRIVATE, 0600);
    Child sender = spawn([&] {
                     const Letter letter{.type = 1, .text = {}};
                     return ::msgsnd(id, &letter, sizeof letter.text, 0);
                   }).or_throw();
    EXPECT_TRUE(sender.wait(never).or_throw().success());
    const Snapshot all = only(Kind::sysv_queue);
    ASSERT_EQ(all.objects.size(), 1U);
    EXPECT_EQ(all.objects.front().name, "0x00000000");
    const inspect::Edge* last = edge(all, Relation::last_sent);
    ASSERT_NE(last, nullptr);
    EXPECT_EQ(last->pid, sender.pid());
    EXPECT_TRUE(last->ended);
    EXPECT_EQ(all.process(sender.pid()), nullptr);
    ::msgctl(id, IPC_RMID, nullptr);
  });
}

TEST(InspectSystemV, memory_shows_who_has_it_attached_and_that_it_is_marked_for_removal) {
  kit::in_private_namespaces([] {
    const int id = ::shmget(0x77, 8192, IPC_CREAT | IPC_EXCL | 0600);
    ASSERT_NE(id, -1);
    void* here = ::shmat(id, nullptr, 0);
    Child other = paused();  // it inherits the attachment
    Snapshot all = only(Kind::sysv_memory);
    ASSERT_EQ(all.objects.size(), 1U);
    EXPECT_EQ(all.objects.front().figure("bytes"), 8192U);
    EXPECT_EQ(all.objects.front().figure("attached"), 2U);
    EXPECT_EQ(all.objects.front().state, "");
    std::vector<pid_t> holders;
    for (const inspect::Edge& one : all.edges) {
      if (is_hold(one.relation)) {
        EXPECT_EQ(one.relation, Relation::maps);
        holders.push_back(one.pid);
      }
    }
    EXPECT_THAT(holders, testing::UnorderedElementsAre(::getpid(), other.pid()));
    ::shmctl(id, IPC_RMID, nullptr);
    all = only(Kind::sysv_memory);
    ASSERT_EQ(all.objects.size(), 1U) << "it goes with the last one who has it attached";
    EXPECT_EQ(all.objects.front().state, "marked for removal");
    EXPECT_EQ(all.objects.front().name, "0x00000000") << "the key is free at once";
    end(other);
    ::shmdt(here);
    EXPECT_TRUE(only(Kind::sysv_memory).objects.empty());
  });
}

TEST(InspectSystemV, memory_of_another_ipc_namespace_is_not_taken_for_ones_own) {
  kit::in_private_namespaces([] {
    const int id = ::shmget(IPC_PRIVATE, 4096, 0600);
    kit::run_sides({{"elsewhere",
                     [&](kit::Stage& stage) {
                       ASSERT_EQ(::unshare(CLONE_NEWIPC), 0) << std::strerror(errno);
                       const int same = ::shmget(IPC_PRIVATE, 4096, 0600);
                       ASSERT_EQ(same, id) << "each namespace counts from the same number";
                       void* memory = ::shmat(same, nullptr, 0);
                       stage.signal("attached");
                       stage.await("looked");
                       ::shmdt(memory);
                       ::shmctl(same, IPC_RMID, nullptr);
                     }},
                    {"here", [&](kit::Stage& stage) {
                       stage.await("attached");
                       const Snapshot all = only(Kind::sysv_memory);
                       ASSERT_EQ(all.objects.size(), 1U);
                       EXPECT_EQ(edge(all, Relation::maps), nullptr);
                       stage.signal("looked");
                     }}});
    ::shmctl(id, IPC_RMID, nullptr);
  });
}

TEST(InspectSystemV, semaphores_show_their_value_who_waits_and_who_was_last) {
  kit::in_private_namespaces([] {
    const kit::Watchdog watchdog("the waiter falls asleep");
    const int id = ::semget(0x99, 1, IPC_CREAT | IPC_EXCL | 0600);
    ASSERT_NE(id, -1);
    sembuf up{.sem_num = 0, .sem_op = 3, .sem_flg = 0};
    ASSERT_EQ(::semop(id, &up, 1), 0);
    Snapshot all = only(Kind::sysv_semaphore);
    ASSERT_EQ(all.objects.size(), 1U);
    EXPECT_EQ(all.objects.front().name, "0x00000099");
    EXPECT_EQ(all.objects.front().figure("semaphores"), 1U);
    EXPECT_EQ(all.objects.front().figure("value"), 3U);
    EXPECT_EQ(all.objects.front().figure("waiting"), 0U);
    const inspect::Edge* last = edge(all, Relation::last_operated);
    ASSERT_NE(last, nullptr);
    EXPECT_EQ(last->pid, ::getpid());
    Child waiter = spawn([&] {
                     sembuf down{.sem_num = 0, .sem_op = -4, .sem_flg = 0};
                     return ::semop(id, &down, 1);
                   }).or_throw();
    while (::semctl(id, 0, GETNCNT) == 0) {
      ::sched_yield();
    }
    EXPECT_EQ(only(Kind::sysv_semaphore).objects.front().figure("waiting"), 1U);
    end(waiter);
    ::semctl(id, 0, IPC_RMID);
  });
}

TEST(InspectSystemV, of_a_set_the_number_of_semaphores_is_told) {
  kit::in_private_namespaces([] {
    const int id = ::semget(IPC_PRIVATE, 5, 0600);
    const Snapshot all = only(Kind::sysv_semaphore);
    ASSERT_EQ(all.objects.size(), 1U);
    EXPECT_EQ(all.objects.front().figure("semaphores"), 5U);
    EXPECT_FALSE(all.objects.front().figure("value")) << "five have no one value";
    ::semctl(id, 0, IPC_RMID);
  });
}

TEST(InspectSystemV, what_one_may_not_read_is_listed_without_its_figures) {
  kit::in_private_namespaces([] {
    const int queue = ::msgget(IPC_PRIVATE, 0600);
    const int set = ::semget(IPC_PRIVATE, 1, 0600);
    Child other = spawn([] {
                    if (::setuid(65534) == -1) {
                      return 77;
                    }
                    const Snapshot all =
                        inspect::snapshot({.kinds = {Kind::sysv_queue, Kind::sysv_semaphore}, .directories = {}});
                    const bool listed = all.objects.size() == 2 && all.objects[0].figure("messages") == 0U &&
                                        all.objects[1].figure("semaphores") == 1U && !all.objects[1].figure("value");
                    const bool said = !all.unseen.empty() && all.unseen.front().find("process") != std::string::npos;
                    return listed && said ? 0 : 1;
                  }).or_throw();
    const ExitStatus status = other.wait(never).or_throw();
    ::msgctl(queue, IPC_RMID, nullptr);
    ::semctl(set, 0, IPC_RMID);
    if (status.code() == 77) {
      GTEST_SKIP() << "needs root to become another user";
    }
    EXPECT_TRUE(status.success());
  });
}

}  // namespace

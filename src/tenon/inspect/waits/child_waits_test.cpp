/// Who waits for which child.
#include <kit/waiting_child.hpp>

#include <kit/shared.hpp>
#include <kit/watchdog.hpp>

#include <atomic>
#include <csignal>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace tenon;
using namespace tenon::inspect;
using kit::Seen;
using kit::seen_waiting;
using kit::WaitingChild;
using testing::ElementsAre;
using testing::IsEmpty;

using Pid = std::atomic<pid_t>;

// A child that sleeps until its parent, or the thread that made it, ends.
pid_t sleeping_child() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    kit::wait_to_be_killed();
  }
  return child;
}

pid_t set_by(const Pid& pid) {
  while (pid == 0) {
    ::sched_yield();
  }
  return pid;
}

TEST(ChildWaits, children_of_its_other_threads_are_those_of_the_process) {
  const kit::Watchdog watchdog("a parent of two threads");
  const kit::Shared<Pid> child;
  WaitingChild parent([&] {
    std::jthread other([&] {
      *child = sleeping_child();
      kit::wait_to_be_killed();
    });
    set_by(*child);
    ::waitpid(-1, nullptr, 0);
  });
  const Seen seen = seen_waiting(parent.pid(), "wait4");
  EXPECT_THAT(seen.wait.processes, ElementsAre(child->load()));
}

TEST(ChildWaits, a_thread_that_waits_for_its_own_alone_does_not_wait_for_theirs) {
  const kit::Watchdog watchdog("a thread with a child of its own");
  const kit::Shared<Pid> theirs;
  const kit::Shared<Pid> own;
  WaitingChild parent([&] {
    std::jthread other([&] {
      *theirs = sleeping_child();
      kit::wait_to_be_killed();
    });
    set_by(*theirs);
    *own = sleeping_child();
    ::waitpid(-1, nullptr, __WNOTHREAD);
  });
  const Seen seen = seen_waiting(parent.pid(), "wait4");
  EXPECT_THAT(seen.wait.processes, ElementsAre(own->load()));
}

TEST(ChildWaits, a_pidfd_leads_to_its_process) {
  const kit::Watchdog watchdog("a parent with a pidfd");
  const kit::Shared<Pid> child;
  WaitingChild parent([&] {
    const pid_t made = sleeping_child();
    sleeping_child();
    const auto pidfd = static_cast<id_t>(::syscall(SYS_pidfd_open, made, 0));
    *child = made;
    siginfo_t info{};
    ::waitid(static_cast<idtype_t>(3), pidfd, &info, WEXITED);
  });
  const Seen seen = seen_waiting(parent.pid(), "waitid");
  EXPECT_THAT(seen.wait.processes, ElementsAre(child->load()));
}

// The first process of a new PID namespace, which waits there for its second child, number 3.
void wait_in_namespace(Pid& told) {
  const bool made = ::unshare(::geteuid() == 0 ? CLONE_NEWPID : CLONE_NEWUSER | CLONE_NEWPID) == 0;
  const pid_t first = made ? ::fork() : -1;
  if (first == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_DUMPABLE, 1);
    sleeping_child();
    ::waitpid(sleeping_child(), nullptr, 0);
  }
  told = first;
  kit::wait_to_be_killed();
}

TEST(ChildWaits, an_id_of_another_pid_namespace_is_translated) {
  const kit::Watchdog watchdog("a parent in a PID namespace");
  const kit::Shared<Pid> parent;
  WaitingChild outside([&] { wait_in_namespace(*parent); });
  const pid_t pid = set_by(*parent);
  if (pid == -1) {
    GTEST_SKIP() << "no PID namespace may be made here";
  }
  const Seen seen = seen_waiting(pid, "wait4");
  ASSERT_EQ(seen.wait.processes.size(), 1U);
  const Process* child = seen.all.process(seen.wait.processes.front());
  ASSERT_NE(child, nullptr) << "its id as it is here";
  EXPECT_GT(child->pid, 3);
  EXPECT_EQ(seen.wait.unseen, "");
}

}  // namespace

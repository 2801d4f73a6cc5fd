#include <kit/leak_check.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/unique.hpp>
#include <tenon/os/process.hpp>

#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <mqueue.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(LeakCheck, is_content_when_all_is_given_back) {
  const kit::LeakCheck check;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_THAT(check.leaked(), IsEmpty());
}

TEST(LeakCheck, names_a_descriptor_that_stays_open) {
  int kept = -1;
  EXPECT_NONFATAL_FAILURE(
      {
        const kit::LeakCheck check;
        kept = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
      },
      "/dev/null");
  ::close(kept);
}

void put_in_place_of(int number, const char* path) {
  const tenon::Fd other = tenon::fd_from(::open(path, O_RDONLY | O_CLOEXEC), "open").or_throw();
  ASSERT_GE(number, 0);
  ::dup2(other.raw(), number);
}

TEST(LeakCheck, sees_a_number_that_was_reused_for_something_else) {
  const int number = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  {
    const kit::LeakCheck check;
    put_in_place_of(number, "/dev/zero");
    EXPECT_THAT(check.leaked(), ElementsAre(HasSubstr("/dev/zero")));
    put_in_place_of(number, "/dev/null");
    EXPECT_THAT(check.leaked(), IsEmpty());
  }
  ::close(number);
}

TEST(LeakCheck, names_a_child_that_nobody_reaped) {
  const kit::LeakCheck check;
  auto child = tenon::spawn([] { return ::pause(); });
  ASSERT_TRUE(child);
  EXPECT_THAT(check.leaked(), Contains(HasSubstr("child " + std::to_string(child->pid()))));
  (void)child->signal(SIGKILL);
  EXPECT_TRUE(child->wait(tenon::never));
  child = tenon::fail(tenon::Errc::closed);  // its pidfd counts as well
}

void expect_leak(const std::string& line, const std::function<void()>& make, const std::function<void()>& remove) {
  const kit::LeakCheck check(kit::Scope::machine);
  make();
  EXPECT_THAT(check.leaked(), ElementsAre(HasSubstr(line)));
  remove();
}

TEST(LeakCheck, names_kernel_objects) {
  kit::in_private_namespaces([] {
    expect_leak("/dev/shm/m", [] { ::close(::shm_open("/m", O_CREAT | O_RDWR, 0600)); }, [] { ::shm_unlink("/m"); });
    expect_leak(
        "/dev/mqueue/q", [] { ::mq_close(::mq_open("/q", O_CREAT | O_RDWR, 0600, nullptr)); },
        [] { ::mq_unlink("/q"); });
    int id = -1;
    expect_leak(
        "System V memory", [&] { id = ::shmget(7, 4096, IPC_CREAT | 0600); }, [&] { ::shmctl(id, IPC_RMID, nullptr); });
    expect_leak(
        "System V semaphores", [&] { id = ::semget(7, 1, IPC_CREAT | 0600); }, [&] { ::semctl(id, 0, IPC_RMID); });
    expect_leak(
        "System V queue", [&] { id = ::msgget(7, IPC_CREAT | 0600); }, [&] { ::msgctl(id, IPC_RMID, nullptr); });
  });
}

TEST(PrivateNamespaces, begin_empty) {
  const kit::UniqueDirectory outside;
  kit::in_private_namespaces([&] {
    EXPECT_THAT(kit::names_in("/dev/shm"), IsEmpty());
    EXPECT_THAT(kit::names_in("/dev/mqueue"), IsEmpty());
    EXPECT_EQ(::access(outside.path().c_str(), F_OK), -1);
  });
  EXPECT_EQ(::access(outside.path().c_str(), F_OK), 0);
}

TEST(PrivateNamespaces, number_processes_afresh) {
  kit::in_private_namespaces([] { EXPECT_EQ(::getpid(), 1); }, kit::Namespaces::objects_and_pids);
}

TEST(PrivateNamespaces, bring_failures_back) {
  kit::in_private_namespaces([] {}, kit::Namespaces::objects_and_pids);
  if (IsSkipped()) {
    return;  // there are none here, and it has said why
  }
  EXPECT_NONFATAL_FAILURE(
      kit::in_private_namespaces([] { FAIL() << "from inside"; }, kit::Namespaces::objects_and_pids), "from inside");
}

}  // namespace

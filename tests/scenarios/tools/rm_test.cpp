#include "fixture.hpp"

#include <tenon/os/fd.hpp>
#include <tenon/os/unix_address.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tools {
namespace {

using namespace tenon;
using testing::AllOf;
using testing::HasSubstr;

Finished rm(const std::string& target) { return run({"rm", target}); }

void expect_removed(const std::string& target) {
  const Finished first = rm(target);
  EXPECT_TRUE(first.status.success()) << target << ": " << first.errors;
  EXPECT_THAT(first.output, HasSubstr("removed "));
  const Finished again = rm(target);
  EXPECT_EQ(again.status, ExitStatus::exited(1)) << target;
  EXPECT_THAT(again.errors, HasSubstr("not found")) << target;
}

// Refused with these words, and removed with --force all the same.
void expect_forced(const std::string& target, const std::string& why) {
  const Finished refused = rm(target);
  EXPECT_EQ(refused.status, ExitStatus::exited(1)) << target;
  EXPECT_THAT(refused.errors, AllOf(HasSubstr(why), HasSubstr("--force"))) << target;
  EXPECT_TRUE(run({"rm", target, "--force"}).status.success()) << target;
  EXPECT_THAT(rm(target).errors, HasSubstr("not found")) << target;
}

std::string numbered(const std::string& kind, int id) { return kind + ":#" + std::to_string(id); }

std::string own_pid() { return std::to_string(::getpid()); }

TEST(ToolsRm, removes_each_kind_and_finds_nothing_the_second_time) {
  kit::in_private_namespaces([] {
    const kit::UniqueDirectory directory;
    const std::string fifo = directory / "fifo";
    const std::string socket = directory / "socket";
    ::mq_close(::mq_open("/jobs", O_CREAT | O_RDWR, 0600, nullptr));
    ::close(::shm_open("/frames", O_CREAT | O_RDWR, 0600));
    ::sem_close(::sem_open("/turn", O_CREAT, 0600, 1));
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    {
      const auto address = UnixAddress::path(socket).or_throw();
      const Fd stale = fd_from(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket").or_throw();
      ASSERT_EQ(::bind(stale.raw(), address.raw(), address.length()), 0);
    }
    expect_removed("posix_queue:/jobs");
    expect_removed("posix_memory:/frames");
    expect_removed("posix_semaphore:/turn");
    expect_removed("fifo:" + fifo);
    expect_removed("unix_socket:" + socket);
    ::msgget(5678, IPC_CREAT | 0600);
    ::semget(0x99, 1, IPC_CREAT | 0600);
    expect_removed("sysv_queue:5678");
    expect_removed("sysv_semaphore:0x99");
    const int segment = ::shmget(IPC_PRIVATE, 4096, 0600);
    // Its creator lives, but nobody has it attached.
    expect_removed(numbered("sysv_memory", segment));
  });
}

TEST(ToolsRm, wants_force_for_what_is_held_and_says_by_whom) {
  kit::in_private_namespaces([] {
    const kit::UniqueDirectory directory;
    const std::string path = directory / "fifo";
    const Fd queue = fd_from(::mq_open("/jobs", O_CREAT | O_RDWR | O_CLOEXEC, 0600, nullptr), "mq_open").or_throw();
    const Fd memory = fd_from(::shm_open("/frames", O_CREAT | O_RDWR, 0600), "shm_open").or_throw();
    sem_t* semaphore = ::sem_open("/turn", O_CREAT, 0600, 1);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    const Fd reader = fd_from(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), "open").or_throw();
    expect_forced("posix_queue:/jobs", "held by " + own_pid());
    expect_forced("posix_memory:/frames", "held by " + own_pid());
    expect_forced("posix_semaphore:/turn", "held by " + own_pid());
    expect_forced("fifo:" + path, "held by " + own_pid());
    ::sem_close(semaphore);
  });
}

TEST(ToolsRm, wants_force_for_a_socket_at_which_somebody_listens) {
  const kit::UniqueDirectory directory;
  const auto address = UnixAddress::path(directory / "socket").or_throw();
  const Fd listener = fd_from(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket").or_throw();
  ASSERT_EQ(::bind(listener.raw(), address.raw(), address.length()), 0);
  ASSERT_EQ(::listen(listener.raw(), 1), 0);
  expect_forced("unix_socket:" + std::string(address.name()), "held by " + own_pid());
}

TEST(ToolsRm, wants_force_for_system_v_objects_that_are_in_use) {
  kit::in_private_namespaces([] {
    const int segment = ::shmget(IPC_PRIVATE, 4096, 0600);
    void* memory = ::shmat(segment, nullptr, 0);
    const Finished refused = rm(numbered("sysv_memory", segment));
    EXPECT_EQ(refused.status, ExitStatus::exited(1));
    EXPECT_THAT(refused.errors, AllOf(HasSubstr("held by " + own_pid()), HasSubstr("--force")));
    const Finished forced = run({"rm", numbered("sysv_memory", segment), "--force"});
    EXPECT_TRUE(forced.status.success());
    EXPECT_THAT(forced.output, HasSubstr("stay until")) << "removal is at the last detach";
    ::shmdt(memory);
    EXPECT_THAT(rm(numbered("sysv_memory", segment)).errors, HasSubstr("not found"));

    const int queue = ::msgget(IPC_PRIVATE, 0600);
    const std::array<char, 16> message = {1};
    ASSERT_EQ(::msgsnd(queue, message.data(), 1, 0), 0);
    expect_forced(numbered("sysv_queue", queue), "last used by " + own_pid());
    const int set = ::semget(IPC_PRIVATE, 1, 0600);
    ASSERT_EQ(::semctl(set, 0, SETVAL, 1), 0);
    expect_forced(numbered("sysv_semaphore", set), "last used by " + own_pid());
  });
}

TEST(ToolsRm, tells_of_the_messages_that_went_with_a_queue) {
  kit::in_private_namespaces([] {
    const mqd_t queue = ::mq_open("/jobs", O_CREAT | O_RDWR, 0600, nullptr);
    ASSERT_EQ(::mq_send(queue, "x", 1, 0), 0);
    ::mq_close(queue);
    EXPECT_THAT(rm("posix_queue:/jobs").output, HasSubstr("removed posix_queue:/jobs, with 1 unread message"));
  });
}

// F12
TEST(ToolsRm, refuses_another_users_and_names_the_user) {
  kit::in_private_namespaces([] {
    const int memory = ::shm_open("/theirs", O_CREAT | O_RDWR, 0600);
    ::close(memory);
    const int set = ::semget(0x99, 1, IPC_CREAT | 0600);
    kit::ReportedChild other("another user", [&] {
      if (::setuid(65534) == -1 || ::access(TENON_PROGRAM, X_OK) == -1) {
        GTEST_SKIP() << "needs root to become another user, and a build that others may read";
      }
      for (const auto& target : {std::string("posix_memory:/theirs"), numbered("sysv_semaphore", set)}) {
        const Finished refused = run({"rm", target, "--force"});
        EXPECT_EQ(refused.status, ExitStatus::exited(1));
        EXPECT_THAT(refused.errors, HasSubstr("uid 0, not to uid 65534"));
      }
    });
    EXPECT_TRUE(other.finish(never));
    ::shm_unlink("/theirs");
    ::semctl(set, 0, IPC_RMID);
  });
}

TEST(ToolsRm, as_root_wants_force_for_what_is_anothers) {
  kit::in_private_namespaces([] {
    ::close(::shm_open("/theirs", O_CREAT | O_RDWR, 0600));
    if (::geteuid() != 0 || ::chown("/dev/shm/theirs", 65534, 65534) == -1) {
      ::shm_unlink("/theirs");
      GTEST_SKIP() << "needs root";
    }
    expect_forced("posix_memory:/theirs", "belongs to uid 65534");
  });
}

// F75
TEST(ToolsRm, removes_nothing_of_another_kind) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "file";
  std::ofstream(path) << "precious";
  for (const auto* kind : {"fifo:", "unix_socket:"}) {
    const Finished refused = rm(kind + path);
    EXPECT_EQ(refused.status, ExitStatus::exited(1));
    EXPECT_THAT(refused.errors, HasSubstr("wrong kind"));
  }
  const std::string fifo = directory / "fifo";
  const std::string link = directory / "link";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  ASSERT_EQ(::symlink(fifo.c_str(), link.c_str()), 0);
  EXPECT_THAT(rm("fifo:" + link).errors, HasSubstr("wrong kind"));
  for (const std::string& left : {path, fifo, link}) {
    EXPECT_EQ(::unlink(left.c_str()), 0) << left;
  }
}

TEST(ToolsRm, one_that_fails_does_not_keep_the_others) {
  const kit::UniqueDirectory directory;
  const std::string fifo = directory / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const Finished finished = run({"rm", "fifo:" + (directory / "none"), "fifo:" + fifo});
  EXPECT_EQ(finished.status, ExitStatus::exited(1));
  EXPECT_THAT(finished.output, HasSubstr("removed fifo:" + fifo));
}

TEST(ToolsRm, a_target_that_is_none_ends_with_2_and_says_how_one_looks) {
  const std::vector<std::pair<std::string, std::string>> targets = {
      {"/jobs", "a kind is one of"},
      {"jobs:/jobs", "a kind is one of"},
      {"posix_queue", "KIND:NAME"},
      {"posix_queue:", "KIND:NAME"},
      {"posix_queue:jobs", "begins with /"},
      {"posix_memory:/a/b", "begins with /"},
      {"sysv_queue:#x", "identifier"},
      {"sysv_queue:jobs", "key"},
      {"sysv_queue:0", "by #ID"},
  };
  for (const auto& [target, why] : targets) {
    const Finished finished = rm(target);
    EXPECT_EQ(finished.status, ExitStatus::exited(2)) << target;
    EXPECT_THAT(finished.errors, HasSubstr(why)) << target;
  }
}

TEST(ToolsRm, what_has_no_name_cannot_be_removed_and_that_is_said) {
  const std::string label = kit::unique_name("label");
  const Fd memory = fd_from(::memfd_create(label.c_str(), MFD_CLOEXEC), "memfd_create").or_throw();
  const Finished finished = run({"rm", "memfd:" + label, "--force"});
  EXPECT_EQ(finished.status, ExitStatus::exited(1));
  EXPECT_THAT(finished.errors, HasSubstr("goes with the last process"));
}

}  // namespace
}  // namespace tools

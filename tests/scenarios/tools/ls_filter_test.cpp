// What `tenon ls` leaves out when it is asked to.
#include "fixture.hpp"

#include <tenon/os/fd.hpp>
#include <tenon/os/process.hpp>

#include <kit/asleep.hpp>
#include <kit/enclosed_descriptors.hpp>
#include <kit/private_namespaces.hpp>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <mqueue.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tools {
namespace {

using namespace tenon;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Fd queue(const char* name) {
  return fd_from(::mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, nullptr), "mq_open").or_throw();
}

void forget(const std::vector<std::string>& queues) {
  for (const std::string& name : queues) {
    EXPECT_EQ(::mq_unlink(name.c_str()), 0) << name;
  }
}

std::vector<std::string> names_listed(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"ls", "--json"});
  const Finished finished = run(arguments);
  EXPECT_TRUE(finished.status.success()) << finished.errors;
  const json value = parsed(finished);
  expect_schema(value, schema("ls"));
  std::vector<std::string> names;
  for (const json& object : value["objects"]) {
    names.push_back(object["name"]);
  }
  return names;
}

TEST(ToolsLsFilter, by_name_takes_patterns) {
  kit::in_private_namespaces([] {
    const Fd one = queue("/jobs-a");
    const Fd two = queue("/jobs-b");
    const Fd other = queue("/other");
    EXPECT_THAT(names_listed({"--mechanism", "posix_queue", "--name", "/jobs*"}), ElementsAre("/jobs-a", "/jobs-b"));
    EXPECT_THAT(names_listed({"--mechanism", "posix_queue", "--name", "*-b", "--name", "/oth?r"}),
                ElementsAre("/jobs-b", "/other"));
    EXPECT_THAT(names_listed({"--mechanism", "posix_queue", "--name", "/nothing"}), IsEmpty());
    forget({"/jobs-a", "/jobs-b", "/other"});
  });
}

TEST(ToolsLsFilter, by_orphans_leaves_what_nobody_holds) {
  kit::in_private_namespaces([] {
    const Fd held = queue("/held");
    {
      const Fd left = queue("/left");
    }
    const int attached = ::shmget(IPC_PRIVATE, 4096, 0600);
    const int loose = ::shmget(0x4d2, 4096, IPC_CREAT | 0600);
    void* const memory = ::shmat(attached, nullptr, 0);
    EXPECT_THAT(names_listed({"--mechanism", "posix_queue", "--mechanism", "sysv_memory", "--orphans"}),
                ElementsAre("/left", "0x000004d2"));
    ::shmdt(memory);
    ::shmctl(attached, IPC_RMID, nullptr);
    ::shmctl(loose, IPC_RMID, nullptr);
    forget({"/held", "/left"});
  });
}

TEST(ToolsLsFilter, by_orphans_leaves_out_a_lock_on_its_way_to_another_process) {
  Fd locked = fd_from(::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), "open").or_throw();
  ASSERT_EQ(::flock(locked.raw(), LOCK_EX), 0);
  struct stat status{};
  ASSERT_EQ(::fstat(locked.raw(), &status), 0);
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const Fd sender = Fd::adopt(ends[0]);
  const Fd receiver = Fd::adopt(ends[1]);
  kit::send_with_descriptors(sender.view(), 1, locked.view());
  {
    const Fd gone = std::move(locked);
  }
  const std::string name = "inode " + std::to_string(status.st_ino) + " of device " + std::to_string(status.st_dev);
  EXPECT_THAT(names_listed({"--mechanism", "file_lock"}), Contains(name));
  EXPECT_THAT(names_listed({"--mechanism", "file_lock", "--orphans"}), Not(Contains(name)));
}

TEST(ToolsLsFilter, by_waiting_leaves_what_somebody_waits_for) {
  kit::in_private_namespaces([] {
    const int idle = ::semget(0x1, 1, IPC_CREAT | 0600);
    const int awaited = ::semget(0x2, 1, IPC_CREAT | 0600);
    Child waiter = spawn([&] {
                     sembuf down{.sem_num = 0, .sem_op = -1, .sem_flg = 0};
                     return ::semop(awaited, &down, 1);
                   }).or_throw();
    kit::until_asleep(waiter.pid());
    EXPECT_THAT(names_listed({"--mechanism", "sysv_semaphore", "--waiting"}), ElementsAre("0x00000002"));
    EXPECT_THAT(names_listed({"--mechanism", "sysv_semaphore", "--pid", std::to_string(waiter.pid())}),
                ElementsAre("0x00000002"));
    EXPECT_TRUE(waiter.signal(SIGKILL));
    EXPECT_TRUE(waiter.wait(never));
    EXPECT_THAT(names_listed({"--mechanism", "sysv_semaphore", "--waiting"}), IsEmpty());
    ::semctl(idle, 0, IPC_RMID);
    ::semctl(awaited, 0, IPC_RMID);
  });
}

TEST(ToolsLsFilter, by_process_leaves_what_that_one_has) {
  kit::in_private_namespaces([] {
    const Fd own = queue("/own");
    Child other = spawn([] {
                    const Fd theirs = queue("/theirs");
                    kit::wait_to_be_killed();
                    return 0;
                  }).or_throw();
    kit::until_asleep(other.pid());
    EXPECT_THAT(names_listed({"--mechanism", "posix_queue", "--pid", std::to_string(other.pid())}),
                ElementsAre("/own", "/theirs"))
        << "the child inherits what its parent has open";
    EXPECT_THAT(names_listed({"--mechanism", "posix_queue", "--pid", std::to_string(::getpid())}), ElementsAre("/own"));
    EXPECT_THAT(names_listed({"--mechanism", "posix_queue", "--pid", "1073741824"}), IsEmpty());
    EXPECT_TRUE(other.signal(SIGKILL));
    EXPECT_TRUE(other.wait(never));
    forget({"/own", "/theirs"});
  });
}

TEST(ToolsLsFilter, by_user_takes_names_and_numbers) {
  kit::in_private_namespaces([] {
    const Fd own = queue("/own");
    const std::string me = std::to_string(::geteuid());
    EXPECT_THAT(names_listed({"--mechanism", "posix_queue", "--user", me}), ElementsAre("/own"));
    EXPECT_THAT(names_listed({"--mechanism", "posix_queue", "--user", "4294967294"}), IsEmpty());
    if (::geteuid() == 0) {
      EXPECT_THAT(names_listed({"--mechanism", "posix_queue", "--user", "root"}), ElementsAre("/own"));
    }
    forget({"/own"});
  });
}

TEST(ToolsLsFilter, by_a_user_that_is_none_ends_with_2_and_says_so) {
  const Finished finished = run({"ls", "--mechanism", "memfd", "--user", "nobody at all"});
  EXPECT_EQ(finished.status, ExitStatus::exited(2));
  EXPECT_THAT(finished.errors, HasSubstr("no such user"));
}

TEST(ToolsLs, a_pipe_tells_which_descriptors_of_whom_read_and_write) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd reader = Fd::adopt(ends[0]);
  const Fd writer = Fd::adopt(ends[1]);
  const json value = parsed(run({"ls", "--json", "--mechanism", "pipe", "--pid", std::to_string(::getpid())}));
  bool found = false;
  for (const json& object : value["objects"]) {
    for (const json& holder : object["holders"]) {
      json descriptors = json::array();
      for (const json& one : holder["descriptors"]) {
        descriptors.push_back({one["number"], one["access"]});
      }
      const json wanted = {{reader.raw(), "r"}, {writer.raw(), "w"}};
      found = found || (holder["pid"] == ::getpid() && holder["access"] == "rw" && descriptors == wanted);
    }
  }
  EXPECT_TRUE(found) << value;
}

}  // namespace
}  // namespace tools

/// POSIX queues, memory and semaphores, and memfds, as a snapshot shows them.
#include <tenon/inspect/snapshot.hpp>

#include <tenon/os/fd.hpp>
#include <tenon/os/process.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mqueue.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace tenon;
using inspect::Kind;
using inspect::Object;
using inspect::Relation;
using inspect::Snapshot;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Snapshot only(Kind kind) { return inspect::snapshot({.kinds = {kind}, .directories = {}}); }

std::vector<std::string> names_of(const Snapshot& all) {
  std::vector<std::string> names;
  for (const Object& object : all.objects) {
    names.push_back(object.name);
  }
  return names;
}

Fd make_queue(const char* name) {
  mq_attr attributes{};
  attributes.mq_maxmsg = 4;
  attributes.mq_msgsize = 64;
  return fd_from(::mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, &attributes), "mq_open").or_throw();
}

Fd make_memory(const char* name, off_t size) {
  Fd memory = fd_from(::shm_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600), "shm_open").or_throw();
  EXPECT_EQ(::ftruncate(memory.raw(), size), 0);
  return memory;
}

TEST(InspectPosixQueue, shows_its_name_mode_depth_and_who_holds_it) {
  kit::in_private_namespaces([] {
    const Fd queue = make_queue("/jobs");
    ASSERT_EQ(::mq_send(queue.raw(), "x", 1, 0), 0);
    const Snapshot all = only(Kind::posix_queue);
    ASSERT_THAT(names_of(all), ElementsAre("/jobs"));
    const Object& found = all.objects.front();
    EXPECT_EQ(found.mode, mode_t{0600});
    EXPECT_EQ(found.owner, ::geteuid());
    EXPECT_EQ(found.figure("messages"), 1U);
    EXPECT_EQ(found.figure("max_messages"), 4U);
    EXPECT_EQ(found.figure("max_message_bytes"), 64U);
    ASSERT_EQ(all.edges.size(), 1U);
    EXPECT_EQ(all.edges.front().pid, ::getpid());
    EXPECT_EQ(all.edges.front().relation, Relation::holds);
    EXPECT_EQ(all.edges.front().descriptor, queue.raw());
    ::mq_unlink("/jobs");
  });
}

TEST(InspectPosixQueue, without_a_mount_those_that_are_open_are_seen_and_it_is_said_how_to_mount) {
  kit::in_private_namespaces([] {
    if (!kit::unmount_queues()) {
      GTEST_SKIP() << "a mount of the file system cannot be taken off";
    }
    const Fd queue = make_queue("/held");
    {
      const Fd closed = make_queue("/left");
    }
    const Snapshot all = only(Kind::posix_queue);
    EXPECT_THAT(names_of(all), ElementsAre("/held"));
    EXPECT_EQ(all.objects.front().figure("max_messages"), 4U);
    EXPECT_THAT(all.unseen, Contains(HasSubstr("mount -t mqueue none /dev/mqueue")));
    ::mq_unlink("/left");
    ::mq_unlink("/held");
    EXPECT_EQ(only(Kind::posix_queue).objects.front().state, "unlinked");
  });
}

TEST(InspectPosixQueue, a_mount_of_another_ipc_namespace_is_not_taken_for_ones_own) {
  kit::in_private_namespaces([] {
    const Fd queue = make_queue("/theirs");
    kit::run_sides({{"elsewhere", [](kit::Stage&) {
                       ASSERT_EQ(::unshare(CLONE_NEWIPC), 0) << std::strerror(errno);
                       const Snapshot all = only(Kind::posix_queue);
                       EXPECT_THAT(names_of(all), IsEmpty());
                       EXPECT_THAT(all.unseen, Contains(HasSubstr("another IPC namespace")));
                     }}});
    ::mq_unlink("/theirs");
  });
}

TEST(InspectPosixMemory, shows_its_size_and_who_holds_or_maps_it) {
  kit::in_private_namespaces([] {
    Fd memory = make_memory("/frames", 8192);
    Snapshot all = only(Kind::posix_memory);
    ASSERT_THAT(names_of(all), ElementsAre("/frames"));
    EXPECT_EQ(all.objects.front().figure("bytes"), 8192U);
    EXPECT_EQ(all.objects.front().figure("allocated_bytes"), 0U) << "nothing has been written";
    ASSERT_EQ(all.edges.size(), 1U);
    EXPECT_EQ(all.edges.front().relation, Relation::holds);
    void* mapped = ::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, memory.raw(), 0);
    std::memset(mapped, 1, 8192);
    EXPECT_TRUE(std::move(memory).close());
    all = only(Kind::posix_memory);
    EXPECT_EQ(all.objects.front().figure("allocated_bytes"), 8192U);
    ASSERT_EQ(all.edges.size(), 1U);
    EXPECT_EQ(all.edges.front().relation, Relation::maps);
    ::munmap(mapped, 8192);
    EXPECT_THAT(only(Kind::posix_memory).edges, IsEmpty());
    ::shm_unlink("/frames");
    EXPECT_THAT(only(Kind::posix_memory).objects, IsEmpty());
  });
}

TEST(InspectPosixMemory, that_has_lost_its_name_is_seen_as_long_as_somebody_holds_it) {
  kit::in_private_namespaces([] {
    Fd memory = make_memory("/gone", 4096);
    void* mapped = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, memory.raw(), 0);
    ::shm_unlink("/gone");
    Snapshot all = only(Kind::posix_memory);
    ASSERT_THAT(names_of(all), ElementsAre("/gone"));
    EXPECT_EQ(all.objects.front().state, "unlinked");
    EXPECT_EQ(all.objects.front().figure("bytes"), 4096U);
    EXPECT_TRUE(std::move(memory).close());
    all = only(Kind::posix_memory);
    ASSERT_THAT(names_of(all), ElementsAre("/gone"));
    EXPECT_FALSE(all.objects.front().owner) << "a map alone does not tell";
    ::munmap(mapped, 4096);
    EXPECT_THAT(only(Kind::posix_memory).objects, IsEmpty());
  });
}

TEST(InspectPosixSemaphore, shows_its_value_and_who_maps_it_and_is_no_memory) {
  kit::in_private_namespaces([] {
    sem_t* semaphore = ::sem_open("/turn", O_CREAT | O_EXCL, 0600, 3);
    ASSERT_NE(semaphore, SEM_FAILED);
    const Snapshot all = only(Kind::posix_semaphore);
    ASSERT_THAT(names_of(all), ElementsAre("/turn"));
    EXPECT_EQ(all.objects.front().figure("value"), 3U);
    EXPECT_EQ(all.objects.front().figure("waiting"), 0U);
    ASSERT_EQ(all.edges.size(), 1U);
    EXPECT_EQ(all.edges.front().pid, ::getpid());
    EXPECT_EQ(all.edges.front().relation, Relation::maps);
    EXPECT_THAT(only(Kind::posix_memory).objects, IsEmpty());
    ::sem_close(semaphore);
    ::sem_unlink("/turn");
  });
}

// Else the look would last until the lease is given back, or for 45 seconds. fcntl(2), F_SETLEASE
TEST(InspectPosixSemaphore, one_that_somebody_has_a_lease_on_has_no_figures_and_holds_up_nobody) {
  kit::in_private_namespaces([] {
    ::sem_close(::sem_open("/turn", O_CREAT | O_EXCL, 0600, 3));
    const Fd file = fd_from(::open("/dev/shm/sem.turn", O_RDWR | O_CLOEXEC), "open").or_throw();
    std::signal(SIGIO, SIG_IGN);
    ASSERT_EQ(::fcntl(file.raw(), F_SETLEASE, F_WRLCK), 0) << std::strerror(errno);
    const Snapshot all = only(Kind::posix_semaphore);
    ASSERT_THAT(names_of(all), ElementsAre("/turn"));
    EXPECT_THAT(all.objects.front().figures, IsEmpty());
    EXPECT_NE(::fcntl(file.raw(), F_GETLEASE), F_UNLCK) << "the look has not outlasted it";
    ::sem_unlink("/turn");
  });
}

TEST(InspectPosixSemaphore, a_file_of_another_size_is_memory) {
  kit::in_private_namespaces([] {
    const Fd memory = make_memory("/sem.not", 100);
    EXPECT_THAT(only(Kind::posix_semaphore).objects, IsEmpty());
    EXPECT_THAT(names_of(only(Kind::posix_memory)), ElementsAre("/sem.not"));
    ::shm_unlink("/sem.not");
  });
}

TEST(InspectPosix, looking_touches_no_objects_times) {
  kit::in_private_namespaces([] {
    const Fd queue = make_queue("/jobs");
    const Fd memory = make_memory("/frames", 4096);
    ::sem_close(::sem_open("/turn", O_CREAT | O_EXCL, 0600, 1));
    const auto times = [] {
      std::vector<std::int64_t> all;
      for (const char* path : {"/dev/mqueue/jobs", "/dev/shm/frames", "/dev/shm/sem.turn"}) {
        struct stat status{};
        EXPECT_EQ(::stat(path, &status), 0) << path;
        for (const timespec& time : {status.st_atim, status.st_mtim, status.st_ctim}) {
          all.push_back(time.tv_sec * 1'000'000'000 + time.tv_nsec);
        }
      }
      return all;
    };
    const auto before = times();
    const std::vector kinds = {Kind::posix_queue, Kind::posix_memory, Kind::posix_semaphore};
    EXPECT_EQ(inspect::snapshot({.kinds = kinds, .directories = {}}).objects.size(), 3U);
    EXPECT_EQ(times(), before);
    ::mq_unlink("/jobs");
    ::shm_unlink("/frames");
    ::sem_unlink("/turn");
  });
}

TEST(InspectMemfd, is_one_by_its_identity_whatever_its_label) {
  const std::string label = kit::unique_name("frames");
  const Fd first = fd_from(::memfd_create(label.c_str(), MFD_CLOEXEC), "memfd_create").or_throw();
  const Fd again = first.view().duplicate().or_throw();
  Fd second = fd_from(::memfd_create(label.c_str(), MFD_CLOEXEC), "memfd_create").or_throw();
  ASSERT_EQ(::ftruncate(second.raw(), 4096), 0);
  void* mapped = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, second.raw(), 0);
  EXPECT_TRUE(std::move(second).close());
  const Snapshot all = only(Kind::memfd);
  std::vector<Relation> relations;
  for (std::size_t i = 0; i < all.objects.size(); ++i) {
    if (all.objects[i].name == label) {
      const auto edges = all.edges_of(i);
      ASSERT_EQ(edges.size(), 1U);
      EXPECT_EQ(edges.front().pid, ::getpid());
      relations.push_back(edges.front().relation);
      EXPECT_EQ(all.objects[i].figure("bytes").has_value(), edges.front().relation == Relation::holds);
    }
  }
  EXPECT_THAT(relations, testing::UnorderedElementsAre(Relation::holds, Relation::maps));
  ::munmap(mapped, 4096);
}

}  // namespace

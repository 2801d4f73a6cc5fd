#include "room.hpp"

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <mqueue.h>
#include <ranges>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stuck {

namespace {

constexpr std::size_t memory_size = 4096;

// POSIX lets the caller define it.
union SemaphoreArgument {
  int value;
  semid_ds* set;
  unsigned short* values;
};

}  // namespace

std::byte* Memory::map() const {
  const int file = ::shm_open(name_.c_str(), O_RDWR | O_CLOEXEC, 0);
  EXPECT_NE(file, -1) << name_;
  void* bytes = ::mmap(nullptr, memory_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  EXPECT_NE(bytes, MAP_FAILED);
  ::close(file);
  return static_cast<std::byte*>(bytes);
}

Room::~Room() {
  for (auto& child : children_) {
    child->kill();
  }
  children_.clear();
  let_go();
  for (const auto& undo : undo_ | std::views::reverse) {
    undo();
  }
  directory_.allow_leftovers();
}

PipeEnds Room::pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {.out = keep(ends[0]), .in = keep(ends[1])};
}

std::array<int, 2> Room::sockets(int type) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {keep(ends[0]), keep(ends[1])};
}

int Room::eventfd() { return keep(::eventfd(0, EFD_CLOEXEC)); }

int Room::keep(int descriptor) {
  EXPECT_GE(descriptor, 0);
  descriptors_.push_back(descriptor);
  return descriptor;
}

Memory Room::memory() {
  std::string name = "/" + kit::unique_name("pool");
  const int file = ::shm_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  EXPECT_EQ(::ftruncate(file, memory_size), 0);
  ::close(file);
  at_end([name] { ::shm_unlink(name.c_str()); });
  return Memory(std::move(name));
}

std::string Room::queue() {
  std::string name = "/" + kit::unique_name("queue");
  mq_attr attributes{};
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 8;
  ::mq_close(::mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600, &attributes));
  at_end([name] { ::mq_unlink(name.c_str()); });
  return name;
}

int Room::sysv_queue(std::size_t bytes) {
  const int queue = ::msgget(IPC_PRIVATE, 0600);
  EXPECT_NE(queue, -1);
  msqid_ds state{};
  ::msgctl(queue, IPC_STAT, &state);
  state.msg_qbytes = bytes;
  EXPECT_EQ(::msgctl(queue, IPC_SET, &state), 0);
  at_end([queue] { ::msgctl(queue, IPC_RMID, nullptr); });
  return queue;
}

// The kernel takes who sets a value for the last to operate, so a process of its own does that, and is no more.
int Room::sysv_set(int count, int value) {
  const int set = ::semget(IPC_PRIVATE, count, 0600);
  EXPECT_NE(set, -1);
  for (int number = 0; number < count; ++number) {
    EXPECT_EQ(::semctl(set, number, SETVAL, SemaphoreArgument{.value = value}), 0);
  }
  at_end([set] { ::semctl(set, 0, IPC_RMID); });
  return set;
}

pid_t Room::start_busy(std::vector<int> keeps, const std::function<void()>& body) {
  const auto alone = [&] {
    // The test's own handlers would be taken for such as may end a wait.
    for (int number = 1; number < NSIG; ++number) {
      ::signal(number, SIG_DFL);
    }
    for (const int one : descriptors_) {
      if (std::ranges::find(keeps, one) == keeps.end()) {
        ::close(one);
      }
    }
    body();
  };
  children_.push_back(std::make_unique<kit::ReportedChild>("a process on the stage", alone));
  return children_.back()->process().pid();
}

pid_t Room::start(std::vector<int> keeps, const std::function<void()>& body) {
  const pid_t pid = start_busy(std::move(keeps), body);
  kit::until_asleep(pid);
  return pid;
}

void Room::kill(pid_t pid) {
  const auto found = std::ranges::find_if(children_, [&](const auto& child) { return child->process().pid() == pid; });
  ASSERT_NE(found, children_.end());
  (*found)->kill();
  static_cast<void>((*found)->finish(tenon::never));
  children_.erase(found);
}

void Room::stop(pid_t pid) {
  ::kill(pid, SIGSTOP);
  while (tenon::procfs::process(pid).or_throw().state != 'T') {
    ::sched_yield();
  }
}

void Room::let_go() {
  std::ranges::for_each(descriptors_, [](int one) { ::close(one); });
  descriptors_.clear();
}

std::vector<pid_t> Room::pids() const {
  std::vector<pid_t> all;
  for (const auto& child : children_) {
    all.push_back(child->process().pid());
  }
  return all;
}

std::string name_of_pipe(int end) {
  struct stat status{};
  EXPECT_EQ(::fstat(end, &status), 0);
  return "pipe:[" + std::to_string(status.st_ino) + "]";
}

void live() { kit::wait_to_be_killed(); }

}  // namespace stuck

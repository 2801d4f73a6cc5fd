#include "machine.hpp"

#include <scenarios/tools/fixture.hpp>

#include <kit/asleep.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/unique.hpp>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <mqueue.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace parity {

namespace {

constexpr key_t key_of_queue = 0x162e;
constexpr key_t key_of_memory = 0x4d2;
constexpr key_t key_of_set = 0x270f;

bool make_pipes(const std::string& directory) {
  std::array<int, 2> ends{};
  const std::string path = directory + "/fifo";
  return ::pipe(ends.data()) == 0 && ::mkfifo(path.c_str(), 0640) == 0 && ::open(path.c_str(), O_RDWR) != -1 &&
         ::eventfd(5, 0) != -1 && ::eventfd(7, EFD_SEMAPHORE) != -1;
}

bool make_pairs() {
  bool done = true;
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    std::array<int, 2> ends{};
    done = done && ::socketpair(AF_UNIX, type, 0, ends.data()) == 0 && ::send(ends[0], "hello", 5, 0) == 5;
  }
  return done;
}

struct Address {
  sockaddr_un whole;
  socklen_t length;
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&whole); }
};

Address address_of(const std::string& name) {
  Address address{.whole = {.sun_family = AF_UNIX, .sun_path = {}}, .length = 0};
  name.copy(address.whole.sun_path, sizeof address.whole.sun_path - 1);
  const bool abstract = name.starts_with('\0');
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1));
  return address;
}

int bound(int type, const Address& address) {
  const int made = ::socket(AF_UNIX, type, 0);
  return ::bind(made, address.raw(), address.length) == 0 ? made : -1;
}

int connected(int type, const Address& address) {
  const int made = ::socket(AF_UNIX, type, 0);
  return ::connect(made, address.raw(), address.length) == 0 ? made : -1;
}

// A listener with a connection that was accepted and one that was not, one without, and a receiver of datagrams.
bool make_sockets(const std::string& directory) {
  const Address service = address_of(directory + "/socket");
  const Address packets = address_of(std::string("\0packets", 8));
  const Address datagrams = address_of(directory + "/datagrams");
  const int listener = bound(SOCK_STREAM, service);
  bool done = ::listen(listener, 3) == 0 && connected(SOCK_STREAM, service) != -1 &&
              ::accept(listener, nullptr, nullptr) != -1 && connected(SOCK_STREAM, service) != -1;
  done = done && ::listen(bound(SOCK_SEQPACKET, packets), 9) == 0 && bound(SOCK_DGRAM, datagrams) != -1;
  const int sender = connected(SOCK_DGRAM, datagrams);
  return done && ::send(sender, "unread", 6, 0) == 6 && ::socket(AF_UNIX, SOCK_STREAM, 0) != -1;
}

bool make_posix() {
  const int memory = ::shm_open("/frames", O_CREAT | O_EXCL | O_RDWR, 0640);
  const int file = ::memfd_create("label", 0);
  bool done = memory != -1 && ::ftruncate(memory, 8192) == 0 && file != -1 && ::ftruncate(file, 4096) == 0 &&
              ::mmap(nullptr, 8192, PROT_READ, MAP_SHARED, memory, 0) != MAP_FAILED &&
              ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) != MAP_FAILED;
  done = done && ::sem_open("/turn", O_CREAT | O_EXCL, 0600, 3) != SEM_FAILED;
  const mqd_t queue = ::mq_open("/jobs", O_CREAT | O_EXCL | O_RDWR, 0620, nullptr);
  return done && queue != -1 && ::mq_send(queue, "x", 1, 0) == 0;
}

bool make_system_v() {
  const int queue = ::msgget(key_of_queue, IPC_CREAT | IPC_EXCL | 0640);
  const struct {
    long type;
    std::array<char, 5> text;
  } letter{.type = 1, .text = {'h', 'e', 'l', 'l', 'o'}};
  const bool sent = ::msgsnd(queue, &letter, 5, 0) == 0 && ::msgsnd(queue, &letter, 3, 0) == 0;
  const int kept = ::shmget(key_of_memory, 8192, IPC_CREAT | IPC_EXCL | 0600);
  const int marked = ::shmget(IPC_PRIVATE, 4096, 0640);
  const auto attach = [](int id, int flags) { return reinterpret_cast<std::intptr_t>(::shmat(id, nullptr, flags)); };
  const bool attached = attach(kept, SHM_RDONLY) != -1 && attach(marked, 0) != -1;
  const int set = ::semget(key_of_set, 3, IPC_CREAT | IPC_EXCL | 0660);
  sembuf up{.sem_num = 1, .sem_op = 4, .sem_flg = 0};
  return sent && attached && ::shmctl(marked, IPC_RMID, nullptr) == 0 && ::semop(set, &up, 1) == 0;
}

bool make_locks(const std::string& directory) {
  const int whole = ::open((directory + "/flocked").c_str(), O_WRONLY | O_CREAT, 0600);
  const int part = ::open((directory + "/locked").c_str(), O_RDWR | O_CREAT, 0600);
  struct flock range{};
  range.l_type = F_RDLCK;
  range.l_whence = SEEK_SET;
  range.l_start = 5;
  range.l_len = 10;
  return ::flock(whole, LOCK_EX) == 0 && ::fcntl(part, F_SETLK, &range) == 0;
}

[[noreturn]] void stand_still() {
  while (true) {
    ::pause();
  }
}

[[noreturn]] void wait_for_semaphore() {
  sembuf down{.sem_num = 2, .sem_op = -1, .sem_flg = 0};
  ::semop(::semget(key_of_set, 0, 0), &down, 1);
  stand_still();
}

pid_t started(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(1);
  }
  return child;
}

// Makes all, has two children that inherit it, and tells who they are. All end with the one who asked for it.
[[noreturn]] void be_maker(const std::string& directory, int tell) {
  // Who has come into these namespaces as an ordinary user has rights in them that the tools have not, and so could not
  // be looked at by them.
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::array<__user_cap_data_struct, 2> none{};
  ::syscall(SYS_capset, &header, none.data());
  ::prctl(PR_SET_DUMPABLE, 1);
  // What the test has open is none of the machine's.
  ::close_range(STDERR_FILENO + 1, static_cast<unsigned>(tell) - 1, 0);
  ::close_range(static_cast<unsigned>(tell) + 1, ~0U, 0);
  if (!make_pipes(directory) || !make_pairs() || !make_sockets(directory) || !make_posix() || !make_system_v() ||
      !make_locks(directory)) {
    ::perror("machine");
    ::_exit(1);
  }
  const std::array<pid_t, 2> children = {started(stand_still), started(wait_for_semaphore)};
  ::write(tell, children.data(), sizeof children);
  stand_still();
}

void end(pid_t process) {
  ::kill(process, SIGKILL);
  while (::waitpid(process, nullptr, 0) == -1 && errno == EINTR) {
  }
}

// To be called by process 1 of its namespace: the maker's children become its own.
void run_machine(const std::function<void(const Machine&)>& look) {
  kit::UniqueDirectory directory;
  directory.allow_leftovers();
  std::array<int, 2> told{};
  ASSERT_EQ(::pipe2(told.data(), O_CLOEXEC), 0);
  Machine machine{.maker = started([&] { be_maker(directory.path(), told[1]); }), .heir = 0, .waiter = 0};
  ::close(told[1]);
  std::array<pid_t, 2> children{};
  const bool made = ::read(told[0], children.data(), sizeof children) == sizeof children;
  ::close(told[0]);
  machine.heir = children[0];
  machine.waiter = children[1];
  EXPECT_TRUE(made) << "a mechanism could not be had";
  if (made) {
    kit::until_asleep(machine.waiter);
    kit::until_asleep(machine.heir);
    kit::until_asleep(machine.maker);
    look(machine);
    end(machine.maker);
    end(machine.heir);
    end(machine.waiter);
  } else {
    end(machine.maker);
  }
}

}  // namespace

std::string Machine::list() const {
  return std::to_string(maker) + "," + std::to_string(heir) + "," + std::to_string(waiter);
}

void on_machine(const char* tool, const std::function<void(const Machine&)>& look) {
  if (tools::printed_by(std::string("command -v ") + tool + " || true").empty()) {
    GTEST_SKIP() << tool << " is not installed";
  }
  kit::in_private_namespaces(
      [&] {
        if (::unshare(CLONE_NEWNET) == -1) {
          GTEST_SKIP() << "needs a network namespace of its own: " << std::strerror(errno);
        }
        run_machine(look);
      },
      kit::Namespaces::objects_and_pids);
}

}  // namespace parity

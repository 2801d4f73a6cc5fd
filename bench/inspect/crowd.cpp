#include <inspect/crowd.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace inspections {

namespace {

bool make_pipes_and_pairs() {
  bool done = true;
  std::array<int, 2> ends{};
  for (int i = 0; i < 4; ++i) {
    done = done && ::pipe2(ends.data(), O_CLOEXEC) == 0;
  }
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    done = done && ::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) == 0;
  }
  return done && ::eventfd(0, EFD_CLOEXEC) != -1 && ::eventfd(1, EFD_CLOEXEC) != -1;
}

bool make_memory(const std::string& number) {
  bool done = true;
  for (const char* const label : {"frames", "scratch"}) {
    const int file = ::memfd_create(label, MFD_CLOEXEC);
    const int memory = ::shm_open(("/" + (label + number)).c_str(), O_CREAT | O_RDWR, 0600);
    done = done && file != -1 && memory != -1 && ::ftruncate(memory, 4096) == 0 &&
           ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0) != MAP_FAILED;
  }
  return done && ::sem_open(("/turn" + number).c_str(), O_CREAT, 0600, 1) != SEM_FAILED;
}

bool make_rest(const std::string& number) {
  const std::string fifo = "/tmp/fifo" + number;
  const std::string locked = "/tmp/locked" + number;
  const bool named = ::mkfifo(fifo.c_str(), 0600) == 0 && ::open(fifo.c_str(), O_RDWR | O_CLOEXEC) != -1 &&
                     ::flock(::open(locked.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), LOCK_EX) == 0;
  return named && ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) != -1 && ::msgget(IPC_PRIVATE, 0600) != -1 &&
         ::semget(IPC_PRIVATE, 1, 0600) != -1;
}

[[noreturn]] void be_one(std::size_t number, int tell) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::string text = std::to_string(number);
  const bool made = make_pipes_and_pairs() && make_memory(text) && make_rest(text);
  if (!made) {
    std::fprintf(stderr, "process %s: %s\n", text.c_str(), std::strerror(errno));
  }
  const char told = made ? 1 : 0;
  if (::write(tell, &told, 1) != 1 || !made) {
    ::_exit(1);
  }
  while (true) {
    ::pause();
  }
}

bool enter() {
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("proc", "/proc", "proc", 0, nullptr) == 0 &&
         ::mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777") == 0 &&
         ::mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") == 0 && ::mount("tmpfs", "/run", "tmpfs", 0, "") == 0;
}

// As the first process of its namespace: those that it starts end with it.
int run(std::size_t processes, const std::function<int()>& body) {
  std::array<int, 2> told{};
  if (!enter() || ::pipe2(told.data(), O_CLOEXEC) == -1) {
    std::perror("namespaces");
    return 1;
  }
  for (std::size_t i = 0; i < processes; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      be_one(i, told[1]);
    }
    char made = 0;
    if (child == -1 || ::read(told[0], &made, 1) != 1 || made == 0) {
      std::fprintf(stderr, "process %zu could not be made\n", i);
      return 1;
    }
  }
  return body();
}

}  // namespace

int in_crowd(std::size_t processes, const std::function<int()>& body) {
  if (::unshare(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET) == -1) {
    std::perror("unshare");
    return 1;
  }
  const pid_t first = ::fork();
  if (first == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::_exit(run(processes, body));
  }
  int status = 0;
  while (first != -1 && ::waitpid(first, &status, 0) == -1 && errno == EINTR) {
  }
  return first != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace inspections

/// A child moves, the parent looks: always a pose that was really there.
#include <tenon/ring/sequence_lock/sequence_lock.hpp>

#include <cstdio>
#include <sched.h>
#include <span>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tenon;

std::span<std::byte> shared_memory(std::size_t bytes) {
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return {static_cast<std::byte*>(memory), memory == MAP_FAILED ? 0 : bytes};
}

struct Pose {
  double x = 0;
  double y = 0;
};

int main() {
  using Lock = SequenceLock<Pose>;
  const std::span<std::byte> memory = shared_memory(sizeof(Lock));
  if (memory.empty()) {
    std::perror("mmap");
    return 1;
  }
  Lock& lock = *::new (memory.data()) Lock;

  const pid_t child = ::fork();
  if (child == 0) {
    for (int i = 1; i <= 10'000; ++i) {
      lock.write({.x = i * 1.0, .y = i * -1.0});
    }
    ::_exit(0);
  }
  bool whole = true;
  while (lock.version() < 10'000 && child > 0) {
    const Pose pose = lock.read();
    whole = whole && pose.x == -pose.y;
  }
  std::printf("The last pose is (%.0f, %.0f), and each was %s\n", lock.read().x, lock.read().y,
              whole ? "whole" : "torn");
  return child > 0 && ::waitpid(child, nullptr, 0) == child && whole ? 0 : 1;
}

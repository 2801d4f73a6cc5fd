/// Two children take jobs from one ring: each job is done by exactly one of them.
#include <tenon/ring/mpmc_ring/mpmc_ring.hpp>

#include <cstdio>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tenon;

MutableBytes shared_memory(std::size_t bytes) {
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return {static_cast<std::byte*>(memory), memory == MAP_FAILED ? 0 : bytes};
}

int main() try {
  using Ring = MpmcRing<std::uint64_t>;
  struct Done {
    std::atomic<std::uint64_t> jobs{0};
    std::atomic<std::uint64_t> sum{0};
  };
  const std::size_t ring_bytes = Ring::bytes_for(8).or_throw();
  const MutableBytes memory = shared_memory(ring_bytes + sizeof(Done));
  Ring ring = Ring::initialise(memory, 8).or_throw();
  Done& done = *::new (memory.data() + ring_bytes) Done;

  for (int worker = 0; worker < 2; ++worker) {
    if (::fork() == 0) {
      while (done.jobs < 100) {
        if (const auto job = ring.try_pop()) {
          done.sum += *job;
          ++done.jobs;
        } else {
          ::sched_yield();
        }
      }
      ::_exit(0);
    }
  }
  for (std::uint64_t job = 1; job <= 100;) {
    ring.try_push(job) ? void(++job) : void(::sched_yield());
  }
  while (::wait(nullptr) > 0) {
  }
  std::printf("%llu jobs done, their sum is %llu\n", static_cast<unsigned long long>(done.jobs),
              static_cast<unsigned long long>(done.sum));
  return done.jobs == 100 && done.sum == 5050 ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

/// A child measures, the parent prints: five numbers through a ring of two slots.
#include <tenon/ring/sequenced_ring/sequenced_ring.hpp>

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
  using Ring = SequencedRing<double>;
  const MutableBytes memory = shared_memory(Ring::bytes_for(2).or_throw());
  Ring ring = Ring::initialise(memory, 2).or_throw();

  const pid_t child = ::fork();
  if (child == 0) {
    auto producer = ring.producer();
    for (int i = 1; i <= 5;) {
      producer.try_push(i * 1.5) ? void(++i) : void(::sched_yield());
    }
    ::_exit(0);
  }
  auto consumer = ring.consumer();
  for (int i = 1; i <= 5;) {
    if (const auto value = consumer.try_pop()) {
      std::printf("Measured %.1f\n", *value);
      ++i;
    } else {
      ::sched_yield();
    }
  }
  return child > 0 && ::waitpid(child, nullptr, 0) == child ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

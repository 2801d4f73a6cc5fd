/// Two children share three desks: who finds none waits, and nobody sits at another's.
#include <tenon/ring/index_pool/index_pool.hpp>

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
  using Pool = IndexPool<>;
  struct Desks {
    std::atomic<int> sitting[4]{};
    std::atomic<int> visits{0};
    std::atomic<bool> clash{false};
  };
  const std::size_t pool_bytes = Pool::bytes_for(4).or_throw();
  const MutableBytes memory = shared_memory(pool_bytes + sizeof(Desks));
  Pool pool = Pool::initialise(memory, 4).or_throw();
  Desks& desks = *::new (memory.data() + pool_bytes) Desks;
  pool.take();  // one is broken

  for (int worker = 0; worker < 2; ++worker) {
    if (::fork() == 0) {
      for (int i = 0; i < 1000; ::sched_yield()) {
        if (const auto desk = pool.take()) {
          desks.clash = desks.clash || ++desks.sitting[*desk] != 1;
          ++desks.visits;
          --desks.sitting[*desk];
          pool.give(*desk);
          ++i;
        }
      }
      ::_exit(0);
    }
  }
  while (::wait(nullptr) > 0) {
  }
  std::printf("%d visits, %s\n", static_cast<int>(desks.visits),
              desks.clash ? "two sat at one desk" : "each at a desk of its own");
  return desks.visits == 2000 && !desks.clash ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

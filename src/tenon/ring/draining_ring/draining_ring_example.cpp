/// A child sends a thousand numbers in batches, the parent adds up whatever is there.
#include <tenon/ring/draining_ring/draining_ring.hpp>

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
  using Ring = DrainingRing<std::uint64_t>;
  const MutableBytes memory = shared_memory(Ring::bytes_for(64).or_throw());
  Ring ring = Ring::initialise(memory, 64).or_throw();

  const pid_t child = ::fork();
  if (child == 0) {
    auto producer = ring.producer();
    for (std::uint64_t i = 1; i <= 1000;) {
      const auto place = producer.loan(std::min<std::uint64_t>(10, 1001 - i));
      for (const auto run : {place.first, place.second}) {
        for (std::uint64_t& value : run) {
          value = i++;
        }
      }
      producer.commit(place.size());
      producer.publish();
    }
    ::_exit(0);
  }
  auto consumer = ring.consumer();
  std::uint64_t received = 0;
  std::uint64_t sum = 0;
  while (received < 1000) {
    const auto there = consumer.front(64);
    for (const auto run : {there.first, there.second}) {
      for (const std::uint64_t value : run) {
        sum += value;
      }
    }
    received += there.size();
    consumer.pop(there.size());
    ::sched_yield();
  }
  std::printf("%llu numbers, their sum is %llu\n", static_cast<unsigned long long>(received),
              static_cast<unsigned long long>(sum));
  return child > 0 && ::waitpid(child, nullptr, 0) == child && sum == 500500 ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

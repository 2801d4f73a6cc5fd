/// One ticker, two watchers: the patient one holds the ticker back and sees all, the other may miss some and knows it.
#include <tenon/ring/broadcast_ring/broadcast_ring.hpp>

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

namespace {

using Ring = BroadcastRing<std::uint64_t>;

// Returns how many messages were seen and lost, up to message `last`.
std::uint64_t watch(Ring::Consumer consumer, std::uint64_t last) {
  std::uint64_t seen = 0;
  for (std::uint64_t value = 0; consumer.next() != last;) {
    const Ring::Seen what = consumer.try_receive(value);
    seen += what == Ring::Seen::message ? 1 : 0;
    if (what == Ring::Seen::nothing) {
      ::sched_yield();
    }
  }
  return seen + consumer.lost();
}

}  // namespace

int main() try {
  const std::size_t ring_bytes = Ring::bytes_for(16).or_throw();
  const MutableBytes memory = shared_memory(ring_bytes + sizeof(Ring::Gate));
  Ring ring = Ring::initialise(memory, 16).or_throw();
  Ring::Gate& gate = *::new (memory.data() + ring_bytes) Ring::Gate{0};

  const pid_t patient = ::fork();
  if (patient == 0) {
    auto consumer = ring.gated_consumer(gate, 0);
    const bool all = watch(consumer, 1000) == 1000;
    ::_exit(all ? 0 : 1);
  }
  const pid_t hasty = ::fork();
  if (hasty == 0) {
    auto consumer = ring.lossy_consumer();
    const std::uint64_t first = consumer.next();
    ::_exit(watch(consumer, 1000) == 1000 - first ? 0 : 1);
  }

  auto producer = ring.producer();
  const Ring::Gate* const gates[] = {&gate};
  producer.set_gates(gates);
  for (std::uint64_t i = 0; i < 1000;) {
    producer.try_publish(i) ? void(++i) : void(::sched_yield());
  }
  int patient_ended = 1;
  int hasty_ended = 1;
  ::waitpid(patient, &patient_ended, 0);
  ::waitpid(hasty, &hasty_ended, 0);
  std::printf("The patient one %s, the hasty one %s\n", patient_ended == 0 ? "saw all" : "missed some",
              hasty_ended == 0 ? "knows what it missed" : "does not know what it missed");
  return patient_ended == 0 && hasty_ended == 0 ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

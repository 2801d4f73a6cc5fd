/// A child writes a text longer than the ring, the parent prints it as it comes.
#include <tenon/ring/byte_ring/byte_ring.hpp>

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
  constexpr std::string_view text = "A stream has no boundaries: what is written in three may be read in two.\n";
  const MutableBytes memory = shared_memory(ByteRing<>::bytes_for(16).or_throw());
  ByteRing<> ring = ByteRing<>::initialise(memory, 16).or_throw();

  const pid_t child = ::fork();
  if (child == 0) {
    auto writer = ring.writer();
    for (std::size_t sent = 0; sent < text.size(); ::sched_yield()) {
      sent += writer.write(bytes_of(text.substr(sent)));
    }
    ::_exit(0);
  }
  auto reader = ring.reader();
  for (std::size_t got = 0; got < text.size(); ::sched_yield()) {
    std::byte bytes[16];
    const std::size_t count = reader.read(bytes);
    std::printf("%.*s", static_cast<int>(count), reinterpret_cast<const char*>(bytes));
    got += count;
  }
  return child > 0 && ::waitpid(child, nullptr, 0) == child ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

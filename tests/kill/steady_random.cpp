// The random numbers of the kill table. A process that wants them steady gets the same ones in each trial, and others
// than the other processes of its trial. getrandom(2)
#include <kit/steady.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

// splitmix64: each number is another.
std::uint64_t next() {
  static std::uint64_t state = 0;
  state += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = state + (std::uint64_t{kit::wants_steady_random} << 32);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

}  // namespace

extern "C" ssize_t getrandom(void* into, std::size_t size, unsigned flags) {
  if (kit::wants_steady_random == 0) {
    return ::syscall(SYS_getrandom, into, size, flags);
  }
  for (std::size_t done = 0; done < size;) {
    const std::uint64_t bytes = next();
    const std::size_t part = size - done < sizeof(bytes) ? size - done : sizeof(bytes);
    std::memcpy(static_cast<char*>(into) + done, &bytes, part);
    done += part;
  }
  return static_cast<ssize_t>(size);
}

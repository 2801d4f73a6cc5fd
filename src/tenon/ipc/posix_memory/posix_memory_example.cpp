/// Child to parent through named memory: the child writes a greeting, the parent reads it once the child has ended.
#include <tenon/ipc/posix_memory/posix_memory.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <unistd.h>

using namespace tenon;

namespace {

// The child knows the name alone: any process that does could stand in its place.
int write_greeting(const std::string& name) {
  const PosixMemory memory = PosixMemory::open(name, Access::read_write).or_throw();
  const Mapping shared = memory.map(Access::read_write).or_throw();
  const std::string greeting = "Hello from child process!";
  std::memcpy(shared.data(), greeting.c_str(), greeting.size() + 1);
  return 0;
}

// Up to the NUL, or to the end: whoever wrote it need not have ended it.
std::string text_in(const Mapping& memory) {
  const std::string_view all = text_of(memory.bytes());
  return std::string(all.substr(0, std::min(all.find('\0'), all.size())));
}

}  // namespace

int main(int argc, char** argv) try {
  // A fixed name could be taken by anybody; this one is new each time, unless the caller names one.
  const std::string name = argc > 1 ? argv[1] : "/memory-" + std::to_string(::getpid());
  const PosixMemory memory = PosixMemory::create(name, 4096).or_throw();
  const UnlinkOnExit named(PosixMemory::unlink, name);
  const Mapping shared = memory.map(Access::read).or_throw();

  // Memory orders nothing by itself: what orders the write before the read is that the child has ended.
  Child child = spawn([&] { return write_greeting(name); }).or_throw();
  const bool wrote = child.wait(never).or_throw().success();

  const std::string greeting = text_in(shared);
  if (!greeting.empty()) {
    std::printf("Parent read: %s\n", greeting.c_str());
  }
  return wrote && !greeting.empty() ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

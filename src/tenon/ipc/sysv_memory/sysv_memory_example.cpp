/// Child to parent through a System V segment, which leaves nothing behind however the two end.
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/os/process.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

using namespace tenon;

namespace {

int write_greeting(const Mapping& shared) {
  const std::string greeting = "Hello from child (System V)!";
  std::memcpy(shared.data(), greeting.c_str(), greeting.size() + 1);
  return 0;
}

// Up to the NUL, or to the end: whoever wrote it need not have ended it.
std::string text_in(const Mapping& memory) {
  const std::string_view all = text_of(memory.bytes());
  return std::string(all.substr(0, std::min(all.find('\0'), all.size())));
}

// The key that the caller names, or none: the child inherits the map, so nobody needs to find the segment.
SysvKey key_from(int argc, char** argv) { return argc > 1 ? SysvKey::parse(argv[1]).or_throw() : SysvKey::unshared(); }

}  // namespace

int main(int argc, char** argv) try {
  const SysvMemory memory = SysvMemory::create(key_from(argc, argv), 4096).or_throw();
  const auto attached = memory.attach(Access::read_write);
  // From here on the segment goes with its last map, also if both are killed.
  SysvMemory::remove(memory.id()).or_throw();
  const Mapping& shared = attached ? *attached : throw Failure(attached.error());

  Child child = spawn([&] { return write_greeting(shared); }).or_throw();
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

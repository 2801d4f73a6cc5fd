/// Named memory stays when its processes are gone: one process writes a value and ends, then another reads it.
///
///     shm-persists NAME [write | read]    both in turn, or one of them alone
#include "text.hpp"

#include <tenon/ipc/posix_memory/posix_memory.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <cstring>

using namespace tenon;

namespace {

constexpr int value = 42;

int write_value(const std::string& name) {
  const PosixMemory memory = PosixMemory::create(name, sizeof value).or_throw();
  std::memcpy(memory.map(Access::read_write).or_throw().data(), &value, sizeof value);
  return 0;
}

// Removes it too: nobody else would, before the machine restarts.
int read_value(const std::string& name) {
  const UnlinkOnExit named(PosixMemory::unlink, name);
  int found = 0;
  std::memcpy(&found, PosixMemory::open(name, Access::read).or_throw().map(Access::read).or_throw().data(),
              sizeof found);
  if (found != value) {
    return 1;
  }
  seeds::say("value read after writer's exit");
  return 0;
}

// As a process of its own, which is over when this returns.
int in_turn(int (*body)(const std::string&), const std::string& name) {
  Child child = spawn([&] { return body(name); }).or_throw();
  return child.wait(seeds::soon()).or_throw().success() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = seeds::name_from(argc, argv);
  const std::string part = argc > 2 ? argv[2] : "";
  return seeds::run([&] {
    if (part == "write") {
      return write_value(name);
    }
    if (part == "read") {
      return read_value(name);
    }
    // Nothing of the memory is open here, and the writer is gone when the reader comes.
    return in_turn(write_value, name) == 0 ? in_turn(read_value, name) : 1;
  });
}

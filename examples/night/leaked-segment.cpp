/// A segment that leaks: System V memory stays until somebody removes it, and who would have is killed.
///
/// Nothing tells a leak from a segment that its owner is to come back to, but that the owner is dead: `tenon gc` knows
/// from the kernel who made it and who attached it last.
#include "stage.hpp"

#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/os/remove_on_exit.hpp>

using namespace tenon;

namespace {

constexpr std::size_t frame = std::size_t{1920} * 1080 * 4;

void record() {
  const SysvMemory memory = SysvMemory::create(SysvKey::unshared(), frame).or_throw();
  const RemoveOnExit guard(SysvMemory::remove, memory.id());  // would do it, if the process came so far
  const Mapping mapped = memory.attach(Access::read_write).or_throw();
  ::raise(SIGKILL);
}

}  // namespace

int main(int argc, char** argv) {
  return night::run(argc, argv, {{"recorder", record}}, [&] {
    tenon::spawn_program(argv[0], {"recorder"}).or_throw().wait(never).or_throw();
    night::stand("the recorder was killed, and has left its frame");
  });
}

// What System V memory costs beside the bare calls, in pairs of blocks.
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>

#include <harness/byte_stream.hpp>

#include <cstdio>
#include <sys/ipc.h>
#include <sys/shm.h>

using namespace tenon;

namespace {

constexpr std::size_t size = 65536;

void must(bool done, const char* call) {
  if (!done) {
    throw Failure(os_failure(call, errno));
  }
}

void make_bare() {
  const int id = ::shmget(IPC_PRIVATE, size, IPC_CREAT | IPC_EXCL | 0600);
  must(id != -1, "shmget");
  must(::shmctl(id, IPC_RMID, nullptr) == 0, "shmctl");
}

void make_wrapped() {
  const SysvMemory memory = SysvMemory::create(SysvKey::unshared(), size).or_throw();
  SysvMemory::remove(memory.id()).or_throw();
}

void attach_bare(int id) {
  void* const start = ::shmat(id, nullptr, 0);
  must(start != reinterpret_cast<void*>(-1), "shmat");
  ::shmdt(start);
}

}  // namespace

int main() try {
  const SysvMemory memory = SysvMemory::create(SysvKey::unshared(), size).or_throw();
  const Mapping held = memory.attach(Access::read_write).or_throw();
  SysvMemory::remove(memory.id()).or_throw();
  return harness::print_paired(
      "sysv memory", {{.name = "64 KiB made and removed",
                       .bare = harness::done_by_one_process("shmget", make_bare),
                       .wrapped = harness::done_by_one_process("create", make_wrapped)},
                      {.name = "attached and detached",
                       .bare = harness::done_by_one_process("shmat", [id = memory.id()] { attach_bare(id); }),
                       .wrapped = harness::done_by_one_process(
                           "attach", [&] { const auto attached = memory.attach(Access::read_write).or_throw(); })}});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

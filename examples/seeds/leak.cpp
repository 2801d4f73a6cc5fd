/// A System V segment belongs to the kernel: it stays when its maker forgets it, and even when its maker is gone.
#include "text.hpp"

#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/os/token.hpp>

using namespace tenon;

namespace {

SysvKey new_key() { return SysvKey::number(static_cast<key_t>(Token::random().value() | 1)).or_throw(); }

// Detaches at its end, as every process does, and removes nothing.
int forget(SysvKey key) {
  const SysvMemory segment = SysvMemory::create(key, 1024).or_throw();
  const Mapping memory = segment.attach(Access::read_write).or_throw();
  return 0;
}

int clean_up(SysvKey key) {
  const SysvMemory segment = SysvMemory::create(key, 1024).or_throw();
  const RemoveOnExit guard(SysvMemory::remove, segment.id());
  const Mapping memory = segment.attach(Access::read_write).or_throw();
  return 0;
}

}  // namespace

int main() {
  return seeds::run([] {
    const SysvKey key = new_key();
    if (!spawn([&] { return forget(key); }).or_throw().wait(seeds::soon()).or_throw().success()) {
      return 1;
    }
    SysvMemory::open(key).or_throw();  // it is still there
    seeds::say("WRONG: the segment is still there");
    SysvMemory::unlink(key).or_throw();

    if (!spawn([&] { return clean_up(key); }).or_throw().wait(seeds::soon()).or_throw().success()) {
      return 1;
    }
    if (!SysvMemory::open(key).failed_with(Errc::not_found)) {
      return 1;
    }
    seeds::say("CORRECT: nothing is left");
    return 0;
  });
}

/// Producer and consumer with one place between them, in System V memory. A mutex and a flag, as the document has it,
/// lose what is overwritten before it is read: it takes two counts, of what is empty and of what is full.
#include "text.hpp"

#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/remove_on_exit.hpp>

using namespace tenon;

namespace {

constexpr std::uint16_t empty = 0;
constexpr std::uint16_t full = 1;
constexpr int values = 10;

struct SharedBuffer {
  int data;
};

SharedBuffer& in(const Mapping& memory) { return *reinterpret_cast<SharedBuffer*>(memory.data()); }

// Each prints while the place is its own, so the lines alternate.
int produce(const SysvSemaphore& places, SharedBuffer& buffer) {
  for (int i = 0; i < values; ++i) {
    places.wait(empty, Undo::no, seeds::soon()).or_throw();
    buffer.data = i * values;
    seeds::say("Producer: wrote " + std::to_string(buffer.data));
    places.post(full, Undo::no).or_throw();
  }
  return 0;
}

void consume(const SysvSemaphore& places, SharedBuffer& buffer) {
  for (int i = 0; i < values; ++i) {
    places.wait(full, Undo::no, seeds::soon()).or_throw();
    seeds::say("Consumer: read " + std::to_string(buffer.data));
    places.post(empty, Undo::no).or_throw();
  }
}

}  // namespace

int main() {
  return seeds::run([] {
    const SysvMemory segment = SysvMemory::create(SysvKey::unshared(), sizeof(SharedBuffer)).or_throw();
    const RemoveOnExit segment_guard(SysvMemory::remove, segment.id());
    const Mapping memory = segment.attach(Access::read_write).or_throw();
    const SysvSemaphore places = SysvSemaphore::create(SysvKey::unshared(), {1, 0}).or_throw();
    const RemoveOnExit places_guard(SysvSemaphore::remove, places.id());

    Child child = spawn([&] { return produce(places, in(memory)); }).or_throw();
    consume(places, in(memory));

    return child.wait(seeds::soon()).or_throw().success() ? 0 : 1;
  });
}

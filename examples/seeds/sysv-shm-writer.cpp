/// Makes a System V segment for sysv-shm-reader to read, and removes it. Either may be started first.
#include "shared_data.hpp"
#include "text.hpp"

#include <tenon/os/futex.hpp>
#include <tenon/os/remove_on_exit.hpp>

#include <cstring>

using namespace tenon;

namespace {

void fill(MutableBytes bytes) {
  auto& data = *new (bytes.data()) seeds::SharedData();
  data.counter = 42;
  std::strncpy(data.message.data(), "Hello from writer!", data.message.size() - 1);
}

// False where nobody can press it.
bool wait_for_enter() {
  int letter = std::getchar();
  while (letter != '\n' && letter != EOF) {
    letter = std::getchar();
  }
  return letter == '\n';
}

}  // namespace

int main(int argc, char** argv) {
  return seeds::run([&] {
    // New, so that nothing left over is met; and filled before the reader can open it.
    const SysvMemory memory =
        SysvMemory::create(seeds::key_from(argc, argv), sizeof(seeds::SharedData), owner_only, fill).or_throw();
    const RemoveOnExit removed(SysvMemory::remove, memory.id());
    const Mapping shared = memory.attach(Access::read_write).or_throw();
    seeds::SharedData& data = seeds::data_in(shared);

    seeds::say("Writer: " + seeds::text_of(data));
    seeds::say("Press Enter to detach...");
    if (!wait_for_enter()) {
      const auto is_read = [&] { return data.read.load(std::memory_order_acquire) == 1; };  // S1
      futex_wait_until(data.read, is_read, seeds::soon()).or_throw();
    }
    return 0;
  });
}

/// An error half-way: what was made is taken away again, one line says which call failed and why, and the exit code
/// is 1.
#include "text.hpp"

#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/ipc/posix_semaphore/named_semaphore.hpp>
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/os/unlink_on_exit.hpp>

using namespace tenon;

int main(int argc, char** argv) {
  const std::string path = seeds::path_from(argc, argv);
  return seeds::run([&] {
    const Fifo fifo = Fifo::create(path).or_throw();
    const UnlinkOnExit fifo_guard(Fifo::unlink, path);
    const SysvSemaphore set = SysvSemaphore::create(SysvKey::unshared(), {1}).or_throw();
    const RemoveOnExit set_guard(SysvSemaphore::remove, set.id());

    NamedSemaphore::open("/nobody-made-this").or_throw();  // throws, and the guards go
    return 0;
  });
}

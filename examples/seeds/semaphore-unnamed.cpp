/// A semaphore without a name, in memory that two processes share: the child signals, the parent waits.
#include "text.hpp"

#include <tenon/ipc/posix_semaphore/unnamed_semaphore.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>

using namespace tenon;

int main() {
  return seeds::run([] {
    const Mapping memory = Mapping::shared_with_children(UnnamedSemaphore::size).or_throw();
    // Made before there is a child: whoever opens it must find it made.
    UnnamedSemaphore done = UnnamedSemaphore::create(memory.bytes(), 0).or_throw();

    Child child = spawn([&] {
                    UnnamedSemaphore::open(memory.bytes()).or_throw().post().or_throw();
                    return 0;
                  }).or_throw();
    done.wait(seeds::soon()).or_throw();
    seeds::say("signaled through shared memory");

    return child.wait(seeds::soon()).or_throw().success() ? 0 : 1;
  });
}

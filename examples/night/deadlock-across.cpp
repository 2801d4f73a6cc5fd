/// A deadlock over two semaphores and a queue. Each of three processes does nothing that would be wrong by itself:
///
///     press    has the plates (semaphore 0), and waits for the ink (semaphore 1)
///     mixer    has the ink, and waits for a job in /jobs
///     planner  would send the job, and waits for the plates
///
/// No lock checker sees it: a queue is no lock. `tenon why` does.
#include "stage.hpp"

#include <tenon/ipc/posix_queue/posix_queue.hpp>
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <vector>

using namespace tenon;

namespace {

constexpr std::uint16_t plates = 0;
constexpr std::uint16_t ink = 1;
constexpr const char* jobs = "/jobs";

SysvKey key() { return SysvKey::parse("0x7e40").or_throw(); }

void take(const SysvSemaphore& set, std::uint16_t which) { set.wait(which, Undo::at_death, never).or_throw(); }

void until_taken(const SysvSemaphore& set, std::uint16_t which) {
  while (set.value(which).or_throw() != 0) {
    ::usleep(1000);
  }
}

void press() {
  const SysvSemaphore set = SysvSemaphore::open(key()).or_throw();
  take(set, plates);
  until_taken(set, ink);
  take(set, ink);
}

void mix() {
  const SysvSemaphore set = SysvSemaphore::open(key()).or_throw();
  take(set, ink);
  auto queue = PosixQueue::open(jobs, PosixQueue::Use::receiving).or_throw();
  std::vector<std::byte> job(queue.attributes().or_throw().message_bytes);
  queue.receive(job, never).or_throw();
}

void plan() {
  const SysvSemaphore set = SysvSemaphore::open(key()).or_throw();
  auto queue = PosixQueue::open(jobs, PosixQueue::Use::sending).or_throw();
  until_taken(set, plates);
  take(set, plates);
  queue.send(bytes_of("print"), 0, never).or_throw();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<night::Role> roles = {{"press", press}, {"mixer", mix}, {"planner", plan}};
  return night::run(argc, argv, roles, [&] {
    const SysvSemaphore set = SysvSemaphore::create(key(), {1, 1}).or_throw();
    const RemoveOnExit set_guard(SysvSemaphore::remove, set.id());
    // Closed at once: who has it open could send.
    PosixQueue::create(jobs, {.messages = 4, .message_bytes = 64}).or_throw().close().or_throw();
    const UnlinkOnExit queue_guard(PosixQueue::unlink, jobs);
    const night::Cast cast(argv[0], roles);
    night::stand("press, mixer and planner wait for one another");
  });
}

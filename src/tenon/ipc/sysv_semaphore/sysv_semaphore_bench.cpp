// What a set's calls cost beside the bare ones, in pairs of blocks.
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>

#include <tenon/os/remove_on_exit.hpp>
#include <harness/byte_stream.hpp>

#include <cerrno>
#include <cstdio>

using namespace tenon;

namespace {

void bare(int id, unsigned short which, short change, short flags = 0) {
  sembuf step{.sem_num = which, .sem_op = change, .sem_flg = flags};
  while (::semop(id, &step, 1) == -1) {
    if (errno != EINTR) {
      throw Failure(os_failure("semop", errno));
    }
  }
}

harness::StreamPair alone(const SysvSemaphore& set, Undo undo) {
  const int id = set.id();
  const short flags = undo == Undo::at_death ? SEM_UNDO : 0;
  return {.name = undo == Undo::at_death ? "waited for and posted, undone at death" : "waited for and posted",
          .bare = harness::done_by_one_process("semop",
                                               [=] {
                                                 bare(id, 0, -1, flags);
                                                 bare(id, 0, 1, flags);
                                               }),
          .wrapped = harness::done_by_one_process("wait, post", [&set, undo] {
            set.wait(0, undo, never).or_throw();
            set.post(0, undo).or_throw();
          })};
}

harness::StreamPair between(const SysvSemaphore& set, harness::StreamPair::Where where) {
  const int id = set.id();
  const auto reset = [&set] {
    set.set_value(1, 0).or_throw();
    set.set_value(2, 0).or_throw();
  };
  return {.name = "there and back",
          .bare = harness::done_by_two_processes(
              "there and back", reset,
              [=] {
                bare(id, 1, 1);
                bare(id, 2, -1);
              },
              [=] {
                bare(id, 1, -1);
                bare(id, 2, 1);
              }),
          .wrapped = harness::done_by_two_processes(
              "there and back", reset,
              [&set] {
                set.post(1, Undo::no).or_throw();
                set.wait(2, Undo::no, never).or_throw();
              },
              [&set] {
                set.wait(1, Undo::no, never).or_throw();
                set.post(2, Undo::no).or_throw();
              }),
          .where = where};
}

}  // namespace

int main() try {
  const SysvSemaphore set = SysvSemaphore::create(SysvKey::unshared(), {1, 0, 0}).or_throw();
  const RemoveOnExit guard(SysvSemaphore::remove, set.id());
  return harness::print_paired("sysv_semaphore", {alone(set, Undo::no), alone(set, Undo::at_death),
                                                  between(set, harness::StreamPair::Where::one_core),
                                                  between(set, harness::StreamPair::Where::across_cores)});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

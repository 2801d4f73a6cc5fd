// What sending to a System V queue and receiving from it costs beside the bare calls, in pairs of blocks.
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>
#include <tenon/os/remove_on_exit.hpp>

#include <harness/byte_stream.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <sys/msg.h>
#include <vector>

using namespace tenon;

namespace {

struct Envelope {
  long type;
  std::array<std::byte, 8192> text;
};

harness::StreamPair sent_and_received(int id, std::size_t size, Deadline deadline, const std::string& how) {
  const auto message = std::make_shared<std::vector<std::byte>>(size);
  const auto room = std::make_shared<Envelope>();
  const auto bare = [=] {
    room->type = 1;
    if (::msgsnd(id, &*room, size, 0) == -1 || ::msgrcv(id, &*room, room->text.size(), 0, 0) == -1) {
      throw Failure(os_failure("msgsnd", errno));
    }
  };
  const auto wrapped = [=] {
    SysvQueue queue = SysvQueue::adopt(id);
    queue.send(*message, 1, deadline).or_throw();
    const auto got = queue.receive(room->text, SysvQueue::Types::any(), deadline).or_throw();
    if (got.bytes != size) {
      throw Failure(Error(Errc::corrupt, "msgrcv"));
    }
  };
  return {.name = std::to_string(size) + " B sent and received, " + how,
          .bare = harness::done_by_one_process("bare", bare),
          .wrapped = harness::done_by_one_process("SysvQueue", wrapped)};
}

}  // namespace

int main() try {
  const SysvQueue queue = SysvQueue::create(SysvKey::unshared()).or_throw();
  const RemoveOnExit guard(SysvQueue::remove, queue.id());
  std::vector<harness::StreamPair> pairs;
  for (const std::size_t size : {std::size_t{64}, std::size_t{8192}}) {
    pairs.push_back(sent_and_received(queue.id(), size, never, "never"));
    pairs.push_back(sent_and_received(queue.id(), size, after(std::chrono::hours(24)), "after(24h)"));
  }
  return harness::print_paired("System V queue", pairs);
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

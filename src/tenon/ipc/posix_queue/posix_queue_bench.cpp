// What sending to a POSIX queue and receiving from it costs beside the bare calls, in pairs of blocks.
#include <tenon/ipc/posix_queue/posix_queue.hpp>

#include <tenon/os/token.hpp>
#include <harness/byte_stream.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

using namespace tenon;

namespace {

constexpr PosixQueue::Limits limits{.messages = 10, .message_bytes = 8192};

// Without a name once it is open.
std::shared_ptr<PosixQueue> new_queue() {
  const std::string name = "/queue-bench-" + Token::random().hex();
  auto queue = std::make_shared<PosixQueue>(PosixQueue::create(name, limits).or_throw());
  PosixQueue::unlink(name).or_throw();
  return queue;
}

harness::StreamPair sent_and_received(std::size_t size, Deadline deadline, const std::string& how) {
  const auto queue = new_queue();
  const auto message = std::make_shared<std::vector<std::byte>>(size);
  const auto room = std::make_shared<std::vector<std::byte>>(limits.message_bytes);
  const auto bare = [=] {
    const int fd = queue->fd().raw();
    unsigned priority = 0;
    if (::mq_send(fd, reinterpret_cast<const char*>(message->data()), size, 1) == -1 ||
        ::mq_receive(fd, reinterpret_cast<char*>(room->data()), room->size(), &priority) == -1) {
      throw Failure(os_failure("mq_send", errno));
    }
  };
  const auto wrapped = [=] {
    queue->send(*message, 1, deadline).or_throw();
    const auto got = queue->receive(*room, deadline).or_throw();
    if (got.bytes != size) {
      throw Failure(Error(Errc::corrupt, "mq_receive"));
    }
  };
  return {.name = std::to_string(size) + " B sent and received, " + how,
          .bare = harness::done_by_one_process("bare", bare),
          .wrapped = harness::done_by_one_process("PosixQueue", wrapped)};
}

}  // namespace

int main() try {
  std::vector<harness::StreamPair> pairs;
  for (const std::size_t size : {std::size_t{64}, std::size_t{8192}}) {
    pairs.push_back(sent_and_received(size, never, "never"));
    pairs.push_back(sent_and_received(size, after(std::chrono::hours(24)), "after(24h)"));
  }
  return harness::print_paired("POSIX queue", pairs);
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

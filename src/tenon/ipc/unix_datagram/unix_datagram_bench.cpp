// What a message over a datagram socket costs beside the bare calls, in pairs of blocks.
#include <tenon/ipc/unix_datagram/unix_datagram.hpp>

#include <harness/byte_stream.hpp>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <vector>

using namespace tenon;

namespace {

using Ends = std::pair<UnixDatagram, UnixDatagram>;

void must(bool done) {
  if (!done) {
    throw Failure(os_failure("bench", errno));
  }
}

harness::StreamPair sent_and_received(const std::string& name, std::size_t bytes) {
  auto ends = std::make_shared<Ends>(UnixDatagram::pair().or_throw());
  auto payload = std::make_shared<std::vector<std::byte>>(bytes);
  const auto size = static_cast<ssize_t>(bytes);
  const auto bare = [=] {
    must(::send(ends->first.fd().raw(), payload->data(), bytes, MSG_NOSIGNAL) == size);
    must(::recv(ends->second.fd().raw(), payload->data(), bytes, 0) == size);
  };
  const auto wrapped = [=] {
    ends->first.send(*payload, never).or_throw();
    must(ends->second.receive(*payload, never).or_throw() == bytes);
  };
  return {.name = name,
          .bare = harness::done_by_one_process("send, recv", bare),
          .wrapped = harness::done_by_one_process("send, receive", wrapped)};
}

}  // namespace

int main() try {
  return harness::print_paired("unix_datagram", {sent_and_received("64 B sent and received", 64),
                                                 sent_and_received("4 KiB sent and received", 4096)});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

// What a connection's calls, and making one, cost beside the bare calls, in pairs of blocks.
#include <tenon/ipc/unix_stream/unix_listener.hpp>
#include <tenon/ipc/unix_stream/unix_stream.hpp>

#include <tenon/os/token.hpp>
#include <harness/byte_stream.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <vector>

using namespace tenon;

namespace {

using Ends = std::pair<UnixStream, UnixStream>;

void must(bool done) {
  if (!done) {
    throw Failure(os_failure("bench", errno));
  }
}

harness::StreamPair sent_and_received(const std::string& name, std::size_t bytes) {
  auto ends = std::make_shared<Ends>(UnixStream::pair().or_throw());
  auto payload = std::make_shared<std::vector<std::byte>>(bytes);
  const auto size = static_cast<ssize_t>(bytes);
  return {.name = name,
          .bare = harness::done_by_one_process(
              "send, recv",
              [=] {
                must(::send(ends->first.fd().raw(), payload->data(), bytes, MSG_NOSIGNAL) == size);
                must(::recv(ends->second.fd().raw(), payload->data(), bytes, 0) == size);
              }),
          .wrapped = harness::done_by_one_process("write, read", [=] {
            must(ends->first.write(*payload, never).or_throw() == bytes);
            must(ends->second.read(*payload, never).or_throw() == bytes);
          })};
}

}  // namespace

int main() try {
  // An abstract name, for which nothing but the socket has to be looked at.
  const std::string name = "@bench-" + Token::random().hex();
  const auto listener = std::make_shared<UnixListener>(UnixListener::create(name).or_throw());
  const UnixAddress address = UnixAddress::parse(name).or_throw();
  const auto connect_bare = [=] {
    const Fd client = fd_from(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket").or_throw();
    must(::connect(client.raw(), address.raw(), address.length()) == 0);
    const Fd server = fd_from(::accept4(listener->fd().raw(), nullptr, nullptr, SOCK_CLOEXEC), "accept").or_throw();
  };
  const auto connect_wrapped = [=] {
    const UnixStream client = UnixStream::connect(name, never).or_throw();
    const UnixStream server = listener->accept(never).or_throw();
  };
  return harness::print_paired("unix_stream",
                               {sent_and_received("64 B sent and received", 64),
                                sent_and_received("4 KiB sent and received", 4096),
                                {.name = "connected and accepted",
                                 .bare = harness::done_by_one_process("connect, accept", connect_bare),
                                 .wrapped = harness::done_by_one_process("UnixStream", connect_wrapped)}});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

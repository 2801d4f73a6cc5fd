// What a message over a seqpacket connection costs beside the bare calls, in pairs of blocks.
#include <tenon/ipc/unix_seqpacket/unix_seqpacket.hpp>

#include <harness/byte_stream.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <vector>

using namespace tenon;

namespace {

using Ends = std::pair<UnixSeqpacket, UnixSeqpacket>;

void must(bool done) {
  if (!done) {
    throw Failure(os_failure("bench", errno));
  }
}

// What whoever wants to tell an empty message from the end has to call: recv(2) cannot.
ssize_t receive_bare(int socket, MutableBytes into) {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(ucred))> control;
  iovec part{.iov_base = into.data(), .iov_len = into.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
}

harness::StreamPair sent_and_received(const std::string& name, std::size_t bytes) {
  auto ends = std::make_shared<Ends>(UnixSeqpacket::pair().or_throw());
  auto payload = std::make_shared<std::vector<std::byte>>(bytes);
  const auto size = static_cast<ssize_t>(bytes);
  const auto bare = [=] {
    must(::send(ends->first.fd().raw(), payload->data(), bytes, MSG_NOSIGNAL) == size);
    must(receive_bare(ends->second.fd().raw(), *payload) == size);
  };
  const auto wrapped = [=] {
    ends->first.send(*payload, never).or_throw();
    must(ends->second.receive(*payload, never).or_throw() == bytes);
  };
  return {.name = name,
          .bare = harness::done_by_one_process("send, recvmsg", bare),
          .wrapped = harness::done_by_one_process("send, receive", wrapped)};
}

}  // namespace

int main() try {
  return harness::print_paired("unix_seqpacket", {sent_and_received("64 B sent and received", 64),
                                                  sent_and_received("4 KiB sent and received", 4096)});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

// What handing a descriptor over costs beside the bare calls, in pairs of blocks.
#include <tenon/ipc/descriptor_passing/descriptor_passing.hpp>

#include <tenon/os/unix_socket.hpp>
#include <harness/byte_stream.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sys/socket.h>

using namespace tenon;

namespace {

void must(bool done) {
  if (!done) {
    throw Failure(os_failure("bench", errno));
  }
}

struct Message {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
  std::byte letter{};
  iovec part{.iov_base = &letter, .iov_len = 1};
  msghdr header{};

  Message() {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
};

void send_bare(int socket, int descriptor) {
  Message message;
  cmsghdr* enclosure = CMSG_FIRSTHDR(&message.header);
  enclosure->cmsg_level = SOL_SOCKET;
  enclosure->cmsg_type = SCM_RIGHTS;
  enclosure->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(enclosure), &descriptor, sizeof descriptor);
  must(::sendmsg(socket, &message.header, MSG_NOSIGNAL) == 1);
}

Fd receive_bare(int socket) {
  Message message;
  must(::recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC) == 1);
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message.header)), sizeof descriptor);
  return Fd::adopt(descriptor);
}

}  // namespace

int main() try {
  auto ends = std::make_shared<std::pair<Fd, Fd>>(make_socket_pair(SocketKind::stream).or_throw());
  const auto bare = [=] {
    send_bare(ends->first.raw(), ends->first.raw());
    const Fd received = receive_bare(ends->second.raw());
  };
  const auto wrapped = [=] {
    const FdView own = ends->first.view();
    std::array<std::byte, 1> letter{};
    must(send_descriptors(own, letter, std::span(&own, 1), never).or_throw() == 1);
    const Delivery delivery = receive_descriptors(ends->second.view(), letter, 1, never).or_throw();
  };
  return harness::print_paired("descriptor_passing",
                               {{.name = "one sent and received",
                                 .bare = harness::done_by_one_process("sendmsg, recvmsg", bare),
                                 .wrapped = harness::done_by_one_process("send_descriptors", wrapped)}});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

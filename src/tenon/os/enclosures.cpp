#include <tenon/os/enclosures.hpp>

#include <cerrno>
#include <cstring>

namespace tenon {

namespace {

// As large as what the kernel can have to say: so what does not come whole did not fail for want of room here.
constexpr std::size_t largest_label = 256;  // a security module's (SO_PASSSEC)
constexpr std::size_t control_size = CMSG_SPACE(most_descriptors * sizeof(int)) + CMSG_SPACE(sizeof(ucred)) +
                                     CMSG_SPACE(sizeof(int)) + CMSG_SPACE(largest_label);

constexpr int scm_pidfd = 4;  // Linux 6.5; Debian 12's headers do not have it

void take_descriptors(const cmsghdr& header, std::vector<Fd>& into) {
  const std::size_t count = (header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
  const unsigned char* data = CMSG_DATA(const_cast<cmsghdr*>(&header));
  into.reserve(into.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    int raw = -1;
    std::memcpy(&raw, data + i * sizeof raw, sizeof raw);
    into.push_back(Fd::adopt(raw));
  }
}

Credentials credentials_of(const cmsghdr& header) {
  ucred sender{};
  std::memcpy(&sender, CMSG_DATA(const_cast<cmsghdr*>(&header)), sizeof sender);
  return {.pid = sender.pid, .uid = sender.uid, .gid = sender.gid};
}

}  // namespace

Enclosures take_enclosures(msghdr& message) {
  Enclosures all;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_len < CMSG_LEN(0)) {
      continue;
    }
    if (header->cmsg_type == SCM_RIGHTS) {
      take_descriptors(*header, all.descriptors);
    } else if (header->cmsg_type == scm_pidfd) {
      std::vector<Fd> unasked;
      take_descriptors(*header, unasked);
    } else if (header->cmsg_type == SCM_CREDENTIALS && header->cmsg_len >= CMSG_LEN(sizeof(ucred))) {
      all.sender = credentials_of(*header);
    }
  }
  all.cut_short = (message.msg_flags & MSG_TRUNC) != 0;
  all.lost = (message.msg_flags & MSG_CTRUNC) != 0;
  return all;
}

ssize_t receive_enclosed(FdView socket, MutableBytes into, int flags, Enclosures& enclosures) {
  alignas(cmsghdr) std::array<std::byte, control_size> control;
  iovec bytes{.iov_base = into.data(), .iov_len = into.size()};
  sockaddr_un from{};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket.raw(), &message, flags | MSG_CMSG_CLOEXEC);
  if (got >= 0) {
    enclosures = take_enclosures(message);
    if (auto address = UnixAddress::from_kernel(from, message.msg_namelen); address && !address->is_unnamed()) {
      enclosures.address = *address;
    }
  }
  return got;
}

Result<void> ask_for_credentials(FdView socket) {
  const int on = 1;
  if (::setsockopt(socket.raw(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == -1) {
    return fail(os_failure("setsockopt", errno));
  }
  return {};
}

}  // namespace tenon

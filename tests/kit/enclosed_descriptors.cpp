#include <kit/enclosed_descriptors.hpp>

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace kit {

void send_with_descriptors(tenon::FdView socket, std::size_t bytes, tenon::FdView sent) {
  const std::array descriptors = {sent.raw(), sent.raw(), sent.raw()};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof descriptors)> control{};
  std::byte letter{};
  iovec part{.iov_base = &letter, .iov_len = bytes};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptors);
  std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof descriptors);
  ASSERT_EQ(::sendmsg(socket.raw(), &message, MSG_NOSIGNAL), static_cast<ssize_t>(bytes));
}

}  // namespace kit

#include <tenon/os/enclosures.hpp>

#include <tenon/os/unix_socket.hpp>

#include <kit/leak_check.hpp>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using namespace tenon;

// With as many descriptors along as fit, sent by the bare call.
void send_bare(const Fd& socket, std::size_t descriptors) {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(most_descriptors * sizeof(int))> control{};
  std::byte letter{};
  iovec part{.iov_base = &letter, .iov_len = 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
  const int raw = socket.raw();
  for (std::size_t i = 0; i < descriptors; ++i) {
    std::memcpy(CMSG_DATA(header) + i * sizeof raw, &raw, sizeof raw);
  }
  ASSERT_EQ(::sendmsg(socket.raw(), &message, MSG_NOSIGNAL), 1);
}

TEST(Enclosures, hold_every_descriptor_that_came_and_close_those_nobody_takes) {  // F36 F78
  const auto [here, there] = make_socket_pair(SocketKind::stream).or_throw();
  send_bare(here, most_descriptors);
  const kit::LeakCheck check;
  std::array<std::byte, 4> into{};
  Enclosures enclosed;
  EXPECT_EQ(receive_enclosed(there.view(), into, 0, enclosed), 1);
  ASSERT_EQ(enclosed.descriptors.size(), most_descriptors);
  EXPECT_FALSE(enclosed.lost);
  EXPECT_EQ(::fcntl(enclosed.descriptors.back().raw(), F_GETFD), FD_CLOEXEC);
  EXPECT_FALSE(enclosed.sender);
}

TEST(Enclosures, say_who_sent_it_once_the_kernel_was_asked) {  // F79
  const auto [here, there] = make_socket_pair(SocketKind::datagram).or_throw();
  ask_for_credentials(there.view()).or_throw();
  send_bare(here, 1);
  std::array<std::byte, 4> into{};
  Enclosures enclosed;
  EXPECT_EQ(receive_enclosed(there.view(), into, 0, enclosed), 1);
  EXPECT_EQ(enclosed.sender, own_credentials());
  EXPECT_EQ(enclosed.descriptors.size(), 1U);
}

TEST(Enclosures, say_that_a_message_was_longer_than_its_room) {
  const auto [here, there] = make_socket_pair(SocketKind::datagram).or_throw();
  ASSERT_EQ(::send(here.raw(), "12345678", 8, 0), 8);
  std::array<std::byte, 4> into{};
  Enclosures enclosed;
  EXPECT_EQ(receive_enclosed(there.view(), into, MSG_TRUNC, enclosed), 8);
  EXPECT_TRUE(enclosed.cut_short);
}

TEST(Enclosures, cannot_be_asked_for_where_there_is_no_socket) { EXPECT_FALSE(ask_for_credentials(FdView(-1))); }

}  // namespace

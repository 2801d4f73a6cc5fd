#include <tenon/os/unix_socket.hpp>

#include <tenon/os/procfs.hpp>

#include <kit/reported_child.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::HasSubstr;

TEST(UnixSocket, is_of_the_kind_asked_for_and_closed_on_exec) {  // F36
  for (const SocketKind kind : {SocketKind::stream, SocketKind::datagram, SocketKind::seqpacket}) {
    const Fd socket = make_socket(kind).or_throw();
    const auto [first, second] = make_socket_pair(kind).or_throw();
    for (const Fd* one : {&socket, &first, &second}) {
      EXPECT_EQ(kind_of_socket(one->view()).or_throw(), kind) << name_of(kind);
      EXPECT_EQ(::fcntl(one->raw(), F_GETFD), FD_CLOEXEC);
    }
  }
}

TEST(UnixSocket, is_told_from_other_sockets_and_files) {
  const Fd internet = fd_from(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket").or_throw();
  EXPECT_TRUE(kind_of_socket(internet.view()).failed_with(Errc::not_supported));
  const Fd file = fd_from(::open("/dev/null", O_RDWR | O_CLOEXEC), "open").or_throw();
  EXPECT_FALSE(kind_of_socket(file.view()));
}

TEST(UnixSocket, names_the_limit_on_descriptors_and_leaves_nothing_open) {
  kit::ReportedChild child("at the limit", [] {
    const Fd next = fd_from(::fcntl(0, F_DUPFD_CLOEXEC, 3), "fcntl").or_throw();
    const rlim_t most = static_cast<rlim_t>(next.raw()) + 1;
    const struct rlimit limit{.rlim_cur = most, .rlim_max = most};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    const auto one = make_socket(SocketKind::stream);
    const auto two = make_socket_pair(SocketKind::stream);
    for (const Error& error : {one.error(), two.error()}) {
      ASSERT_EQ(error.code(), Errc::limit_reached);
      ASSERT_NE(error.limit(), nullptr);
      EXPECT_EQ(error.limit()->name, "RLIMIT_NOFILE");
      EXPECT_EQ(error.limit()->value, most);
      EXPECT_THAT(error.message(), HasSubstr("ulimit -n"));
    }
  });
  (void)child.finish(never);
}

TEST(UnixSocket, gets_the_send_buffer_asked_for) {
  const Fd socket = make_socket(SocketKind::datagram).or_throw();
  const std::size_t given = set_send_buffer(socket.view(), 100'001).or_throw();
  EXPECT_GE(given, 100'001U);
  EXPECT_EQ(send_buffer(socket.view()).or_throw(), given);
  EXPECT_EQ(longest_message(socket.view()).or_throw(), given - 32);
}

TEST(UnixSocket, names_the_limit_on_the_send_buffer) {
  kit::ReportedChild child("user", [] {
    if (::geteuid() == 0) {
      ASSERT_EQ(::setresuid(54324, 54324, 54324), 0);
    }
    const Fd socket = make_socket(SocketKind::datagram).or_throw();
    const std::uint64_t most = procfs::number("/proc/sys/net/core/wmem_max").or_throw();
    EXPECT_TRUE(set_send_buffer(socket.view(), 2 * most));
    const auto refused = set_send_buffer(socket.view(), 2 * most + 2);
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    ASSERT_NE(refused.error().limit(), nullptr);
    EXPECT_EQ(refused.error().limit()->name, "net.core.wmem_max");
    EXPECT_EQ(refused.error().limit()->value, most);
    EXPECT_EQ(refused.error().limit()->wanted, most + 1);
  });
  (void)child.finish(never);
}

TEST(UnixSocket, a_message_of_the_longest_size_goes_and_one_more_byte_does_not) {
  const auto [first, second] = make_socket_pair(SocketKind::datagram).or_throw();
  const std::size_t longest = longest_message(first.view()).or_throw();
  const std::string message(longest + 1, 'm');
  EXPECT_EQ(::send(first.raw(), message.data(), longest, MSG_NOSIGNAL), static_cast<ssize_t>(longest));
  EXPECT_EQ(::send(first.raw(), message.data(), longest + 1, MSG_NOSIGNAL), -1);
  EXPECT_EQ(errno, EMSGSIZE);
  const Error error = message_too_long("send", first.view(), longest + 1);
  ASSERT_NE(error.limit(), nullptr);
  EXPECT_EQ(error.limit()->value, longest);
  EXPECT_EQ(error.limit()->wanted, longest + 1);
  EXPECT_THAT(error.message(), HasSubstr("SO_SNDBUF"));
  EXPECT_THAT(error.message(), HasSubstr("net.core.wmem_max"));
}

}  // namespace

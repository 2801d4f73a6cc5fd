#include <tenon/os/credentials.hpp>

#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>

#include <kit/reported_child.hpp>
#include <array>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using tenon::Errc;
using tenon::Fd;

Fd socket_of(int family, int type) {
  return tenon::fd_from(::socket(family, type | SOCK_CLOEXEC, 0), "socket").or_throw();
}

std::array<Fd, 2> connected() {
  std::array<int, 2> raw{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, raw.data()), 0);
  return {Fd::adopt(raw[0]), Fd::adopt(raw[1])};
}

TEST(Credentials, own_ones_are_the_effective_ones) {
  EXPECT_EQ(tenon::own_credentials(), (tenon::Credentials{.pid = ::getpid(), .uid = ::geteuid(), .gid = ::getegid()}));
}

TEST(Credentials, own_ones_follow_a_fork_and_a_change_of_user) {
  const pid_t parent = ::getpid();
  kit::ReportedChild child("child", [&] {
    EXPECT_NE(tenon::own_credentials().pid, parent);
    if (::setegid(65534) == -1 || ::seteuid(65534) == -1) {
      GTEST_SKIP() << "needs root to change the user";
    }
    EXPECT_EQ(tenon::own_credentials().uid, 65534U);
    EXPECT_EQ(tenon::own_credentials().gid, 65534U);
  });
  EXPECT_TRUE(child.finish(tenon::never));
}

// F79: who made the connection, whoever holds the descriptor now.
TEST(Credentials, the_peers_are_those_of_who_connected) {
  const auto pair = connected();
  kit::ReportedChild child("child",
                           [&] { EXPECT_EQ(tenon::peer_credentials(pair[0].view()).or_throw().pid, ::getppid()); });
  EXPECT_TRUE(child.finish(tenon::never));
  EXPECT_EQ(tenon::peer_credentials(pair[0].view()).or_throw(), tenon::own_credentials());
}

TEST(Credentials, without_a_connection_there_is_no_peer) {
  EXPECT_TRUE(tenon::peer_credentials(socket_of(AF_UNIX, SOCK_STREAM).view()).failed_with(Errc::no_peer));
  EXPECT_TRUE(tenon::peer_credentials(socket_of(AF_UNIX, SOCK_DGRAM).view()).failed_with(Errc::no_peer));
}

// F79: the process itself, whatever becomes of its number.
TEST(Credentials, the_peers_process_is_handed_out_as_a_pidfd) {
  const auto pair = connected();
  const auto self = tenon::peer_process(pair[0].view());
  if (self.failed_with(Errc::not_supported)) {
    GTEST_SKIP() << "needs SO_PEERPIDFD, Linux 6.5";
  }
  ASSERT_TRUE(self) << self.error().message();
  EXPECT_EQ(::fcntl(self->raw(), F_GETFD), FD_CLOEXEC);
  const std::string info = tenon::procfs::text("/proc/self/fdinfo/" + std::to_string(self->raw())).or_throw();
  EXPECT_NE(info.find("\nPid:\t" + std::to_string(::getpid()) + "\n"), std::string::npos) << info;
  EXPECT_TRUE(tenon::peer_process(socket_of(AF_UNIX, SOCK_STREAM).view()).failed_with(Errc::no_peer));
}

TEST(Credentials, what_is_no_unix_socket_has_none) {
  EXPECT_FALSE(tenon::peer_credentials(socket_of(AF_INET, SOCK_STREAM).view()));
  const Fd file = Fd::adopt(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(tenon::peer_credentials(file.view()));
  EXPECT_FALSE(tenon::peer_credentials(tenon::FdView(-1)));
}

}  // namespace

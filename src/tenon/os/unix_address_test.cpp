#include <tenon/os/unix_address.hpp>

#include <tenon/os/fd.hpp>

#include <kit/unique.hpp>
#include <cstring>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using tenon::Errc;
using tenon::Fd;
using tenon::UnixAddress;

Fd unix_socket() { return tenon::fd_from(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket").or_throw(); }

UnixAddress bound_address(const Fd& socket) {
  sockaddr_un address{};
  socklen_t length = sizeof address;
  EXPECT_EQ(::getsockname(socket.raw(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  return UnixAddress::from_kernel(address, length).or_throw();
}

// F77
TEST(UnixAddress, a_path_of_107_bytes_fits_and_one_of_108_is_refused_not_cut) {
  const std::string longest = "/" + std::string(106, 'p');
  EXPECT_EQ(UnixAddress::path(longest).or_throw().name(), longest);
  const auto refused = UnixAddress::path(longest + "p");
  ASSERT_TRUE(refused.failed_with(Errc::invalid_name));
  EXPECT_EQ(refused.error().detail(),
            "it has 108 bytes, a socket's address takes at most 107: take a shorter path, one relative to the working "
            "directory, or an abstract name (@NAME)");
  EXPECT_EQ(refused.error().object(), longest + "p");
}

// F77
TEST(UnixAddress, a_path_with_a_nul_inside_or_without_a_name_is_refused) {
  for (const std::string_view path : {""sv, "/tmp/a\0b"sv, "\0"sv, "a\0"sv, "/"sv, "/tmp/"sv, "."sv, "/tmp/.."sv}) {
    EXPECT_TRUE(UnixAddress::path(path).failed_with(Errc::invalid_name)) << path.size();
  }
}

// F77
TEST(UnixAddress, an_abstract_name_takes_1_to_107_bytes_of_any_kind) {
  for (const std::string_view name : {"n"sv, "a/b"sv, "a\0b"sv, "\0"sv, "\xff\n"sv}) {
    EXPECT_EQ(UnixAddress::abstract(name).or_throw().name(), name);
  }
  const std::string longest(107, 'n');
  EXPECT_EQ(UnixAddress::abstract(longest).or_throw().name(), longest);
  EXPECT_TRUE(UnixAddress::abstract(longest + "n").failed_with(Errc::invalid_name));
  EXPECT_TRUE(UnixAddress::abstract("").failed_with(Errc::invalid_name));
}

TEST(UnixAddress, an_at_sign_makes_it_abstract) {
  EXPECT_TRUE(UnixAddress::parse("@name").or_throw().is_abstract());
  EXPECT_EQ(UnixAddress::parse("@name").or_throw().name(), "name");
  EXPECT_EQ(UnixAddress::parse("@name").or_throw().text(), "@name");
  EXPECT_FALSE(UnixAddress::parse("./@name").or_throw().is_abstract());
  EXPECT_EQ(UnixAddress::parse("/run/x").or_throw().text(), "/run/x");
  const auto nameless = UnixAddress::parse("@");
  ASSERT_TRUE(nameless.failed_with(Errc::invalid_name));
  EXPECT_EQ(nameless.error().object(), "@") << "as it was written";
  EXPECT_TRUE(UnixAddress::parse("").failed_with(Errc::invalid_name));
}

// F77
TEST(UnixAddress, the_kernel_binds_exactly_the_name_that_was_given) {
  const kit::UniqueDirectory directory;
  std::string longest = directory.path() + "/";
  longest.append(107 - longest.size(), 'p');
  const std::string abstract = "tenon\0test-"s + kit::unique_name();
  for (const auto& address :
       {UnixAddress::path(longest).or_throw(), UnixAddress::path(directory / "größe\n").or_throw(),
        UnixAddress::abstract(abstract).or_throw(),
        UnixAddress::abstract(abstract + std::string(107 - abstract.size(), 'n')).or_throw()}) {
    const Fd socket = unix_socket();
    ASSERT_EQ(::bind(socket.raw(), address.raw(), address.length()), 0) << std::strerror(errno);
    const UnixAddress bound = bound_address(socket);
    EXPECT_EQ(bound.name(), address.name());
    EXPECT_EQ(bound.is_abstract(), address.is_abstract());
    if (!address.is_abstract()) {
      EXPECT_EQ(::unlink(std::string(address.name()).c_str()), 0) << "the name in the file system is another";
    }
  }
}

TEST(UnixAddress, of_a_socket_that_was_never_bound_is_unnamed) {
  const UnixAddress unnamed = bound_address(unix_socket());
  EXPECT_TRUE(unnamed.is_unnamed());
  EXPECT_FALSE(unnamed.is_abstract());
  EXPECT_EQ(unnamed.name(), "");
  EXPECT_EQ(unnamed.text(), "");
}

TEST(UnixAddress, a_length_of_none_means_unnamed_whatever_the_memory_holds) {
  sockaddr_un garbage{};
  std::memset(&garbage, 0x5a, sizeof garbage);
  for (const socklen_t length : {0U, 1U}) {
    EXPECT_TRUE(UnixAddress::from_kernel(garbage, length).or_throw().is_unnamed());
  }
}

TEST(UnixAddress, what_is_no_unix_address_is_corrupt) {
  sockaddr_un address{};
  address.sun_family = AF_INET;
  EXPECT_TRUE(UnixAddress::from_kernel(address, sizeof address).failed_with(Errc::corrupt));
  address.sun_family = AF_UNIX;
  EXPECT_TRUE(UnixAddress::from_kernel(address, sizeof address + 2).failed_with(Errc::corrupt));
  address.sun_family = AF_INET;
  EXPECT_TRUE(UnixAddress::from_kernel(address, sizeof address + 1).failed_with(Errc::corrupt));
}

TEST(UnixAddress, a_path_that_fills_the_address_without_a_nul_is_read_whole_and_not_beyond) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memset(address.sun_path, 'p', sizeof address.sun_path);
  EXPECT_EQ(UnixAddress::from_kernel(address, sizeof address).or_throw().name(), std::string(108, 'p'));
}

// The kernel counts a NUL that is not there.
TEST(UnixAddress, of_a_socket_bound_to_108_bytes_without_a_nul_is_read_whole) {
  const kit::UniqueDirectory directory;
  std::string path = directory.path() + "/";
  path.append(108 - path.size(), 'p');
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), sizeof address.sun_path);
  const Fd socket = unix_socket();
  ASSERT_EQ(::bind(socket.raw(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const UnixAddress bound = bound_address(socket);
  EXPECT_EQ(bound.name(), path);
  EXPECT_EQ(bound.length(), sizeof address);
  EXPECT_EQ(::unlink(path.c_str()), 0);
}

}  // namespace

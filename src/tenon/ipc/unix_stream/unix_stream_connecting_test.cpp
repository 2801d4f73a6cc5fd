// Connecting: who is met at a name, how long that waits, and what may stand there.
#include <tenon/ipc/unix_stream/unix_stream.hpp>

#include <kit/named_path.hpp>
#include <kit/read_all.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/ipc/unix_stream/unix_listener.hpp>
#include <tenon/os/stop.hpp>

#include <array>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::HasSubstr;

constexpr uid_t stranger = 54326;

std::array<std::byte, 16> ignored;

TEST(UnixStream, connects_processes_that_share_only_the_name_in_either_order) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  kit::run_in_either_order(
      [&](const auto& here) {
        UnixListener listener = UnixListener::create(name.path).or_throw();
        here();
        UnixStream client = listener.accept(after(1h)).or_throw();
        EXPECT_EQ(kit::read_all(client), "Hello from client!");
        client.write(bytes_of("Hello from server!"), never).or_throw();
      },
      [&](const auto& here) {
        here();
        UnixStream server = UnixStream::connect(name.path, after(1h)).or_throw();
        server.write(bytes_of("Hello from client!"), never).or_throw();
        server.finish_writing().or_throw();
        EXPECT_EQ(kit::read_all(server), "Hello from server!");
      });
}

TEST(UnixStream, has_no_peer_until_somebody_listens) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  EXPECT_TRUE(UnixStream::try_connect(name.path).failed_with(Errc::not_found));
  EXPECT_TRUE(UnixStream::connect(name.path, immediately).failed_with(Errc::not_found));
  EXPECT_TRUE(UnixStream::try_connect("@" + kit::unique_name()).failed_with(Errc::no_peer));
  {
    const UnixListener dead = UnixListener::create(name.path).or_throw();
  }
  const auto refused = UnixStream::try_connect(name.path);
  ASSERT_TRUE(refused.failed_with(Errc::no_peer));
  EXPECT_THAT(refused.error().message(), HasSubstr("nobody listens there"));
  const auto begin = Deadline::Clock::now();
  const auto late = UnixStream::connect(name.path, after(40ms));
  EXPECT_GE(Deadline::Clock::now() - begin, 40ms);
  ASSERT_TRUE(late.failed_with(Errc::timed_out));
  EXPECT_THAT(late.error().message(), HasSubstr("nobody listens there"));
}

TEST(UnixStream, waits_for_room_among_those_who_wait_to_be_accepted_and_no_longer_than_its_deadline) {
  const kit::Watchdog watchdog("a connect to a full listener");
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  UnixListener listener = UnixListener::create(name.path, owner_only, 0).or_throw();
  const UnixStream first = UnixStream::try_connect(name.path).or_throw();
  const auto full = UnixStream::try_connect(name.path);
  ASSERT_TRUE(full.failed_with(Errc::would_block));
  EXPECT_THAT(full.error().message(), HasSubstr("wait to be accepted"));
  for (const auto wait : {30ms, 120ms}) {
    const auto begin = Deadline::Clock::now();
    EXPECT_TRUE(UnixStream::connect(name.path, after(wait)).failed_with(Errc::timed_out));
    EXPECT_GE(Deadline::Clock::now() - begin, wait);
  }
  Stop stop = Stop::create().or_throw();
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(UnixStream::connect(name.path, after(1h).or_stop(stop)).failed_with(Errc::stopped));
  other.join();
  std::thread accepter([&] { const UnixStream accepted = listener.accept(never).or_throw(); });
  UnixStream second = UnixStream::connect(name.path, after(1h)).or_throw();
  accepter.join();
  const kit::SignalStorm storm;
  EXPECT_TRUE(UnixStream::connect(name.path, after(50ms)).failed_with(Errc::timed_out));
  EXPECT_GT(storm.count(), 0U);
  EXPECT_TRUE(second.read(ignored, after(30ms)).failed_with(Errc::timed_out));
}

TEST(UnixStream, is_closed_on_exec) {  // F36
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  UnixListener listener = UnixListener::create(name.path).or_throw();
  const UnixStream connected = UnixStream::connect(name.path, never).or_throw();
  const UnixStream accepted = listener.accept(never).or_throw();
  auto [here, there] = UnixStream::pair().or_throw();
  for (const FdView fd : {listener.fd(), connected.fd(), accepted.fd(), here.fd(), there.fd()}) {
    EXPECT_EQ(::fcntl(fd.raw(), F_GETFD), FD_CLOEXEC);
  }
}

TEST(UnixStream, refuses_what_is_no_socket_and_says_what_it_is) {  // F75
  const kit::UniqueDirectory directory;
  const kit::NamedPath socket(directory / "socket");
  const UnixListener listener = UnixListener::create(socket.path).or_throw();
  const kit::NamedPath symlink(directory / "symlink");
  ASSERT_EQ(::symlink(socket.path.c_str(), symlink.path.c_str()), 0);
  const kit::NamedPath file(directory / "file");
  ::close(::open(file.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  for (const auto& [path, why] : {std::pair(symlink.path, "it is a symlink"), std::pair(file.path, "a regular file")}) {
    for (const auto& refused : {UnixStream::try_connect(path), UnixStream::connect(path, after(1h))}) {
      ASSERT_TRUE(refused.failed_with(Errc::permission_denied)) << path;
      EXPECT_THAT(refused.error().message(), HasSubstr(why));
    }
  }
  const kit::NamedPath other(directory / "other");
  ASSERT_EQ(::link(socket.path.c_str(), other.path.c_str()), 0);
  EXPECT_THAT(UnixStream::try_connect(other.path).error().message(), HasSubstr("a hard link"));
}

TEST(UnixStream, refuses_names_before_any_system_call) {  // F1 F77
  const std::string with_nul("/tmp/a\0b", 8);
  for (const std::string& path : {std::string(), std::string("/"), with_nul, "/tmp/" + std::string(103, 'x')}) {
    for (const auto& refused :
         {UnixStream::try_connect(path).transform([](const UnixStream&) {}),
          UnixStream::connect(path, after(1h)).transform([](const UnixStream&) {}),
          UnixListener::create(path).transform([](const UnixListener&) {}), UnixListener::unlink(path)}) {
      EXPECT_TRUE(refused.failed_with(Errc::invalid_name)) << path;
    }
  }
  const auto longer = UnixStream::try_connect("/tmp/" + std::string(103, 'x'));
  EXPECT_THAT(longer.error().message(), HasSubstr("108 bytes"));
  EXPECT_THAT(longer.error().message(), HasSubstr("at most 107"));
  EXPECT_THAT(longer.error().message(), HasSubstr("abstract name"));
}

TEST(UnixStream, connects_to_another_users_socket_only_if_that_user_is_expected) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's socket";
  }
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  const UnixListener listener = UnixListener::create(name.path).or_throw();
  ASSERT_EQ(::chown(name.path.c_str(), stranger, stranger), 0);
  const auto refused = UnixStream::try_connect(name.path);
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("it belongs to uid 54326, not to uid 0"));
  EXPECT_TRUE(UnixStream::try_connect(name.path, stranger));
}

TEST(UnixStream, asks_the_kernel_whose_an_abstract_name_is) {  // F79
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to listen as another user";
  }
  const std::string name = "@" + kit::unique_name();
  kit::Sides sides({{"listener", [&](kit::Stage& stage) {
                       ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
                       const UnixListener listener = UnixListener::create(name).or_throw();
                       stage.signal("listening");
                       stage.await("done");
                     }}});
  sides.stage().await("listening");
  const auto refused = UnixStream::connect(name, after(1h));
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("it belongs to uid 54326, not to uid 0"));
  EXPECT_EQ(UnixStream::connect(name, stranger, after(1h)).or_throw().peer().or_throw().uid, stranger);
  sides.stage().signal("done");
}

TEST(UnixStream, tells_what_is_bound_there_instead) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  const Fd bound = fd_from(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket").or_throw();
  const UnixAddress address = UnixAddress::path(name.path).or_throw();
  ASSERT_EQ(::bind(bound.raw(), address.raw(), address.length()), 0);
  const auto refused = UnixStream::connect(name.path, after(1h));
  ASSERT_TRUE(refused.failed_with(Errc::wrong_kind));
  EXPECT_THAT(refused.error().message(), HasSubstr("not a stream socket"));
}

TEST(UnixStream, knows_who_is_at_the_other_end_from_the_kernel) {  // F79
  auto [here, there] = UnixStream::pair().or_throw();
  EXPECT_EQ(here.peer().or_throw(), own_credentials());
  const auto process = here.peer_process();
  EXPECT_TRUE(process || process.failed_with(Errc::not_supported));
}

}  // namespace

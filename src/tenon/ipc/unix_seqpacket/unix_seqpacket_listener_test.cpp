#include <tenon/ipc/unix_seqpacket/unix_seqpacket_listener.hpp>

#include <tenon/os/stop.hpp>

#include <kit/named_path.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

TEST(UnixSeqpacketListener, has_exactly_the_mode_asked_for_and_is_closed_on_exec) {  // F13 F36
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  const auto listener = UnixSeqpacketListener::create(name.path, Permissions(0662)).or_throw();
  struct stat status{};
  ASSERT_EQ(::lstat(name.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0662U);
  EXPECT_EQ(::fcntl(listener.fd().raw(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(listener.address().or_throw().name(), name.path);
}

TEST(UnixSeqpacketListener, takes_a_dead_ones_place_and_never_a_living_ones) {  // F76
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  {
    const auto dead = UnixSeqpacketListener::create(name.path).or_throw();
  }
  EXPECT_TRUE(UnixSeqpacket::try_connect(name.path).failed_with(Errc::no_peer));
  const auto living = UnixSeqpacketListener::create(name.path).or_throw();
  EXPECT_TRUE(UnixSeqpacketListener::create(name.path).failed_with(Errc::already_exists));
  EXPECT_TRUE(UnixSeqpacket::try_connect(name.path));
}

TEST(UnixSeqpacketListener, keeps_its_deadline_and_is_stopped) {
  const kit::Watchdog watchdog("a stopped accept returns");
  auto listener = UnixSeqpacketListener::create("@" + kit::unique_name()).or_throw();
  EXPECT_TRUE(listener.try_accept().failed_with(Errc::would_block));
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(listener.accept(after(30ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 30ms);
  Stop stop = Stop::create().or_throw();
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(listener.accept(never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
}

TEST(UnixSeqpacketListener, leaves_its_name_behind_and_unlink_removes_it) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "socket";
  EXPECT_TRUE(UnixSeqpacketListener::create(path).or_throw().close());
  EXPECT_TRUE(UnixSeqpacketListener::unlink(path));
  EXPECT_TRUE(UnixSeqpacketListener::unlink(path).failed_with(Errc::not_found));
  EXPECT_TRUE(UnixSeqpacketListener::unlink("@abstract").failed_with(Errc::wrong_kind));
}

}  // namespace

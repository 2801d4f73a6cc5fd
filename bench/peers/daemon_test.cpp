#include <peers/daemon.hpp>

#include <tenon/os/fd.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/poll.hpp>

#include <kit/watchdog.hpp>
#include <array>
#include <cerrno>
#include <csignal>
#include <gtest/gtest.h>
#include <stdexcept>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using peers::Daemon;

TEST(BenchDaemon, a_server_ends_when_it_is_let_go) {
  auto server = Daemon::start({"sleep", "1000"});
  const pid_t pid = server->pid();
  EXPECT_EQ(::kill(pid, 0), 0);
  server.reset();
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(BenchDaemon, one_that_ends_before_it_has_made_its_file_is_told) {
  auto server = Daemon::start({"false"});
  EXPECT_THROW(server->await("/nowhere/at/all"), std::runtime_error);
}

TEST(BenchDaemon, a_server_ends_with_who_started_it_also_when_that_is_killed) {
  const kit::Watchdog watchdog("the server of a process that was killed ends");
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const auto reads = tenon::Fd::adopt(ends[0]);
  const auto writes = tenon::Fd::adopt(ends[1]);
  auto starter = tenon::spawn([&] {
                   const auto server = Daemon::start({"sleep", "1000"});
                   const pid_t pid = server->pid();
                   if (::write(writes.raw(), &pid, sizeof pid) == sizeof pid) {
                     ::pause();
                   }
                   return 1;
                 }).or_throw();
  pid_t pid = 0;
  ASSERT_EQ(::read(reads.raw(), &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  const auto server = tenon::Fd::adopt(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  starter.signal(SIGKILL).or_throw();
  EXPECT_TRUE(starter.wait(tenon::never));
  EXPECT_TRUE(tenon::wait_ready(server.view(), tenon::Ready::reading, tenon::never));
}

}  // namespace

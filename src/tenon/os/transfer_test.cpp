#include <tenon/os/transfer.hpp>

#include <tenon/base/bytes.hpp>
#include <tenon/os/stop.hpp>

#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

using Transfer = Result<std::size_t> (*)(FdView, FdView, std::size_t, Deadline);
constexpr std::array<Transfer, 2> both = {splice_between, tee_between};

struct Ends {
  Fd reader;
  Fd writer;
};

Ends new_pipe() {
  std::array<int, 2> raw{};
  EXPECT_EQ(::pipe2(raw.data(), O_CLOEXEC), 0);
  return {.reader = Fd::adopt(raw[0]), .writer = Fd::adopt(raw[1])};
}

std::pair<Fd, Fd> new_sockets() {
  std::array<int, 2> raw{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, raw.data()), 0);
  return {Fd::adopt(raw[0]), Fd::adopt(raw[1])};
}

void close_fd(Fd fd) { std::move(fd).close().or_throw(); }

TEST(Transfer, is_closed_when_nobody_reads_there_though_there_is_nothing_to_move) {  // F72
  const kit::Watchdog watchdog("a transfer to a pipe without reader returns");
  const Ends source = new_pipe();
  const Fd lonely = std::move(new_pipe().writer);
  for (const Transfer transfer : both) {
    EXPECT_TRUE(transfer(source.reader.view(), lonely.view(), 3, never).failed_with(Errc::closed));
    EXPECT_TRUE(transfer(source.reader.view(), lonely.view(), 3, after(1h)).failed_with(Errc::closed));
  }
}

TEST(Transfer, that_waits_for_bytes_is_told_when_the_last_reader_is_killed) {  // F72
  const kit::Watchdog watchdog("a transfer learns of its reader's death");
  for (const Transfer transfer : both) {
    const Ends source = new_pipe();
    Ends next = new_pipe();
    kit::Sides sides({{"reader", [&](kit::Stage& stage) {
                         close_fd(std::move(next.writer));
                         stage.signal("ready");
                         while (true) {
                           ::pause();
                         }
                       }}});
    close_fd(std::move(next.reader));
    sides.stage().await("ready");
    std::thread killer([&] { sides.side("reader").kill(); });
    EXPECT_TRUE(transfer(source.reader.view(), next.writer.view(), 3, never).failed_with(Errc::closed));
    killer.join();
  }
}

TEST(Transfer, is_told_when_the_socket_that_it_writes_to_has_closed) {
  const kit::Watchdog watchdog("a transfer to a closed socket returns");
  const Ends source = new_pipe();
  auto [near, far] = new_sockets();
  EXPECT_TRUE(splice_between(source.reader.view(), near.view(), 3, after(10ms)).failed_with(Errc::timed_out));
  close_fd(std::move(far));
  EXPECT_TRUE(splice_between(source.reader.view(), near.view(), 3, never).failed_with(Errc::closed));
}

TEST(Transfer, moves_what_comes_while_it_waits_and_waits_for_room_only_then) {
  const kit::Watchdog watchdog("a transfer moves what comes later");
  const Ends source = new_pipe();
  const Ends next = new_pipe();
  std::thread writer([&] { EXPECT_EQ(::write(source.writer.raw(), "abc", 3), 3); });
  EXPECT_EQ(splice_between(source.reader.view(), next.writer.view(), 10, never).or_throw(), 3U);
  writer.join();
  ASSERT_EQ(::fcntl(next.writer.raw(), F_SETPIPE_SZ, 4096), 4096);
  std::array<std::byte, 4096> much{};
  ASSERT_EQ(::read(next.reader.raw(), much.data(), much.size()), 3);
  ASSERT_EQ(::write(next.writer.raw(), much.data(), much.size()), 4096);
  ASSERT_EQ(::write(source.writer.raw(), "def", 3), 3);
  std::thread reader([&] { EXPECT_EQ(::read(next.reader.raw(), much.data(), much.size()), 4096); });
  EXPECT_EQ(splice_between(source.reader.view(), next.writer.view(), 10, never).or_throw(), 3U);
  reader.join();
}

TEST(Transfer, is_stopped_and_refuses_to_move_nothing) {
  const Ends source = new_pipe();
  const Ends next = new_pipe();
  Stop stop = Stop::create().or_throw();
  stop.request();
  for (const Transfer transfer : both) {
    EXPECT_TRUE(transfer(source.reader.view(), next.writer.view(), 1, never.or_stop(stop)).failed_with(Errc::stopped));
    EXPECT_TRUE(transfer(source.reader.view(), next.writer.view(), 0, never).failed_with(Errc::invalid_argument));
  }
}

}  // namespace

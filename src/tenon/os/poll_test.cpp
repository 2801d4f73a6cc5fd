#include <tenon/os/poll.hpp>

#include <tenon/os/process.hpp>
#include <tenon/os/stop.hpp>

#include <kit/reported_child.hpp>
#include <kit/watchdog.hpp>
#include <array>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using tenon::after;
using tenon::Errc;
using tenon::Fd;
using tenon::FdView;
using tenon::has;
using tenon::PollItem;
using tenon::Ready;
using tenon::wait_any;
using tenon::wait_ready;

struct Ends {
  Fd reader;
  Fd writer;
};

Ends pipe_ends() {
  std::array<int, 2> raw{};
  EXPECT_EQ(::pipe2(raw.data(), O_CLOEXEC | O_NONBLOCK), 0);
  return {.reader = Fd::adopt(raw[0]), .writer = Fd::adopt(raw[1])};
}

TEST(Ready, is_a_set) {
  EXPECT_TRUE(has(Ready::reading | Ready::hang_up, Ready::hang_up));
  EXPECT_FALSE(has(Ready::reading | Ready::hang_up, Ready::writing));
  EXPECT_FALSE(has(Ready::reading, Ready::nothing));
}

TEST(WaitReady, tells_what_the_descriptor_is_ready_for) {
  const Ends pipe = pipe_ends();
  EXPECT_EQ(wait_ready(pipe.writer.view(), Ready::writing, tenon::never).value(), Ready::writing);
  ASSERT_EQ(::write(pipe.writer.raw(), "x", 1), 1);
  EXPECT_EQ(wait_ready(pipe.reader.view(), Ready::reading, tenon::never).value(), Ready::reading);
}

TEST(WaitReady, times_out_while_nothing_comes) {
  const Ends pipe = pipe_ends();
  EXPECT_TRUE(wait_ready(pipe.reader.view(), Ready::reading, after(1ms)).failed_with(Errc::timed_out));
}

TEST(WaitReady, tells_of_the_other_sides_end_without_being_asked) {
  const kit::Watchdog watchdog("a closed side ends the wait");
  Ends first = pipe_ends();
  EXPECT_TRUE(std::move(first.writer).close());
  EXPECT_EQ(wait_ready(first.reader.view(), Ready::nothing, tenon::never).value(), Ready::hang_up);
  Ends second = pipe_ends();
  EXPECT_TRUE(std::move(second.reader).close());
  EXPECT_EQ(wait_ready(second.writer.view(), Ready::nothing, tenon::never).value(), Ready::error);
}

TEST(WaitReady, is_woken_by_another_process) {
  const kit::Watchdog watchdog("a byte from another process ends the wait");
  const Ends pipe = pipe_ends();
  kit::ReportedChild writer("writer", [&] { EXPECT_EQ(::write(pipe.writer.raw(), "x", 1), 1); });
  EXPECT_EQ(wait_ready(pipe.reader.view(), Ready::reading, tenon::never).value(), Ready::reading);
  EXPECT_TRUE(writer.finish(tenon::never));
}

TEST(WaitReady, a_number_that_is_not_open_is_in_error_and_not_waited_for) {
  const kit::Watchdog watchdog("a closed number ends the wait");
  const int closed = pipe_ends().reader.raw();
  EXPECT_EQ(wait_ready(FdView(closed), Ready::reading, tenon::never).value(), Ready::error);
}

// poll(2) ignores negative descriptors: the wait would never end.
TEST(WaitReadyDeathTest, a_handle_that_was_moved_from_is_refused) {
  EXPECT_DEATH((void)wait_ready(FdView(-1), Ready::reading, after(1ms)), "broken contract: a wait needs an open");
}

TEST(WaitAny, tells_of_each_item_what_it_is_ready_for) {
  const Ends a = pipe_ends();
  const Ends b = pipe_ends();
  ASSERT_EQ(::write(b.writer.raw(), "x", 1), 1);
  std::array items{PollItem{.fd = a.reader.view()}, PollItem{.fd = b.reader.view()},
                   PollItem{.fd = a.writer.view(), .wanted = Ready::writing}};
  EXPECT_TRUE(wait_any(items, tenon::never));
  EXPECT_EQ(items[0].ready, Ready::nothing);
  EXPECT_EQ(items[1].ready, Ready::reading);
  EXPECT_EQ(items[2].ready, Ready::writing);
}

TEST(WaitAny, takes_64_items_and_a_stop_beside_them) {
  const Ends pipe = pipe_ends();
  std::vector<PollItem> items(64, PollItem{.fd = pipe.reader.view()});
  tenon::Stop stop = tenon::Stop::create().or_throw();
  EXPECT_TRUE(wait_any(items, after(1ms).or_stop(stop)).failed_with(Errc::timed_out));
  ASSERT_EQ(::write(pipe.writer.raw(), "x", 1), 1);
  EXPECT_TRUE(wait_any(items, tenon::never.or_stop(stop)));
  EXPECT_EQ(items[63].ready, Ready::reading);
  stop.request();
  EXPECT_TRUE(wait_any(items, tenon::never.or_stop(stop)).failed_with(Errc::stopped));
}

TEST(WaitAnyDeathTest, refuses_65_items) {
  const Ends pipe = pipe_ends();
  std::vector<PollItem> items(65, PollItem{.fd = pipe.reader.view()});
  EXPECT_DEATH((void)wait_any(items, tenon::immediately), "at most 64 items");
}

TEST(WaitAny, without_items_waits_for_deadline_or_stop) {
  EXPECT_TRUE(wait_any({}, after(1ms)).failed_with(Errc::timed_out));
}

TEST(WaitAnyDeathTest, refuses_a_wait_that_nothing_can_end) {
  EXPECT_DEATH((void)wait_any({}, tenon::never), "broken contract: a wait needs something that can end it");
}

}  // namespace

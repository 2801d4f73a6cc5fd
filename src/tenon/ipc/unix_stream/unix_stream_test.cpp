#include <tenon/ipc/unix_stream/unix_stream.hpp>

#include <kit/asleep.hpp>
#include <kit/enclosed_descriptors.hpp>
#include <kit/leak_check.hpp>
#include <kit/read_all.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/stop.hpp>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

std::array<std::byte, 16> ignored;

std::string read_once(UnixStream& stream, Deadline deadline = never) {
  std::array<std::byte, 256> part;
  const std::size_t got = stream.read(part, deadline).or_throw();
  return std::string(text_of(Bytes(part).first(got)));
}

TEST(UnixStream, carries_bytes_both_ways) {
  auto [here, there] = UnixStream::pair().or_throw();
  EXPECT_EQ(here.write(bytes_of("ping"), never).or_throw(), 4U);
  EXPECT_EQ(read_once(there), "ping");
  EXPECT_EQ(there.try_write(bytes_of("pong")).or_throw(), 4U);
  EXPECT_EQ(here.try_read(ignored).or_throw(), 4U);
}

TEST(UnixStream, keeps_no_boundaries) {
  auto [here, there] = UnixStream::pair().or_throw();
  here.write(bytes_of("abc"), never).or_throw();
  here.write(bytes_of("de"), never).or_throw();
  EXPECT_EQ(read_once(there), "abcde");
}

TEST(UnixStream, tells_the_end_from_empty) {
  auto [here, there] = UnixStream::pair().or_throw();
  EXPECT_TRUE(there.try_read(ignored).failed_with(Errc::would_block));
  here.write(bytes_of("last"), never).or_throw();
  std::move(here).close().or_throw();
  EXPECT_EQ(read_once(there), "last");
  EXPECT_EQ(there.try_read(ignored).or_throw(), 0U);
  EXPECT_EQ(there.read(ignored, never).or_throw(), 0U);
  EXPECT_EQ(there.read(ignored, after(1h)).or_throw(), 0U);
}

TEST(UnixStream, refuses_to_read_into_nothing_since_0_would_mean_the_end) {
  auto [here, there] = UnixStream::pair().or_throw();
  here.write(bytes_of("abc"), never).or_throw();
  EXPECT_TRUE(there.read({}, never).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(there.read({}, after(1h)).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(there.try_read({}).failed_with(Errc::invalid_argument));
  EXPECT_EQ(here.write({}, never).or_throw(), 0U);
  EXPECT_EQ(read_once(there), "abc");
}

TEST(UnixStream, closes_one_direction_and_goes_on_in_the_other) {
  auto [here, there] = UnixStream::pair().or_throw();
  here.write(bytes_of("question"), never).or_throw();
  EXPECT_TRUE(here.finish_writing());
  EXPECT_EQ(kit::read_all(there), "question");
  there.write(bytes_of("answer"), never).or_throw();
  EXPECT_EQ(read_once(here), "answer");
  EXPECT_TRUE(here.write(bytes_of("x"), never).failed_with(Errc::closed));
  EXPECT_TRUE(here.finish_reading());
  EXPECT_TRUE(there.write(bytes_of("x"), never).failed_with(Errc::closed));
  std::move(there).close().or_throw();
  EXPECT_TRUE(here.finish_writing());
}

TEST(UnixStream, is_closed_when_the_other_side_has_gone_and_raises_no_signal) {  // F72
  std::signal(SIGPIPE, SIG_DFL);
  auto [here, there] = UnixStream::pair().or_throw();
  std::move(there).close().or_throw();
  EXPECT_TRUE(here.write(bytes_of("x"), never).failed_with(Errc::closed));
  EXPECT_TRUE(here.write(bytes_of("x"), after(1h)).failed_with(Errc::closed));
  EXPECT_TRUE(here.try_write(bytes_of("x")).failed_with(Errc::closed));
  const std::array<Bytes, 1> one = {bytes_of("x")};
  EXPECT_TRUE(here.write_gathered(one, never).failed_with(Errc::closed));
  EXPECT_TRUE(here.wait_closed(never));
}

TEST(UnixStream, tells_that_the_other_side_went_without_reading_everything) {
  auto [here, there] = UnixStream::pair().or_throw();
  here.write(bytes_of("unread"), never).or_throw();
  there.write(bytes_of("still readable"), never).or_throw();
  std::move(there).close().or_throw();
  EXPECT_EQ(read_once(here), "still readable");
  EXPECT_TRUE(here.read(ignored, never).failed_with(Errc::closed));
  EXPECT_EQ(here.read(ignored, never).or_throw(), 0U);
}

TEST(UnixStream, writes_all_of_it_however_long) {  // F73
  const std::string megabytes(5'000'000, 'm');
  for (const Deadline deadline : {never, after(1h)}) {
    auto [here, there] = UnixStream::pair().or_throw();
    kit::run_sides({{"writer",
                     [&](kit::Stage&) {
                       EXPECT_EQ(here.write(bytes_of(megabytes), deadline).or_throw(), megabytes.size());
                       here.finish_writing().or_throw();
                     }},
                    {"reader", [&](kit::Stage&) { EXPECT_EQ(kit::read_all(there), megabytes); }}});
  }
}

TEST(UnixStream, gathers_and_scatters_in_order_however_long) {  // F73
  const std::string head = "head";
  const std::string body(3'000'000, 'b');
  auto [here, there] = UnixStream::pair().or_throw();
  kit::run_sides({{"writer",
                   [&](kit::Stage&) {
                     const std::array<Bytes, 3> pieces = {bytes_of(head), Bytes(), bytes_of(body)};
                     EXPECT_EQ(here.write_gathered(pieces, after(1h)).or_throw(), head.size() + body.size());
                     here.finish_writing().or_throw();
                   }},
                  {"reader", [&](kit::Stage&) {
                     std::array<std::byte, 2> first;
                     std::array<std::byte, 4> second;
                     const std::array<MutableBytes, 2> pieces = {first, second};
                     EXPECT_EQ(there.read_scattered(pieces, never).or_throw(), 6U);
                     EXPECT_EQ(text_of(first), "he");
                     EXPECT_EQ(text_of(second), "adbb");
                     EXPECT_EQ(kit::read_all(there).size(), body.size() - 2);
                   }}});
}

TEST(UnixStream, returns_what_went_before_the_deadline_and_then_tells_why_no_more) {  // F73
  auto [here, there] = UnixStream::pair().or_throw();
  const std::string much(10'000'000, 'm');
  const auto begin = Deadline::Clock::now();
  const std::size_t went = here.write(bytes_of(much), after(40ms)).or_throw();
  EXPECT_GE(Deadline::Clock::now() - begin, 40ms);
  EXPECT_GT(went, 0U);
  EXPECT_LT(went, much.size());
  EXPECT_TRUE(here.write(bytes_of(much), after(1ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(here.try_write(bytes_of(much)).failed_with(Errc::would_block));
  EXPECT_EQ(there.read(ignored, never).or_throw(), ignored.size());
}

TEST(UnixStream, times_out_when_nobody_writes) {
  auto [here, there] = UnixStream::pair().or_throw();
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(here.read(ignored, after(30ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 30ms);
  EXPECT_TRUE(here.read(ignored, immediately).failed_with(Errc::timed_out));
  EXPECT_TRUE(here.wait_closed(after(1ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(::fcntl(here.fd().raw(), F_GETFL) & O_NONBLOCK, 0) << "whoever shares the description is left in peace";
}

TEST(UnixStream, goes_on_after_signals_and_keeps_its_first_deadline) {  // F71
  const kit::Watchdog watchdog("reads and writes under signals");
  auto [here, there] = UnixStream::pair().or_throw();
  const kit::SignalStorm storm;
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(here.read(ignored, after(50ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 50ms);
  std::thread other([&] {
    storm.await(400);
    there.write(bytes_of("at last"), never).or_throw();
    for (std::size_t all = 0; all < 3'000'000;) {
      std::vector<std::byte> part(65536);
      all += there.read(part, never).or_throw();
    }
  });
  EXPECT_EQ(read_once(here), "at last");
  EXPECT_EQ(here.write(bytes_of(std::string(3'000'000, 'm')), never).or_throw(), 3'000'000U);
  other.join();
}

TEST(UnixStream, is_stopped) {
  const kit::Watchdog watchdog("a stopped read returns");
  auto [here, there] = UnixStream::pair().or_throw();
  Stop stop = Stop::create().or_throw();
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(here.read(ignored, never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
  there.write(bytes_of("abc"), never).or_throw();
  EXPECT_TRUE(here.read(ignored, after(1h).or_stop(stop)).failed_with(Errc::stopped)) << "although bytes are there";
  EXPECT_TRUE(here.write(bytes_of("x"), after(1h).or_stop(stop)).failed_with(Errc::stopped));
  EXPECT_TRUE(UnixStream::connect("@nobody", never.or_stop(stop)).failed_with(Errc::stopped));
}

TEST(UnixStream, tells_the_survivor_when_a_side_is_killed) {
  auto [here, there] = UnixStream::pair().or_throw();
  kit::Sides sides({{"one that dies", [&](kit::Stage& stage) {
                       const UnixStream closed = std::move(here);
                       there.write(bytes_of("last words"), never).or_throw();
                       stage.signal("said");
                       kit::wait_to_be_killed();
                     }}});
  std::move(there).close().or_throw();
  sides.stage().await("said");
  sides.side("one that dies").kill();
  EXPECT_TRUE(here.wait_closed(after(1h)));
  EXPECT_EQ(kit::read_all(here), "last words");
  EXPECT_TRUE(here.write(bytes_of("x"), never).failed_with(Errc::closed));
}

TEST(UnixStream, drops_descriptors_that_nobody_expects) {  // F78
  auto [here, there] = UnixStream::pair().or_throw();
  for (int turn = 0; turn < 3; ++turn) {
    kit::send_with_descriptors(here.fd(), 1);
  }
  const kit::LeakCheck check;
  const std::array<MutableBytes, 1> into = {ignored};
  EXPECT_EQ(there.read(ignored, never).or_throw(), 1U);
  EXPECT_EQ(there.try_read(ignored).or_throw(), 1U);
  EXPECT_EQ(there.read_scattered(into, never).or_throw(), 1U);
}

TEST(UnixStream, holds_more_on_the_way_if_asked) {
  auto [here, there] = UnixStream::pair().or_throw();
  const std::size_t wished = here.send_buffer().or_throw() * 2;
  EXPECT_GE(here.set_send_buffer(wished).or_throw(), wished);
  EXPECT_GE(here.send_buffer().or_throw(), wished);
}

}  // namespace

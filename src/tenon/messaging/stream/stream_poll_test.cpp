// The ends of a stream that are polled, and awaited in a coroutine.
#include <tenon/messaging/dispatcher/dispatcher.hpp>
#include <tenon/messaging/dispatcher/task.hpp>
#include <tenon/messaging/stream/stream.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/poll.hpp>

#include <kit/counted.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

using namespace tenon;

namespace {

class StreamPoll : public testing::Test {
 protected:
  StreamPoll() {
    std::thread opener([&] { writer_.emplace(StreamWriter::open(holder_, "s", {.capacity = 8}, never).or_throw()); });
    reader_.emplace(StreamReader::open(holder_, "s", never).or_throw());
    opener.join();
  }
  static bool is_readable(FdView fd) { return wait_ready(fd, Ready::reading, immediately).has_value(); }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a stream that is polled"};
  std::optional<StreamWriter> writer_;
  std::optional<StreamReader> reader_;
  std::array<std::byte, 8> into_{};
};

TEST_F(StreamPoll, the_reader_is_rung_by_bytes_and_by_the_end) {
  const FdView fd = reader_->fd().or_throw();
  EXPECT_TRUE(is_readable(fd));
  // The clock that rings for the recheck may ring between any two of these lines, but not in each round.
  int silent = 0;
  constexpr int rounds = 20;
  for (int i = 0; i < rounds; ++i) {
    EXPECT_TRUE(reader_->try_read(into_).failed_with(Errc::would_block));
    silent += is_readable(fd) ? 0 : 1;
    writer_->write(kit::counted(1), never).or_throw();
    ASSERT_TRUE(is_readable(fd)) << i;
    ASSERT_EQ(reader_->try_read(into_).or_throw(), 1U) << i;
  }
  EXPECT_GT(silent, rounds / 2);
  EXPECT_TRUE(reader_->try_read(into_).failed_with(Errc::would_block));
  std::move(*writer_).close().or_throw();
  EXPECT_TRUE(is_readable(fd));
  EXPECT_EQ(reader_->try_read(into_).or_throw(), 0U);
}

TEST_F(StreamPoll, the_writer_is_rung_by_room_and_by_the_end) {
  const FdView fd = writer_->fd().or_throw();
  EXPECT_TRUE(is_readable(fd));
  int silent = 0;
  constexpr int rounds = 20;
  for (int i = 0; i < rounds; ++i) {
    while (writer_->try_write(kit::counted(8))) {
    }
    silent += is_readable(fd) ? 0 : 1;
    reader_->read(into_, never).or_throw();
    ASSERT_TRUE(is_readable(fd)) << i;
    ASSERT_TRUE(writer_->try_write(kit::counted(1))) << i;
  }
  EXPECT_GT(silent, rounds / 2);
  while (writer_->try_write(kit::counted(8))) {
  }
  std::move(*reader_).close().or_throw();
  EXPECT_TRUE(is_readable(fd));
  EXPECT_TRUE(writer_->try_write(kit::counted(1)).failed_with(Errc::closed));
}

TEST_F(StreamPoll, who_polls_is_told_of_a_death_that_rings_for_nobody) {
  std::move(*writer_).close().or_throw();
  std::move(*reader_).close().or_throw();
  kit::ReportedChild writing("writer", [&] {
    const Life life = Life::join(unique_.domain()).or_throw();
    const Holder holder = Holder::of(unique_.domain(), life).or_throw();
    auto writer = StreamWriter::open(holder, "s", never).or_throw();
    writer.write(kit::counted(3), never).or_throw();
    ::raise(SIGKILL);
  });
  reader_.emplace(StreamReader::open(holder_, "s", never).or_throw());
  const FdView fd = reader_->fd().or_throw();
  std::size_t got = 0;
  auto read = reader_->try_read(into_);
  for (; read || read.failed_with(Errc::would_block); read = reader_->try_read(into_)) {
    got += read.value_or(0);
    if (!read) {
      wait_ready(fd, Ready::reading, never).or_throw();
    }
  }
  EXPECT_TRUE(read.failed_with(Errc::peer_died));
  EXPECT_EQ(got, 3U);
  std::move(*reader_).close().or_throw();
  writing.kill();
  static_cast<void>(writing.finish(never));
  sweep(unique_.domain()).or_throw();
}

Task read_all(Dispatcher& dispatcher, StreamReader& reader, std::vector<std::byte>& got, Errc& how) {
  while (true) {
    const auto runs = co_await dispatcher.next(reader);
    if (!runs) {
      how = runs.error().code();
      dispatcher.finish();
      co_return;
    }
    got.insert(got.end(), runs->first.begin(), runs->first.end());
    got.insert(got.end(), runs->second.begin(), runs->second.end());
    reader.consume(runs->size()).or_throw();
  }
}

TEST_F(StreamPoll, is_awaited_in_a_coroutine_until_its_end) {
  const auto sent = kit::counted(1000);
  std::thread writing([&] {
    EXPECT_EQ(writer_->write(sent, never).or_throw(), 1000U);
    std::move(*writer_).close().or_throw();
  });
  auto dispatcher = Dispatcher::create().or_throw();
  std::vector<std::byte> got;
  Errc how{};
  const Task reading = read_all(dispatcher, *reader_, got, how);
  EXPECT_TRUE(dispatcher.run(never));
  writing.join();
  reading.rethrow();
  EXPECT_EQ(got, sent);
  EXPECT_EQ(how, Errc::closed);
  // The clock that rings for the recheck may ring between two of these lines, but not each time.
  int silent = 0;
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(reader_->try_receive().failed_with(Errc::would_block));
    silent += is_readable(reader_->fd().or_throw()) ? 0 : 1;
  }
  EXPECT_GT(silent, 10);
}

}  // namespace

// A stream between two ends, most of them threads of this process; those of processes are in stream_processes_test.cpp.
#include <tenon/messaging/stream/stream.hpp>

#include <kit/asleep.hpp>
#include <kit/counted.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

using kit::counted;

struct Ends {
  StreamWriter writer;
  StreamReader reader;
};

class Stream : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  const Domain& domain_ = unique_.domain();
  Life life_ = Life::join(domain_).or_throw();
  Holder holder_ = Holder::of(domain_, life_).or_throw();
  kit::Watchdog watchdog_{"a stream"};

  Ends open(const StreamWriterOptions& writes = {}, const StreamReaderOptions& reads = {}) {
    std::optional<StreamWriter> writer;
    std::thread opener([&] { writer.emplace(StreamWriter::open(holder_, "s", writes, never).or_throw()); });
    auto reader = StreamReader::open(holder_, "s", reads, never).or_throw();
    opener.join();
    return {std::move(*writer), std::move(reader)};
  }
};

TEST_F(Stream, carries_bytes_in_order_without_boundaries) {
  auto [writer, reader] = open();
  EXPECT_EQ(writer.write(counted(3), never).or_throw(), 3U);
  EXPECT_EQ(writer.write(counted(5, 3), never).or_throw(), 5U);
  std::array<std::byte, 100> into{};
  EXPECT_EQ(reader.read(into, never).or_throw(), 8U);
  EXPECT_TRUE(std::ranges::equal(std::span(into).first(8), counted(8)));
}

TEST_F(Stream, tells_that_nothing_is_there_and_that_there_is_no_room) {
  auto [writer, reader] = open({.capacity = 4});
  std::array<std::byte, 10> into{};
  EXPECT_TRUE(reader.try_read(into).failed_with(Errc::would_block));
  EXPECT_TRUE(reader.read(into, after(1ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(reader.read(into, immediately).failed_with(Errc::timed_out));
  EXPECT_EQ(writer.try_write(counted(10)).or_throw(), 4U);
  EXPECT_TRUE(writer.try_write(counted(1)).failed_with(Errc::would_block));
  EXPECT_TRUE(writer.write(counted(1), after(1ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(writer.buffered(), 4U);
  EXPECT_EQ(reader.try_read(into).or_throw(), 4U);
}

TEST_F(Stream, a_write_that_runs_out_of_time_tells_how_much_was_written) {
  auto [writer, reader] = open({.capacity = 16});
  EXPECT_EQ(writer.write(counted(100), after(1ms)).or_throw(), 16U);
  EXPECT_TRUE(writer.write(counted(1), after(1ms)).failed_with(Errc::timed_out));
  auto stop = Stop::create().or_throw();
  stop.request();
  EXPECT_TRUE(writer.write(counted(1), never.or_stop(stop)).failed_with(Errc::stopped));
}

TEST_F(Stream, takes_a_capacity_of_one_byte_and_rounds_others_up) {
  auto [writer, reader] = open({.capacity = 1});
  EXPECT_EQ(writer.capacity(), 1U);
  const auto sent = counted(1000);
  std::thread writing([&] { EXPECT_EQ(writer.write(sent, never).or_throw(), 1000U); });
  std::vector<std::byte> got;
  while (got.size() < sent.size()) {
    std::array<std::byte, 7> into{};
    const std::size_t count = reader.read(into, never).or_throw();
    got.insert(got.end(), into.begin(), into.begin() + static_cast<std::ptrdiff_t>(count));
  }
  writing.join();
  EXPECT_EQ(got, sent);
  std::move(reader).close().or_throw();
  std::move(writer).close().or_throw();
  auto other = open({.capacity = 1000});
  EXPECT_EQ(other.writer.capacity(), 1024U);
  EXPECT_EQ(other.reader.capacity(), 1024U);
}

TEST_F(Stream, carries_more_than_it_holds_in_pieces_of_every_size) {
  auto [writer, reader] = open({.capacity = 64});
  const auto sent = counted(20'000);
  std::thread writing([&] {
    for (std::size_t at = 0, size = 1; at < sent.size(); at += size, size = size % 150 + 1) {
      size = std::min(size, sent.size() - at);
      ASSERT_EQ(writer.write(Bytes(sent).subspan(at, size), never).or_throw(), size);
    }
    std::move(writer).close().or_throw();
  });
  std::vector<std::byte> got;
  std::array<std::byte, 97> into{};
  while (const std::size_t count = reader.read(std::span(into).first(got.size() % 97 + 1), never).or_throw()) {
    got.insert(got.end(), into.begin(), into.begin() + static_cast<std::ptrdiff_t>(count));
  }
  writing.join();
  EXPECT_EQ(got, sent);
}

TEST_F(Stream, gathers_several_pieces_into_one_write) {
  auto [writer, reader] = open();
  const auto sent = counted(30);
  const std::array<Bytes, 4> pieces{Bytes(sent).first(1), Bytes(sent).subspan(1, 0), Bytes(sent).subspan(1, 20),
                                    Bytes(sent).subspan(21)};
  EXPECT_EQ(writer.write_gathered(pieces, never).or_throw(), 30U);
  std::array<std::byte, 64> into{};
  EXPECT_EQ(reader.read(into, never).or_throw(), 30U);
  EXPECT_TRUE(std::ranges::equal(std::span(into).first(30), sent));
}

TEST_F(Stream, a_gathered_write_that_ends_early_tells_how_much_was_written) {
  auto [writer, reader] = open({.capacity = 16});
  const auto sent = counted(30);
  const std::array<Bytes, 3> pieces{Bytes(sent).first(10), Bytes(sent).subspan(10, 10), Bytes(sent).subspan(20)};
  EXPECT_EQ(writer.write_gathered(pieces, after(1ms)).or_throw(), 16U);
  EXPECT_TRUE(writer.write_gathered(pieces, after(1ms)).failed_with(Errc::timed_out));
}

TEST_F(Stream, is_read_and_written_in_place) {
  auto [writer, reader] = open({.capacity = 16});
  EXPECT_TRUE(reader.try_peek().failed_with(Errc::would_block));
  EXPECT_TRUE(writer.try_loan(0).failed_with(Errc::invalid_argument));
  auto room = writer.loan(12, never).or_throw();
  ASSERT_EQ(room.first.size(), 12U);
  std::ranges::copy(counted(12), room.first.begin());
  EXPECT_TRUE(reader.try_peek().failed_with(Errc::would_block));
  writer.commit(10).or_throw();
  const auto seen = reader.try_peek().or_throw();
  ASSERT_EQ(seen.size(), 10U);
  EXPECT_TRUE(std::ranges::equal(seen.first, counted(10)));
  reader.consume(9).or_throw();
  room = writer.loan(100, never).or_throw();
  EXPECT_EQ(room.first.size(), 6U);
  EXPECT_EQ(room.second.size(), 9U);
  std::ranges::copy(counted(6, 10), room.first.begin());
  std::ranges::copy(counted(9, 16), room.second.begin());
  writer.commit(15).or_throw();
  EXPECT_TRUE(writer.try_loan(1).failed_with(Errc::would_block));
  EXPECT_TRUE(writer.loan(1, after(1ms)).failed_with(Errc::timed_out));
  std::array<std::byte, 16> into{};
  EXPECT_EQ(reader.read(into, never).or_throw(), 16U);
  EXPECT_TRUE(std::ranges::equal(into, counted(16, 9)));
}

TEST_F(Stream, a_peek_waits_for_as_many_bytes_as_are_wanted) {
  auto [writer, reader] = open({.capacity = 16});
  writer.write(counted(3), never).or_throw();
  EXPECT_TRUE(reader.try_peek(4).failed_with(Errc::would_block));
  EXPECT_TRUE(reader.peek(4, after(1ms)).failed_with(Errc::timed_out));
  std::thread writing([&] { writer.write(counted(1, 3), never).or_throw(); });
  EXPECT_EQ(reader.peek(4, never).or_throw().size(), 4U);
  writing.join();
  std::move(writer).close().or_throw();
  EXPECT_EQ(reader.peek(16, never).or_throw().size(), 4U);
  reader.consume(4).or_throw();
  EXPECT_EQ(reader.peek(1, never).or_throw().size(), 0U);
}

TEST_F(Stream, ends_for_the_reader_when_the_writer_has_closed_and_all_is_read) {
  auto [writer, reader] = open();
  writer.write(counted(5), never).or_throw();
  std::move(writer).close().or_throw();
  std::array<std::byte, 4> into{};
  EXPECT_EQ(reader.read(into, never).or_throw(), 4U);
  EXPECT_EQ(reader.read(into, never).or_throw(), 1U);
  EXPECT_EQ(reader.read(into, never).or_throw(), 0U);
  EXPECT_EQ(reader.try_read(into).or_throw(), 0U);
  EXPECT_TRUE(reader.read({}, never).failed_with(Errc::invalid_argument));
}

TEST_F(Stream, is_closed_for_the_writer_when_the_reader_has_closed) {
  auto [writer, reader] = open({.capacity = 8});
  writer.write(counted(5), never).or_throw();
  std::move(reader).close().or_throw();
  EXPECT_TRUE(writer.write(counted(1), never).failed_with(Errc::closed));
  EXPECT_TRUE(writer.try_write(counted(1)).failed_with(Errc::closed));
  EXPECT_TRUE(writer.loan(8, never).failed_with(Errc::closed));
  EXPECT_EQ(writer.wait_closed(never), Errc::closed);
}

TEST_F(Stream, a_writer_that_waits_for_room_is_told_that_the_reader_has_closed) {
  auto [writer, reader] = open({.capacity = 8, .waiting = Waiting::sleep});
  std::jthread writing = kit::thread_asleep_in([&] { EXPECT_LT(writer.write(counted(100), never).or_throw(), 100U); });
  std::move(reader).close().or_throw();
  writing.join();
  EXPECT_TRUE(writer.write(counted(1), never).failed_with(Errc::closed));
}

TEST_F(Stream, a_reader_that_sleeps_is_woken_by_bytes_and_by_the_end) {
  for (const Waiting waiting : {Waiting::sleep, Waiting::adaptive, Waiting::spin}) {
    auto [writer, reader] = open({}, {.waiting = waiting});
    std::thread writing([&] {
      writer.write(counted(1), never).or_throw();
      std::move(writer).close().or_throw();
    });
    std::array<std::byte, 4> into{};
    EXPECT_EQ(reader.read(into, never).or_throw(), 1U);
    EXPECT_EQ(reader.read(into, never).or_throw(), 0U);
    writing.join();
  }
}

TEST_F(Stream, a_spinning_reader_keeps_its_deadline_and_its_stop) {
  auto [writer, reader] = open({}, {.waiting = Waiting::spin});
  std::array<std::byte, 4> into{};
  EXPECT_TRUE(reader.read(into, after(1ms)).failed_with(Errc::timed_out));
  auto stop = Stop::create().or_throw();
  stop.request();
  EXPECT_TRUE(reader.read(into, never.or_stop(stop)).failed_with(Errc::stopped));
}

// F50
TEST_F(Stream, goes_on_where_its_counts_wrap) {
  for (std::uint64_t before = 0; before < 20; ++before) {
    const StreamShape shape{.capacity = 8, .first = std::uint64_t{0} - before};
    std::unique_ptr<StreamWriterPort> writer;
    std::thread opener(
        [&] { writer = StreamWriterPort::open(holder_, "s", shape, Waiting::adaptive, never).or_throw(); });
    auto reader = StreamReader::open(holder_, "s", never).or_throw();
    opener.join();
    const auto sent = counted(100);
    std::thread writing([&] { EXPECT_EQ(writer->write(sent, never).or_throw(), 100U); });
    std::vector<std::byte> got;
    while (got.size() < sent.size()) {
      std::array<std::byte, 5> into{};
      const std::size_t count = reader.read(into, never).or_throw();
      got.insert(got.end(), into.begin(), into.begin() + static_cast<std::ptrdiff_t>(count));
    }
    writing.join();
    EXPECT_EQ(got, sent) << before;
  }
}

// F49
TEST_F(Stream, wakes_who_sleeps_while_the_bells_wrap) {
  const StreamShape shape{.capacity = 1, .first_bell = UINT32_MAX - 2};
  std::unique_ptr<StreamWriterPort> writer;
  std::thread opener([&] { writer = StreamWriterPort::open(holder_, "s", shape, Waiting::sleep, never).or_throw(); });
  auto reader = StreamReaderPort::open(holder_, "s", {.waiting = Waiting::sleep}, never, UINT32_MAX - 2).or_throw();
  opener.join();
  std::thread writing([&] { EXPECT_EQ(writer->write(counted(200), never).or_throw(), 200U); });
  std::array<std::byte, 1> into{};
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(reader->read(into, never).or_throw(), 1U);
  }
  writing.join();
}

// F49
TEST(StreamBell, is_rung_once_for_each_wish_also_where_its_count_wraps) {
  std::atomic<std::uint32_t> bell = UINT32_MAX - 2;
  std::atomic<std::uint64_t> wish = 0;
  std::atomic<std::uint64_t> wished = 0;
  StreamWish<> sleeper(wish, wished, bell);
  StreamRinger<> ringer(bell, wish, wished);
  for (std::uint32_t i = 0; i < 6; ++i) {
    EXPECT_EQ(ringer.wish_of(), 0U);
    const std::uint32_t told = sleeper.wish_for(7);
    EXPECT_EQ(told, UINT32_MAX - 2 + i);
    EXPECT_FALSE(ringer.is_due(6));
    ASSERT_TRUE(ringer.is_due(7)) << i;
    ASSERT_TRUE(ringer.is_due(8)) << i;
    ringer.ring();
    EXPECT_NE(bell, told);
    EXPECT_FALSE(ringer.is_due(8)) << i;
    sleeper.withdraw();
  }
  sleeper.wish_for(std::uint64_t{0} - 3);
  EXPECT_FALSE(ringer.is_due(std::uint64_t{0} - 4));
  EXPECT_TRUE(ringer.is_due(2));
}

}  // namespace

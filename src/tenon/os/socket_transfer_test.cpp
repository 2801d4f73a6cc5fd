#include <tenon/os/socket_transfer.hpp>

#include <tenon/os/unix_socket.hpp>

#include <kit/signal_storm.hpp>
#include <kit/watchdog.hpp>
#include <array>
#include <gtest/gtest.h>
#include <string>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

std::array<std::byte, 16> room;

std::string text_in(const Pieces& pieces, iovec* data) {
  std::string text;
  for (std::size_t i = 0; i < pieces.count(); ++i) {
    text += std::string(static_cast<const char*>(data[i].iov_base), data[i].iov_len);
    text += '|';
  }
  return text;
}

TEST(Pieces, go_on_where_a_part_of_them_ended) {
  const std::array<Bytes, 4> texts = {bytes_of("abc"), bytes_of(""), bytes_of("de"), bytes_of("f")};
  Pieces pieces{std::span<const Bytes>(texts)};
  EXPECT_EQ(pieces.bytes(), 6U);
  pieces.advance(1);
  EXPECT_EQ(text_in(pieces, pieces.data()), "bc||de|f|");
  pieces.advance(2);
  EXPECT_EQ(text_in(pieces, pieces.data()), "de|f|");
  pieces.advance(1);
  EXPECT_EQ(text_in(pieces, pieces.data()), "e|f|");
  pieces.advance(2);
  EXPECT_EQ(pieces.count(), 0U);
  EXPECT_EQ(pieces.bytes(), 0U);
}

TEST(PiecesDeathTest, of_more_than_64_are_a_broken_contract) {
  const std::array<Bytes, 65> many{};
  EXPECT_DEATH(Pieces{std::span<const Bytes>(many)}, "at most 64 pieces");
}

TEST(SocketTransfer, waits_although_the_description_is_non_blocking) {
  const kit::Watchdog watchdog("a read of a non-blocking description waits");
  const auto [here, there] = make_socket_pair(SocketKind::stream).or_throw();
  EXPECT_TRUE(read_stream_until(there.view(), room, after(20ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(write_stream_until(here.view(), bytes_of("abc"), never).or_throw(), 3U);
  EXPECT_EQ(read_stream_until(there.view(), room, never).or_throw(), 3U);
}

TEST(SocketTransfer, keeps_its_first_deadline_in_a_storm_of_signals) {  // F71
  const kit::Watchdog watchdog("a receive under signals");
  const auto [here, there] = make_socket_pair(SocketKind::seqpacket).or_throw();
  const kit::SignalStorm storm;
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(read_stream_until(there.view(), room, after(50ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 50ms);
  EXPECT_GT(storm.count(), 0U);
}

TEST(SocketTransfer, names_the_buffer_that_was_too_small) {
  const Error error = cut_short("recv", 16, 20);
  EXPECT_EQ(error.code(), Errc::message_too_long);
  EXPECT_EQ(error.limit()->value, 16U);
  EXPECT_EQ(error.limit()->wanted, 20U);
}

}  // namespace

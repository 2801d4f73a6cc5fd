#include <tenon/ring/byte_ring/byte_ring.hpp>

#include <kit/shared.hpp>
#include <kit/two_processes.hpp>

#include <array>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <vector>

using namespace tenon;

namespace {

class ByteRingTest : public testing::Test {
 protected:
  ByteRing<> make(std::uint64_t capacity) { return ByteRing<>::initialise(memory_.bytes(), capacity).or_throw(); }
  static std::string read(ByteRing<>::Reader& reader, std::size_t most) {
    std::string text(most, '?');
    text.resize(reader.read(std::as_writable_bytes(std::span(text))));
    return text;
  }
  kit::SharedBytes memory_{1 << 16};
};

TEST_F(ByteRingTest, is_a_stream_without_boundaries) {
  ByteRing<> ring = make(16);
  auto writer = ring.writer();
  auto reader = ring.reader();
  EXPECT_EQ(writer.write(bytes_of("hello, ")), 7U);
  EXPECT_EQ(writer.write(bytes_of("world")), 5U);
  EXPECT_EQ(read(reader, 9), "hello, wo");
  EXPECT_EQ(read(reader, 9), "rld");
  EXPECT_EQ(read(reader, 9), "");
}

TEST_F(ByteRingTest, writes_as_much_as_fits_and_goes_round_its_end) {
  ByteRing<> ring = make(8);
  auto writer = ring.writer();
  auto reader = ring.reader();
  EXPECT_EQ(writer.write(bytes_of("0123456789")), 8U);
  EXPECT_EQ(writer.write(bytes_of("x")), 0U);
  EXPECT_EQ(read(reader, 5), "01234");
  EXPECT_EQ(writer.write(bytes_of("abcde")), 5U);
  EXPECT_EQ(read(reader, 100), "567abcde");
}

TEST_F(ByteRingTest, gathers_all_parts_at_once_or_writes_nothing) {
  ByteRing<> ring = make(8);
  auto writer = ring.writer();
  auto reader = ring.reader();
  const std::array<Bytes, 3> nine = {bytes_of("123"), bytes_of("456"), bytes_of("789")};
  const std::array<Bytes, 3> eight = {bytes_of("123"), bytes_of(""), bytes_of("45678")};
  EXPECT_FALSE(writer.write_all(nine));
  EXPECT_EQ(read(reader, 9), "");
  EXPECT_TRUE(writer.write_all(eight));
  EXPECT_EQ(read(reader, 9), "12345678");
}

TEST_F(ByteRingTest, is_read_and_written_in_place) {
  ByteRing<> ring = make(8);
  auto writer = ring.writer();
  auto reader = ring.reader();
  auto place = writer.writable(3);
  ASSERT_EQ(place.size(), 3U);
  std::ranges::copy(bytes_of("abc"), place.first.begin());
  EXPECT_EQ(reader.readable(8).size(), 0U);
  writer.commit(3);
  EXPECT_EQ(text_of(reader.readable(8).first), "abc");
  reader.consume(1);
  EXPECT_EQ(text_of(reader.readable(8).first), "bc");
}

TEST_F(ByteRingTest, a_new_reader_goes_on_with_the_first_byte_that_was_not_read) {
  ByteRing<> ring = make(64);
  auto writer = ring.writer();
  ASSERT_EQ(writer.write(bytes_of("abcdef")), 6U);
  {
    auto reader = ring.reader();
    EXPECT_EQ(read(reader, 2), "ab");
  }
  auto reader = ByteRing<>::open(memory_.bytes()).or_throw().reader();
  EXPECT_EQ(read(reader, 10), "cdef");
}

TEST_F(ByteRingTest, carries_three_megabytes_from_one_process_to_another) {
  make(4096);
  constexpr std::size_t total = 3'000'000;
  const auto byte_at = [](std::size_t i) { return static_cast<std::byte>(i * 7 + i / 251); };
  kit::run_sides({{"writer",
                   [&](kit::Stage&) {
                     auto writer = ByteRing<>::open(memory_.bytes()).or_throw().writer();
                     std::vector<std::byte> bytes(1000);
                     for (std::size_t sent = 0; sent < total;) {
                       const std::size_t count = std::min(bytes.size(), total - sent);
                       for (std::size_t i = 0; i < count; ++i) {
                         bytes[i] = byte_at(sent + i);
                       }
                       const std::size_t written = writer.write(std::span(bytes).first(count));
                       sent += written;
                       if (written == 0) {
                         ::sched_yield();
                       }
                     }
                   }},
                  {"reader", [&](kit::Stage&) {
                     auto reader = ByteRing<>::open(memory_.bytes()).or_throw().reader();
                     std::vector<std::byte> bytes(3000);
                     for (std::size_t at = 0; at < total;) {
                       const std::size_t got = reader.read(bytes);
                       for (std::size_t i = 0; i < got; ++i) {
                         ASSERT_EQ(bytes[i], byte_at(at + i));
                       }
                       at += got;
                       if (got == 0) {
                         ::sched_yield();
                       }
                     }
                   }}});
}

}  // namespace

#include <tenon/channel/frame.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace tenon {
namespace {

std::vector<std::byte> encoded(const Frame& frame) {
  std::vector<std::byte> bytes(Frame::header_size + frame.payload.size());
  EXPECT_EQ(frame.encode(bytes), bytes.size());
  return bytes;
}

Frame sample() {
  return {
      .sender = Token::from(7), .message = 3, .offset = 4096, .kind = FrameKind::last, .payload = bytes_of("hello")};
}

template <class Value>
void overwrite(std::vector<std::byte>& bytes, std::size_t at, Value value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

TEST(Frame, comes_back_as_it_was_encoded) {
  const auto bytes = encoded(sample());
  const Frame frame = Frame::decode(bytes).or_throw();
  EXPECT_EQ(frame.sender, Token::from(7));
  EXPECT_EQ(frame.message, 3U);
  EXPECT_EQ(frame.offset, 4096U);
  EXPECT_EQ(frame.kind, FrameKind::last);
  EXPECT_EQ(text_of(frame.payload), "hello");
}

TEST(Frame, without_payload_is_its_header) {
  const auto bytes = encoded({.sender = Token::from(1), .message = 1, .kind = FrameKind::end});
  EXPECT_EQ(bytes.size(), Frame::header_size);
  EXPECT_EQ(Frame::decode(bytes).or_throw().kind, FrameKind::end);
}

TEST(Frame, of_somebody_else_is_refused) {
  const std::vector<std::byte> foreign(Frame::header_size, std::byte{'x'});
  EXPECT_TRUE(Frame::size_of(foreign).failed_with(Errc::corrupt));
  EXPECT_TRUE(Frame::decode(foreign).failed_with(Errc::corrupt));
}

TEST(Frame, with_any_single_bit_turned_is_refused) {
  const auto whole = encoded(sample());
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto damaged = whole;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(Frame::decode(damaged).has_value()) << "bit " << bit;
  }
}

TEST(Frame, that_was_cut_is_refused_at_every_length) {
  const auto whole = encoded(sample());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_TRUE(Frame::decode(Bytes(whole).first(length)).failed_with(Errc::corrupt)) << length;
  }
}

TEST(Frame, of_another_version_names_both) {
  auto bytes = encoded(sample());
  overwrite(bytes, 4, std::uint16_t{2});
  const auto decoded = Frame::decode(bytes);
  ASSERT_TRUE(decoded.failed_with(Errc::version_mismatch));
  EXPECT_EQ(decoded.error().detail(), "the sender speaks version 2, this is version 1");
}

// F80
TEST(Frame, with_a_hostile_length_is_refused_before_anything_is_allocated_for_it) {
  auto bytes = encoded(sample());
  overwrite(bytes, 32, std::uint32_t{0xffffffff});
  EXPECT_TRUE(Frame::size_of(bytes).failed_with(Errc::corrupt));
  overwrite(bytes, 32, static_cast<std::uint32_t>(Frame::most_payload + 1));
  EXPECT_TRUE(Frame::size_of(bytes).failed_with(Errc::corrupt));
}

TEST(Frame, of_a_kind_that_does_not_exist_is_refused) {
  auto bytes = encoded(sample());
  overwrite(bytes, 6, std::uint16_t{3});
  EXPECT_TRUE(Frame::size_of(bytes).failed_with(Errc::corrupt));
}

}  // namespace
}  // namespace tenon

#include <tenon/base/bytes.hpp>

#include <cstdint>
#include <gtest/gtest.h>

namespace {

using namespace std::string_view_literals;

TEST(Bytes, of_a_text_are_its_characters_without_a_terminating_nul) {
  EXPECT_EQ(tenon::bytes_of("abc").size(), 3U);
  EXPECT_EQ(tenon::bytes_of("a\0b"sv).size(), 3U);
  EXPECT_TRUE(tenon::bytes_of("").empty());
}

TEST(Bytes, become_the_same_text_again) {
  EXPECT_EQ(tenon::text_of(tenon::bytes_of("a\0\xff"sv)), "a\0\xff"sv);
  EXPECT_EQ(tenon::text_of(tenon::Bytes{}), "");
}

TEST(Bytes, of_a_value_are_those_in_memory) {
  const std::uint32_t value = 0x01020304;
  ASSERT_EQ(tenon::bytes_of_value(value).size(), sizeof value);
  EXPECT_EQ(static_cast<const void*>(tenon::bytes_of_value(value).data()), &value);
}

TEST(Bytes, written_change_the_value) {
  std::uint16_t value = 0;
  for (std::byte& byte : tenon::mutable_bytes_of_value(value)) {
    byte = std::byte{0xab};
  }
  EXPECT_EQ(value, 0xabab);
}

}  // namespace

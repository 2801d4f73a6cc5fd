#include <tenon/memory/fixed_string.hpp>

#include <cstring>
#include <gtest/gtest.h>
#include <new>
#include <type_traits>

namespace {

using namespace tenon;

TEST(FixedString, holds_a_text_up_to_its_capacity_with_nul_and_all) {
  const auto text = FixedString<5>::make(std::string_view("a\0b\0c", 5)).or_throw();
  EXPECT_EQ(text.view(), std::string_view("a\0b\0c", 5));
  EXPECT_EQ(text.size(), text.capacity());
  EXPECT_EQ(FixedString<5>("abc").view(), "abc");
}

TEST(FixedString, refuses_a_longer_text_and_stays_as_it_was) {
  FixedString<5> text("abc");
  EXPECT_TRUE(text.assign("abcdef").failed_with(Errc::no_space));
  EXPECT_EQ(text.view(), "abc");
  EXPECT_TRUE(FixedString<5>::make("abcdef").failed_with(Errc::no_space));
}

TEST(FixedString, has_equal_bytes_when_its_texts_are_equal) {
  FixedString<8> once_longer("abcdefgh");
  ASSERT_TRUE(once_longer.assign("abc"));
  const FixedString<8> never_longer("abc");
  EXPECT_EQ(std::memcmp(&once_longer, &never_longer, sizeof(never_longer)), 0);
  EXPECT_LT(never_longer, FixedString<8>("abd"));
}

TEST(FixedString, has_no_byte_that_is_not_its_own_whatever_its_capacity) {
  EXPECT_TRUE((std::has_unique_object_representations_v<FixedString<5>>));
  constexpr std::size_t size = sizeof(FixedString<5>);
  alignas(FixedString<5>) std::byte memory[2][size];
  std::memset(memory[0], 0xff, size);
  std::memset(memory[1], 0, size);
  for (std::byte* place : {memory[0], memory[1]}) {
    ASSERT_TRUE((new (place) FixedString<5>)->assign("abc"));
  }
  EXPECT_EQ(std::memcmp(memory[0], memory[1], size), 0);
}

TEST(FixedString, is_made_of_literals_and_not_of_buffers) {
  EXPECT_TRUE((std::is_constructible_v<FixedString<5>, const char(&)[4]>));
  EXPECT_FALSE((std::is_constructible_v<FixedString<5>, char(&)[4]>)) << "its text may end before it does";
  EXPECT_FALSE((std::is_constructible_v<FixedString<5>, const char(&)[7]>)) << "it does not fit";
}

// F20 F22
TEST(FixedString, never_reaches_beyond_itself_whatever_stands_in_its_memory) {
  FixedString<8> text("abc");
  const std::uint32_t huge = 0xffffffff;
  std::memcpy(static_cast<void*>(&text), &huge, sizeof(huge));
  EXPECT_EQ(text.size(), 8U);
  EXPECT_EQ(text.view().size(), 8U);
}

}  // namespace

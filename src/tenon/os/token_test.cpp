#include <tenon/os/token.hpp>

#include <tenon/os/mapping.hpp>

#include <kit/reported_child.hpp>
#include <cstring>
#include <gtest/gtest.h>
#include <set>

namespace {

using tenon::Errc;
using tenon::Token;

TEST(Token, no_two_are_alike_and_none_is_nobody) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 10'000; ++i) {
    const Token token = Token::random();
    ASSERT_FALSE(token.is_nobody());
    ASSERT_TRUE(seen.insert(token.value()).second);
  }
}

// A generator of its own would go on alike on both sides of a fork.
TEST(Token, a_forked_child_makes_others_than_its_parent) {
  const tenon::Mapping memory = tenon::Mapping::shared_with_children(sizeof(std::uint64_t)).or_throw();
  (void)Token::random();
  kit::ReportedChild child("child", [&] {
    const std::uint64_t value = Token::random().value();
    std::memcpy(memory.data(), &value, sizeof value);
  });
  const std::uint64_t own = Token::random().value();
  EXPECT_TRUE(child.finish(tenon::never));
  std::uint64_t its = 0;
  std::memcpy(&its, memory.data(), sizeof its);
  EXPECT_NE(its, 0U);
  EXPECT_NE(its, own);
}

TEST(Token, is_written_and_read_as_16_lower_case_digits) {
  EXPECT_EQ(Token::from(0xab).hex(), "00000000000000ab");
  EXPECT_EQ(Token::from(UINT64_MAX).hex(), "ffffffffffffffff");
  for (const std::uint64_t value : {0UL, 1UL, 0x0123456789abcdefUL, UINT64_MAX}) {
    EXPECT_EQ(Token::parse(Token::from(value).hex()).or_throw(), Token::from(value));
  }
}

TEST(Token, has_one_spelling_only) {
  for (const auto* text : {"", "ab", "00000000000000AB", "000000000000000ab", "0x000000000000ab", "+00000000000000a",
                           "-00000000000000a", " 00000000000000a", "00000000000000g0", "000000000000000\n"}) {
    const auto refused = Token::parse(text);
    ASSERT_TRUE(refused.failed_with(Errc::invalid_argument)) << text;
    EXPECT_EQ(refused.error().object(), text);
  }
  EXPECT_FALSE(Token::parse(std::string_view("000000000000000\0", 16)));
}

TEST(Token, nobody_is_none_of_them) {
  EXPECT_TRUE(tenon::nobody.is_nobody());
  EXPECT_NE(tenon::nobody, Token::from(1));
}

}  // namespace

#include <tenon/base/result.hpp>

#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace {

using tenon::Errc;
using tenon::fail;
using tenon::Failure;
using tenon::Result;

Result<int> half(int number) {
  return number % 2 == 0 ? Result<int>(number / 2) : fail(Errc::invalid_argument, "half");
}

TEST(Result, holds_a_value_or_an_error) {
  EXPECT_EQ(half(4).value(), 2);
  ASSERT_FALSE(half(3));
  EXPECT_EQ(half(3).error().code(), Errc::invalid_argument);
}

TEST(Result, or_throw_gives_the_value_away_even_if_it_can_only_be_moved) {
  auto made = Result<std::unique_ptr<int>>(std::make_unique<int>(7)).or_throw();
  EXPECT_EQ(*made, 7);
  Result<void>().or_throw();
}

TEST(Result, or_throw_throws_the_error_with_its_message) {
  try {
    half(3).or_throw();
    FAIL() << "it did not throw";
  } catch (const Failure& failure) {
    EXPECT_STREQ(failure.what(), "half: invalid argument");
    EXPECT_TRUE(failure.error() == Errc::invalid_argument);
  }
  EXPECT_THROW(Result<void>(fail(Errc::closed)).or_throw(), Failure);
}

TEST(Result, and_then_goes_on_with_the_value) {
  EXPECT_EQ(half(24).and_then(half).and_then(half).value(), 3);
  EXPECT_EQ(Result<void>().and_then([] { return half(2); }).value(), 1);
}

TEST(Result, and_then_stops_at_the_first_error) {
  int calls = 0;
  const auto counted = [&](int number) {
    ++calls;
    return half(number);
  };
  const auto result = half(6).and_then(counted).and_then(counted);
  EXPECT_TRUE(result.failed_with(Errc::invalid_argument));
  EXPECT_EQ(calls, 1);
}

TEST(Result, transform_wraps_a_plain_value_or_none) {
  EXPECT_EQ(half(4).transform([](int number) { return std::to_string(number); }).value(), "2");
  int seen = 0;
  const Result<void> nothing = half(4).transform([&](int number) { seen = number; });
  EXPECT_TRUE(nothing);
  EXPECT_EQ(seen, 2);
  EXPECT_TRUE(half(3).transform([](int) { return 1; }).failed_with(Errc::invalid_argument));
  EXPECT_EQ(Result<void>().transform([] { return 5; }).value(), 5);
}

TEST(Result, failed_with_is_true_for_that_code_alone) {
  EXPECT_TRUE(half(1).failed_with(Errc::invalid_argument));
  EXPECT_FALSE(half(1).failed_with(Errc::closed));
  EXPECT_FALSE(half(2).failed_with(Errc::invalid_argument));
}

TEST(Result, an_error_passes_from_one_kind_of_result_into_another_whole) {
  const auto outer = [&]() -> Result<std::string> {
    auto inner = half(1);
    return inner ? Result<std::string>("even") : fail(std::move(inner.error()).on("1").because("it is odd"));
  }();
  EXPECT_EQ(outer.error().message(), "half(\"1\"): invalid argument: it is odd");
}

}  // namespace

#include <tenon/os/create_or_open.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace {

using namespace tenon;
using testing::HasSubstr;

// An object that stands there or not, and how often it was asked for.
struct Object {
  Result<int> create() {
    ++creates;
    return standing ? Result<int>(fail(Errc::already_exists)) : Result<int>(1);
  }
  Result<int> open() {
    ++opens;
    return standing ? Result<int>(2) : Result<int>(fail(Errc::not_found));
  }
  bool standing = false;
  int creates = 0;
  int opens = 0;
};

TEST(CreateOrOpen, makes_what_is_missing_and_opens_what_is_there) {
  Object object;
  const auto either = [&] {
    return create_or_open("open", "x", [&] { return object.create(); }, [&] { return object.open(); });
  };
  EXPECT_EQ(either().or_throw(), 1);
  EXPECT_EQ(object.opens, 0) << "made at once";
  object.standing = true;
  EXPECT_EQ(either().or_throw(), 2);
}

TEST(CreateOrOpen, begins_anew_when_it_was_removed_in_between) {
  Object object{.standing = true};
  const auto either = create_or_open(
      "open", "x", [&] { return object.create(); },
      [&]() -> Result<int> {
        object.standing = false;  // somebody else's unlink
        return object.open();
      });
  EXPECT_EQ(either.value_or(0), 1);
  EXPECT_EQ(object.creates, 2);
}

TEST(CreateOrOpen, passes_on_what_else_goes_wrong) {
  const auto denied = [] { return Result<int>(fail(Errc::permission_denied)); };
  const auto there = [] { return Result<int>(fail(Errc::already_exists)); };
  EXPECT_TRUE(create_or_open("open", "x", denied, there).failed_with(Errc::permission_denied));
  EXPECT_TRUE(create_or_open("open", "x", there, denied).failed_with(Errc::permission_denied));
}

TEST(CreateOrOpen, gives_up_where_it_is_removed_again_and_again) {
  int turns = 0;
  const auto given_up = create_or_open(
      "shm_open", "/mine", [&] { return ++turns, Result<int>(fail(Errc::already_exists)); },
      [] { return Result<int>(fail(Errc::not_found)); });
  ASSERT_TRUE(given_up.failed_with(Errc::not_found));
  EXPECT_EQ(given_up.error().message(), "shm_open(\"/mine\"): not found: somebody removes it again and again");
  EXPECT_EQ(turns, 16);
}

}  // namespace

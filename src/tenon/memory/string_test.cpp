#include <tenon/memory/string.hpp>

#include <tenon/memory/segment.hpp>

#include <gtest/gtest.h>
#include <string>

namespace {

using namespace tenon;

class StringTest : public testing::Test {
 protected:
  Segment segment_ = Segment::create_unnamed("strings", {.bytes = 64 * 1024}).or_throw();
  LockedSegment locked_ = segment_.lock(never).or_throw();
  String& text_ = *locked_.find_or_construct<String>("text").or_throw();
};

TEST_F(StringTest, holds_what_it_was_assigned_and_what_was_appended) {
  EXPECT_EQ(text_.view(locked_).or_throw(), "");
  ASSERT_TRUE(text_.assign(locked_, "mortise"));
  ASSERT_TRUE(text_.append(locked_, " and tenon"));
  EXPECT_EQ(text_.view(locked_).or_throw(), "mortise and tenon");
  ASSERT_TRUE(text_.append(locked_, std::string_view("\0!", 2)));
  EXPECT_EQ(text_.size(), 19U);
  ASSERT_TRUE(text_.assign(locked_, ""));
  EXPECT_EQ(text_.view(locked_).or_throw(), "");
  EXPECT_EQ(locked_.check().or_throw().taken_blocks, 2U) << "its own and the last one";
}

TEST_F(StringTest, takes_parts_of_itself) {
  ASSERT_TRUE(text_.assign(locked_, "abcdef"));
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(text_.append(locked_, text_.view(locked_).or_throw()));
  }
  EXPECT_EQ(text_.size(), 384U);
  ASSERT_TRUE(text_.assign(locked_, text_.view(locked_).or_throw().substr(2, 7)));
  EXPECT_EQ(text_.view(locked_).or_throw(), "cdefabc");
}

TEST_F(StringTest, says_no_space_and_stays_as_it_was) {
  ASSERT_TRUE(text_.assign(locked_, "kept"));
  EXPECT_TRUE(text_.assign(locked_, std::string(70000, 'x')).failed_with(Errc::no_space));
  EXPECT_TRUE(text_.append(locked_, std::string(70000, 'x')).failed_with(Errc::no_space));
  EXPECT_EQ(text_.view(locked_).or_throw(), "kept");
}

}  // namespace

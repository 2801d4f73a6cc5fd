#include <tenon/memory/vector.hpp>

#include <kit/two_processes.hpp>
#include <tenon/memory/segment.hpp>

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace {

using namespace tenon;
using testing::ElementsAre;
using testing::ElementsAreArray;

struct Large {
  static constexpr std::string_view type_name = "test.Large";
  std::uint64_t words[128];
};

class VectorTest : public testing::Test {
 protected:
  Vector<int>& make(const char* name) { return *locked_.find_or_construct<Vector<int>>(name).or_throw(); }
  std::span<int> of(Vector<int>& vector) { return vector.elements(locked_).or_throw(); }

  Segment segment_ = Segment::create_unnamed("vectors", {.bytes = 64 * 1024}).or_throw();
  LockedSegment locked_ = segment_.lock(never).or_throw();
};

TEST_F(VectorTest, does_what_the_standard_one_does) {
  Vector<int>& vector = make("one");
  std::vector<int> model;
  std::mt19937 random(3);
  for (int step = 0; step < 2000; ++step) {
    const std::uint64_t index = model.empty() ? 0 : random() % model.size();
    const int value = static_cast<int>(random());
    switch (model.size() > 200 ? 2 : random() % 4) {
      case 0:
        ASSERT_TRUE(vector.push_back(locked_, value));
        model.push_back(value);
        break;
      case 1:
        ASSERT_TRUE(vector.insert(locked_, index, value));
        model.insert(model.begin() + static_cast<long>(index), value);
        break;
      case 2:
        if (!model.empty()) {
          ASSERT_TRUE(vector.erase(locked_, index));
          model.erase(model.begin() + static_cast<long>(index));
        }
        break;
      default:
        if (!model.empty()) {
          ASSERT_TRUE(vector.set(locked_, index, value));
          model[index] = value;
        }
    }
    ASSERT_THAT(of(vector), ElementsAreArray(model));
  }
  EXPECT_EQ(vector.size(), model.size());
  ASSERT_TRUE(vector.clear(locked_));
  EXPECT_TRUE(of(vector).empty());
  EXPECT_EQ(locked_.check().or_throw().taken_blocks, 2U) << "its own and the last one";
}

TEST_F(VectorTest, takes_elements_of_its_own) {
  Vector<int>& vector = make("one");
  ASSERT_TRUE(vector.append(locked_, std::vector<int>{1, 2, 3}));
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(vector.push_back(locked_, of(vector)[1]));
  }
  ASSERT_TRUE(vector.insert(locked_, 0, of(vector)[2]));
  ASSERT_TRUE(vector.append(locked_, of(vector)));
  EXPECT_EQ(vector.size(), 48U);
  EXPECT_THAT(of(vector).first(5), ElementsAre(3, 1, 2, 3, 2));
  EXPECT_THAT(of(vector).subspan(24, 5), ElementsAre(3, 1, 2, 3, 2));
}

TEST_F(VectorTest, says_no_space_and_has_all_that_it_had) {
  Vector<int>& vector = make("one");
  Result<void> pushed;
  int count = 0;
  while ((pushed = vector.push_back(locked_, count))) {
    ++count;
  }
  EXPECT_TRUE(pushed.failed_with(Errc::no_space));
  ASSERT_EQ(vector.size(), static_cast<std::uint64_t>(count));
  for (int i = 0; i < count; ++i) {
    ASSERT_EQ(of(vector)[static_cast<std::size_t>(i)], i);
  }
  EXPECT_TRUE(vector.reserve(locked_, UINT64_MAX).failed_with(Errc::no_space));
  EXPECT_TRUE(vector.erase(locked_, 0)) << "taking away needs no room";
  EXPECT_TRUE(locked_.check());
}

TEST_F(VectorTest, makes_the_segment_grow_where_it_can) {
  Segment segment = Segment::create_unnamed("grows", {.bytes = 16 * 1024, .most = 16 << 20}).or_throw();
  LockedSegment locked = segment.lock(never).or_throw();
  Vector<Large>& vector = *locked.find_or_construct<Vector<Large>>("large").or_throw();
  for (std::uint64_t i = 0; i < 500; ++i) {
    ASSERT_TRUE(vector.push_back(locked, Large{{i}}));
  }
  EXPECT_GT(locked.size(), 500 * sizeof(Large));
  EXPECT_EQ(vector.elements(locked).or_throw()[499].words[0], 499U);
  ASSERT_TRUE(locked.destroy<Vector<Large>>("large"));
  EXPECT_EQ(locked.check().or_throw().free_blocks, 1U);
}

// F33
TEST(Vector, is_read_by_another_process_at_another_address) {
  Segment segment = Segment::create_unnamed("shared", {.bytes = 64 * 1024}).or_throw();
  kit::run_sides({{"writer",
                   [&](kit::Stage& stage) {
                     LockedSegment locked = segment.lock(never).or_throw();
                     Vector<int>& vector = *locked.find_or_construct<Vector<int>>("numbers").or_throw();
                     ASSERT_TRUE(vector.append(locked, std::vector<int>{5, 6, 7}));
                     std::move(locked).unlock();
                     stage.signal("written");
                   }},
                  {"reader", [&](kit::Stage& stage) {
                     stage.await("written");
                     Segment own = Segment::adopt(segment.fd().duplicate().or_throw()).or_throw();
                     LockedSegment locked = own.lock(never).or_throw();
                     Vector<int>& vector = *locked.find<Vector<int>>("numbers").or_throw();
                     EXPECT_THAT(vector.elements(locked).or_throw(), ElementsAre(5, 6, 7));
                   }}});
}

// F20 F21 F22
TEST_F(VectorTest, whose_own_words_were_overwritten_is_corrupt) {
  Vector<int>& vector = make("one");
  ASSERT_TRUE(vector.append(locked_, std::vector<int>{1, 2, 3}));
  RowLayout right;
  std::memcpy(&right, static_cast<const void*>(&vector), sizeof(right));
  for (const RowLayout& wrong : {RowLayout{.elements = 8, .size = 3, .capacity = 16},
                                 RowLayout{.elements = right.elements + 2, .size = 3, .capacity = 3},
                                 RowLayout{.elements = right.elements, .size = 17, .capacity = 16},
                                 RowLayout{.elements = right.elements, .size = 3, .capacity = UINT64_MAX / 4},
                                 RowLayout{.elements = UINT64_MAX - 3, .size = 1, .capacity = 1},
                                 RowLayout{.elements = 0, .size = 1, .capacity = 1}}) {
    std::memcpy(static_cast<void*>(&vector), &wrong, sizeof(wrong));
    EXPECT_TRUE(vector.elements(locked_).failed_with(Errc::corrupt));
    EXPECT_TRUE(vector.push_back(locked_, 1).failed_with(Errc::corrupt));
    EXPECT_TRUE(vector.erase(locked_, 0).failed_with(Errc::corrupt));
    EXPECT_TRUE(vector.clear(locked_).failed_with(Errc::corrupt));
  }
  std::memcpy(static_cast<void*>(&vector), &right, sizeof(right));
  EXPECT_THAT(of(vector), ElementsAre(1, 2, 3));
}

TEST_F(VectorTest, outside_of_its_segment_ends_the_process) {
  Vector<int> on_the_stack;
  EXPECT_DEATH((void)on_the_stack.push_back(locked_, 1), "the segment that it stands in");
}

}  // namespace

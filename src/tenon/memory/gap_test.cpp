#include <tenon/memory/gap.hpp>

#include <tenon/memory/segment_header.hpp>
#include <tenon/os/mapping.hpp>

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <span>

namespace {

using namespace tenon;
using testing::ElementsAre;

class GapTest : public testing::Test {
 protected:
  static constexpr std::size_t bytes = 64 * 1024;

  GapTest() {
    std::ranges::copy(std::initializer_list<int>{10, 20, 30, 40, 50}, elements().begin());
    size() = 5;
  }

  SegmentHeader& header() { return *reinterpret_cast<SegmentHeader*>(memory_.data()); }
  std::span<int> elements() { return {reinterpret_cast<int*>(memory_.data() + segment_arena), 8}; }
  std::uint64_t& size() { return *reinterpret_cast<std::uint64_t*>(memory_.data() + segment_arena + 1024); }
  std::span<int> all() { return elements().first(size()); }
  ElementRun run() { return {.elements = segment_arena, .element_size = sizeof(int), .size_word = &size()}; }
  Gap gap() { return {{memory_.data(), bytes}, header().gap}; }

  Mapping memory_ = Mapping::shared_with_children(bytes).or_throw();
};

TEST_F(GapTest, inserts_and_erases) {
  const int element = 15;
  gap().insert(run(), 1, 5, &element);
  EXPECT_THAT(all(), ElementsAre(10, 15, 20, 30, 40, 50));
  gap().erase(run(), 0, 6);
  EXPECT_THAT(all(), ElementsAre(15, 20, 30, 40, 50));
  EXPECT_FALSE(gap().is_active());
}

// F39
TEST_F(GapTest, undoes_an_insertion_from_wherever_it_stood) {
  header().gap = {.active = 1,
                  .elements = segment_arena,
                  .element_size = sizeof(int),
                  .at = 2,
                  .last = 5,
                  .size_word = segment_arena + 1024,
                  .size = 5,
                  .reserved = 0};
  std::ranges::copy(std::initializer_list<int>{10, 20, -1, 30, 40, 50}, elements().begin());
  const GapLayout before = header().gap;
  ASSERT_TRUE(gap().finish());
  EXPECT_THAT(all(), ElementsAre(10, 20, 30, 40, 50));
  header().gap = before;  // killed before its last store: its successor goes on where `at` says
  header().gap.at = 5;
  ASSERT_TRUE(gap().finish());
  EXPECT_THAT(all(), ElementsAre(10, 20, 30, 40, 50));
}

TEST_F(GapTest, finishes_an_erasure_from_wherever_it_stood) {
  header().gap = {.active = 1,
                  .elements = segment_arena,
                  .element_size = sizeof(int),
                  .at = 3,
                  .last = 4,
                  .size_word = segment_arena + 1024,
                  .size = 4,
                  .reserved = 0};
  std::ranges::copy(std::initializer_list<int>{10, 30, 40, -1, 50}, elements().begin());
  ASSERT_TRUE(gap().finish());
  EXPECT_THAT(all(), ElementsAre(10, 30, 40, 50));
}

// F20 F22
TEST_F(GapTest, touches_nothing_where_it_cannot_be) {
  const GapLayout possible = {.active = 1,
                              .elements = segment_arena,
                              .element_size = sizeof(int),
                              .at = 2,
                              .last = 4,
                              .size_word = segment_arena + 1024,
                              .size = 4,
                              .reserved = 0};
  const auto with = [&](std::uint64_t GapLayout::* field, std::uint64_t value) {
    header().gap = possible;
    header().gap.*field = value;
    return gap().finish();
  };
  EXPECT_FALSE(with(&GapLayout::elements, 0));
  EXPECT_FALSE(with(&GapLayout::elements, UINT64_MAX - 3));
  EXPECT_FALSE(with(&GapLayout::element_size, 0));
  EXPECT_FALSE(with(&GapLayout::element_size, UINT64_MAX / 4));
  EXPECT_FALSE(with(&GapLayout::at, 5));
  EXPECT_FALSE(with(&GapLayout::last, UINT64_MAX));
  EXPECT_FALSE(with(&GapLayout::size_word, segment_arena + 1));
  EXPECT_FALSE(with(&GapLayout::size_word, bytes));
  EXPECT_FALSE(with(&GapLayout::size, 9));
  EXPECT_EQ(size(), 5U);
  EXPECT_THAT(all(), ElementsAre(10, 20, 30, 40, 50));
}

}  // namespace

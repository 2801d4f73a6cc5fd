#include <tenon/memory/map.hpp>

#include <kit/watchdog.hpp>
#include <tenon/memory/fixed_string.hpp>
#include <tenon/memory/segment.hpp>

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <vector>

namespace {

using namespace tenon;
using testing::ElementsAre;
using testing::Pair;

using Numbers = Map<int, int>;

struct alignas(64) Line {
  static constexpr std::string_view type_name = "test.Line";
  std::uint64_t words[8];
};

class MapTest : public testing::Test {
 protected:
  std::vector<std::pair<int, int>> all() {
    std::vector<std::pair<int, int>> entries;
    map_.for_each(locked_, [&](int key, int value) { entries.emplace_back(key, value); }).or_throw();
    return entries;
  }

  Segment segment_ = Segment::create_unnamed("maps", {.bytes = 256 * 1024}).or_throw();
  LockedSegment locked_ = segment_.lock(never).or_throw();
  Numbers& map_ = *locked_.find_or_construct<Numbers>("numbers").or_throw();
};

TEST_F(MapTest, does_what_the_standard_one_does) {
  std::map<int, int> model;
  std::mt19937 random(5);
  for (int step = 0; step < 6000; ++step) {
    const int key = static_cast<int>(random() % 400);
    const int value = static_cast<int>(random());
    switch (random() % 4) {
      case 0:
        ASSERT_EQ(map_.insert(locked_, key, value).has_value(), model.emplace(key, value).second);
        break;
      case 1:
        ASSERT_TRUE(map_.insert_or_assign(locked_, key, value));
        model[key] = value;
        break;
      case 2:
        ASSERT_EQ(map_.erase(locked_, key).has_value(), model.erase(key) == 1);
        break;
      default:
        if (auto found = map_.find(locked_, key)) {
          ASSERT_EQ(**found, model.at(key));
        } else {
          ASSERT_TRUE(found.failed_with(Errc::not_found));
          ASSERT_FALSE(model.contains(key));
        }
    }
    ASSERT_EQ(map_.size(), model.size());
  }
  EXPECT_EQ(all(), (std::vector<std::pair<int, int>>(model.begin(), model.end())));
  EXPECT_TRUE(locked_.check());
  ASSERT_TRUE(map_.clear(locked_));
  EXPECT_EQ(locked_.check().or_throw().taken_blocks, 2U) << "its own and the last one";
}

TEST_F(MapTest, is_walked_in_the_order_of_its_keys_from_any_of_them) {
  for (const int key : {5, 1, 3}) {
    ASSERT_TRUE(map_.insert(locked_, key, key * 10));
  }
  EXPECT_THAT(all(), ElementsAre(Pair(1, 10), Pair(3, 30), Pair(5, 50)));
  std::vector<int> from_two;
  ASSERT_TRUE(map_.for_each_from(locked_, 2, [&](int key, int) { from_two.push_back(key); }));
  EXPECT_THAT(from_two, ElementsAre(3, 5));
  EXPECT_TRUE(map_.insert(locked_, 3, 0).failed_with(Errc::already_exists));
  EXPECT_EQ(*map_.find(locked_, 3).or_throw(), 30);
}

TEST_F(MapTest, has_texts_as_keys) {
  using Phones = Map<FixedString<16>, std::uint64_t>;
  Phones& phones = *locked_.find_or_construct<Phones>("phones").or_throw();
  ASSERT_TRUE(phones.insert(locked_, "Ada", 1));
  ASSERT_TRUE(phones.insert_or_assign(locked_, "Ada", 2));
  ASSERT_TRUE(phones.insert(locked_, "Aaron", 3));
  EXPECT_EQ(*phones.find(locked_, "Ada").or_throw(), 2U);
  EXPECT_EQ(locked_.names().or_throw()[1].type, "Map<FixedString<16>,u64>");
  ASSERT_TRUE(locked_.destroy<Phones>("phones"));
  EXPECT_EQ(locked_.check().or_throw().taken_blocks, 2U) << "what it held went with it";
}

TEST_F(MapTest, says_no_space_and_has_all_that_it_had) {
  int count = 0;
  Result<void> inserted;
  while ((inserted = map_.insert(locked_, count, count))) {
    ++count;
  }
  EXPECT_TRUE(inserted.failed_with(Errc::no_space));
  EXPECT_TRUE(map_.find(locked_, count).failed_with(Errc::not_found));
  EXPECT_EQ(map_.size(), static_cast<std::uint64_t>(count));
  EXPECT_EQ(all().size(), static_cast<std::size_t>(count));
  EXPECT_TRUE(map_.erase(locked_, 0)) << "taking away needs no room";
}

// F20 F22 F23
TEST_F(MapTest, whose_links_lead_astray_or_in_a_circle_is_corrupt) {
  const kit::Watchdog watchdog("a map that leads in a circle");
  for (int key = 0; key < 20; ++key) {
    ASSERT_TRUE(map_.insert(locked_, key, key));
  }
  SkipListLayout right;
  std::memcpy(&right, static_cast<const void*>(&map_), sizeof(right));
  auto* const node = reinterpret_cast<std::uint64_t*>(locked_.arena().base() + right.heads[0]);
  const std::uint64_t next = node[1];
  for (const std::uint64_t wrong :
       {right.heads[0], std::uint64_t{16}, std::uint64_t{256 * 1024 - 8}, next + 4, UINT64_MAX - 7}) {
    node[1] = wrong;
    EXPECT_TRUE(map_.for_each(locked_, [](int, int) {}).failed_with(Errc::corrupt)) << wrong;
  }
  node[1] = next;
  const std::uint64_t levels = node[0];
  node[0] = 1000;
  EXPECT_TRUE(map_.find(locked_, 0).failed_with(Errc::corrupt));
  EXPECT_TRUE(map_.clear(locked_).failed_with(Errc::corrupt));
  node[0] = levels;
  EXPECT_EQ(*map_.find(locked_, 19).or_throw(), 19);
}

// F20
TEST_F(MapTest, whose_link_leads_to_what_is_not_aligned_as_its_entries_is_corrupt) {
  using Lines = Map<int, Line>;
  Lines& lines = *locked_.find_or_construct<Lines>("lines").or_throw();
  ASSERT_TRUE(lines.insert(locked_, 1, Line{}));
  ASSERT_TRUE(lines.for_each(locked_, [](int, const Line&) {}));
  std::uint64_t& first = reinterpret_cast<SkipListLayout*>(&lines)->heads[0];
  // In all else what stands 8 bytes further on could be a node, of one level.
  auto* const node = reinterpret_cast<std::uint64_t*>(locked_.arena().base() + first);
  node[1] = 1;
  node[2] = 0;
  first += 8;
  EXPECT_TRUE(lines.for_each(locked_, [](int, const Line&) {}).failed_with(Errc::corrupt));
}

}  // namespace

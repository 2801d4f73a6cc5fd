#include <tenon/memory/locked_segment.hpp>

#include <tenon/memory/segment.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace tenon;
using testing::HasSubstr;

struct Order {
  static constexpr std::string_view type_name = "acme.Order";
  Order() = default;
  Order(std::uint64_t i, double p) : id(i), price(p) {}
  std::uint64_t id = 0;
  double price = 1.0;
};

struct alignas(256) Wide {
  static constexpr std::string_view type_name = "acme.Wide";
  std::uint64_t value = 9;
};

struct Throws {
  static constexpr std::string_view type_name = "acme.Throws";
  Throws() { throw std::runtime_error("no"); }
};

// Holds memory of its own, and gives it back.
struct Owner {
  static constexpr std::string_view type_name = "acme.Owner";
  Result<void> clear(LockedSegment& segment) { return segment.free(block); }
  OffsetPtr<std::uint64_t> block;
};

// A node of a list may be led to by a pointer in itself.
struct Node {
  OffsetPtr<Node> next;
  std::uint64_t value = 0;
};
struct Nodes {
  static constexpr std::string_view type_name = "acme.Nodes";
  OffsetPtr<Node> nodes[4];
};

class LockedSegmentTest : public testing::Test {
 protected:
  Segment segment_ = Segment::create_unnamed("objects", {.bytes = 256 * 1024}).or_throw();
  LockedSegment locked_ = segment_.lock(never).or_throw();
};

TEST_F(LockedSegmentTest, makes_an_object_once_and_finds_it_then) {
  Order* const made = locked_.find_or_construct<Order>("first", 7U, 2.5).or_throw();
  EXPECT_EQ(made->id, 7U);
  EXPECT_EQ(locked_.find_or_construct<Order>("first", 8U, 3.5).or_throw(), made);
  EXPECT_EQ(locked_.find<Order>("first").or_throw(), made);
  EXPECT_EQ(made->id, 7U);
  EXPECT_TRUE(locked_.find<Order>("second").failed_with(Errc::not_found));
}

// F30
TEST_F(LockedSegmentTest, refuses_another_type_naming_both) {
  ASSERT_TRUE(locked_.find_or_construct<Order>("one"));
  for (const auto& refused :
       {locked_.find<double>("one").transform([](double*) {}),
        locked_.find_or_construct<double>("one").transform([](double*) {}), locked_.destroy<double>("one")}) {
    ASSERT_TRUE(refused.failed_with(Errc::type_mismatch));
    EXPECT_THAT(refused.error().message(),
                HasSubstr("of type acme.Order (16 bytes, aligned to 8), not f64 (8 bytes, aligned to 8)"));
  }
}

TEST_F(LockedSegmentTest, holds_a_thousand_names_and_lists_them_sorted) {
  const std::uint64_t before = locked_.check().or_throw().taken_blocks;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    *locked_.find_or_construct<std::uint32_t>("name " + std::to_string(i)).or_throw() = i;
  }
  for (std::uint32_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(*locked_.find<std::uint32_t>("name " + std::to_string(i)).or_throw(), i);
  }
  const auto names = locked_.names().or_throw();
  ASSERT_EQ(names.size(), 1000U);
  EXPECT_EQ(names[1].name, "name 1");
  EXPECT_EQ(names[1].type, "u32");
  EXPECT_EQ(names[2].name, "name 10");
  for (std::uint32_t i = 0; i < 1000; ++i) {
    ASSERT_TRUE(locked_.destroy<std::uint32_t>("name " + std::to_string((i * 7) % 1000)));
  }
  EXPECT_TRUE(locked_.names().or_throw().empty());
  EXPECT_EQ(locked_.check().or_throw().taken_blocks, before + 1) << "the table of names stays";
}

TEST_F(LockedSegmentTest, takes_names_of_1_to_255_bytes_of_any_kind) {
  const std::string longest(255, 'x');
  const std::string with_nul("a\0b", 3);
  EXPECT_TRUE(locked_.find_or_construct<int>(longest, 1));
  EXPECT_TRUE(locked_.find_or_construct<int>(with_nul, 2));
  EXPECT_TRUE(locked_.find<int>("a").failed_with(Errc::not_found));
  EXPECT_EQ(*locked_.find<int>(with_nul).or_throw(), 2);
  EXPECT_TRUE(locked_.find_or_construct<int>(longest + "x").failed_with(Errc::invalid_name));
  EXPECT_TRUE(locked_.find<int>("").failed_with(Errc::invalid_name));
}

// F31
TEST_F(LockedSegmentTest, aligns_an_object_as_its_type_asks) {
  const Wide* const wide = locked_.find_or_construct<Wide>("wide").or_throw();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(wide) % 256, 0U);
  auto& pointer = *locked_.find_or_construct<OffsetPtr<Wide>>("pointer").or_throw();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(locked_.allocate(pointer, 3).or_throw()) % 256, 0U);
  EXPECT_EQ(locked_.at(pointer, 3).or_throw()[2].value, 9U) << "objects are as T() makes them";
}

TEST_F(LockedSegmentTest, has_nothing_of_an_object_whose_constructor_throws) {
  const BlockUsage before = locked_.check().or_throw();
  EXPECT_THROW((void)locked_.find_or_construct<Throws>("never"), std::runtime_error);
  EXPECT_TRUE(locked_.names().or_throw().empty());
  EXPECT_EQ(locked_.check().or_throw().free_bytes, before.free_bytes);
}

TEST_F(LockedSegmentTest, destroys_an_object_with_what_it_holds) {
  const std::uint64_t before = locked_.check().or_throw().taken_blocks;
  Owner& owner = *locked_.find_or_construct<Owner>("owner").or_throw();
  ASSERT_TRUE(locked_.allocate(owner.block, 100));
  EXPECT_EQ(locked_.check().or_throw().taken_blocks, before + 2);
  ASSERT_TRUE(locked_.destroy<Owner>("owner"));
  EXPECT_EQ(locked_.check().or_throw().taken_blocks, before);
  EXPECT_TRUE(locked_.destroy<Owner>("owner").failed_with(Errc::not_found));
}

TEST_F(LockedSegmentTest, frees_what_a_pointer_leads_to_once) {
  auto& pointer = *locked_.find_or_construct<OffsetPtr<int>>("pointer").or_throw();
  ASSERT_TRUE(locked_.allocate(pointer, 10));
  const auto copied = pointer;
  ASSERT_TRUE(locked_.free(pointer));
  EXPECT_FALSE(pointer);
  ASSERT_TRUE(locked_.free(pointer)) << "null has nothing";
  pointer = copied;
  EXPECT_TRUE(locked_.free(pointer).failed_with(Errc::corrupt)) << "a copy is no second owner";
  EXPECT_TRUE(locked_.check());
}

TEST_F(LockedSegmentTest, frees_a_block_by_a_pointer_that_stands_in_it) {
  auto& nodes = locked_.find_or_construct<Nodes>("nodes").or_throw()->nodes;
  for (OffsetPtr<Node>& node : nodes) {
    ASSERT_TRUE(locked_.allocate(node));
  }
  Node& circle = *locked_.at(nodes[2]).or_throw();
  circle.next = nodes[2];
  ASSERT_TRUE(locked_.free(nodes[0]));
  ASSERT_TRUE(locked_.free(circle.next));
  EXPECT_TRUE(locked_.check()) << "its list of free blocks leads on to the other one";
  nodes[2] = nullptr;
  for (const std::size_t i : {0U, 2U}) {
    ASSERT_TRUE(locked_.allocate(nodes[i])) << "both can be had again";
  }
  EXPECT_TRUE(locked_.check());
}

// F20 F22
TEST_F(LockedSegmentTest, believes_no_name_to_be_longer_than_names_are) {
  ASSERT_TRUE(locked_.find_or_construct<std::uint64_t>("one"));
  const NamedObject one = locked_.names().or_throw()[0];
  const std::uint64_t before = (sizeof(NamedObjectLayout) + one.name.size() + one.type.size() + 7) & ~std::uint64_t{7};
  auto& layout = *reinterpret_cast<NamedObjectLayout*>(locked_.arena().base() + one.offset - before);
  ASSERT_EQ(layout.name_size, one.name.size());
  layout.name_size = 4000;
  EXPECT_TRUE(locked_.names().failed_with(Errc::corrupt));
  EXPECT_TRUE(locked_.find<std::uint64_t>("one").failed_with(Errc::not_found));
  layout.name_size = static_cast<std::uint32_t>(one.name.size());
  layout.type_name_size = 4000;
  EXPECT_EQ(locked_.names().or_throw()[0].type, "");
  EXPECT_TRUE(locked_.find<std::uint64_t>("one")) << "its type is known by its hash";
}

// F20
TEST_F(LockedSegmentTest, follows_no_pointer_out_of_the_segment) {
  for (const std::uint64_t offset :
       {std::uint64_t{8}, segment_arena - 8, std::uint64_t{256 * 1024}, UINT64_MAX - 7, segment_arena + 4}) {
    EXPECT_TRUE(locked_.at(OffsetPtr<std::uint64_t>::from(offset)).failed_with(Errc::corrupt)) << offset;
  }
  const auto last = OffsetPtr<std::uint64_t>::from(256 * 1024 - 8);
  EXPECT_TRUE(locked_.at(last));
  EXPECT_TRUE(locked_.at(last, 2).failed_with(Errc::corrupt));
  EXPECT_TRUE(locked_.at(last, UINT64_MAX / 4).failed_with(Errc::corrupt));
  EXPECT_EQ(locked_.at(OffsetPtr<int>()).or_throw(), nullptr);
}

TEST_F(LockedSegmentTest, leads_back_to_an_object_of_its_own) {
  int* const number = locked_.find_or_construct<int>("number", 3).or_throw();
  EXPECT_EQ(locked_.at(locked_.to(number)).or_throw(), number);
  int elsewhere = 0;
  EXPECT_DEATH((void)locked_.to(&elsewhere), "stands in its own segment");
  OffsetPtr<int> on_the_stack;
  EXPECT_DEATH((void)locked_.allocate(on_the_stack), "a pointer in its own segment");
}

// More objects than their lists are made for: the last room goes to the object, and not to longer lists.
TEST_F(LockedSegmentTest, makes_an_object_where_there_is_room_for_it_and_for_no_longer_lists) {
  auto& pointer = *locked_.find_or_construct<OffsetPtr<char>>("pointer").or_throw();
  for (std::size_t i = 1; i < 2 * NamesLayout::first_lists; ++i) {
    ASSERT_TRUE(locked_.find_or_construct<int>(std::to_string(i)));
  }
  constexpr std::uint64_t lists = 4 * NamesLayout::first_lists * sizeof(std::uint64_t);
  const std::uint64_t free = locked_.check().or_throw().free_bytes;
  ASSERT_TRUE(locked_.allocate(pointer, free - lists - 64));
  ASSERT_GT(locked_.check().or_throw().free_bytes, lists) << "room for the lists, or for the object";
  ASSERT_TRUE(locked_.find_or_construct<Order>("last"));
  EXPECT_TRUE(locked_.check());
  EXPECT_TRUE(locked_.find<int>("1"));
}

TEST_F(LockedSegmentTest, says_no_space_and_has_neither_name_nor_block_then) {
  const BlockUsage before = locked_.check().or_throw();
  auto& pointer = *locked_.find_or_construct<OffsetPtr<char>>("pointer").or_throw();
  EXPECT_TRUE(locked_.allocate(pointer, 300000).failed_with(Errc::no_space));
  EXPECT_TRUE(locked_.allocate(pointer, UINT64_MAX).failed_with(Errc::no_space));
  EXPECT_FALSE(pointer);
  ASSERT_TRUE(locked_.destroy<OffsetPtr<char>>("pointer"));
  EXPECT_EQ(locked_.check().or_throw().free_bytes, before.free_bytes);
}

}  // namespace

#include <tenon/memory/type_description.hpp>

#include <tenon/memory/fixed_string.hpp>
#include <tenon/memory/fixed_vector.hpp>

#include <gtest/gtest.h>

namespace {

using namespace tenon;

struct Order {
  static constexpr std::string_view type_name = "acme.Order";
  std::uint64_t id;
  std::uint32_t count;
};

struct Foreign {
  char bytes[3];
};

struct Unnamed {};

}  // namespace

template <>
struct tenon::TypeNameOf<Foreign> {
  static constexpr TypeText value = "other.Foreign";
};

namespace {

// F28
TEST(TypeDescription, is_what_its_author_calls_it_and_not_what_the_compiler_does) {
  EXPECT_EQ(type_of<Order>().name, "acme.Order");
  EXPECT_EQ(type_of<Order>().text(), "acme.Order (16 bytes, aligned to 8)");
  EXPECT_EQ(type_of<Foreign>().name, "other.Foreign");
  static_assert(!NamedType<Unnamed>, "a type without a name does not compile where one is needed");
}

// F28 F29
TEST(TypeDescription, names_numbers_by_their_bits) {
  EXPECT_EQ(type_of<unsigned char>().name, "u8");
  EXPECT_EQ(type_of<std::int16_t>().name, "i16");
  EXPECT_EQ(type_of<int>().name, "i32");
  EXPECT_EQ(type_of<std::uint64_t>().name, type_of<unsigned long long>().name);
  EXPECT_EQ(type_of<double>().name, "f64");
  EXPECT_EQ(type_of<bool>().name, "bool");
  EXPECT_EQ(type_of<char>().name, "char");
}

// F28
TEST(TypeDescription, has_the_same_hash_in_every_build) {
  static_assert(type_of<int>().hash == describe("i32", 4, 4).hash);
  EXPECT_EQ(hash_of_text("a"), 0xaf63dc4c8601ec8cU) << "FNV-1a, as published";
  EXPECT_NE(type_of<Order>().hash, describe("acme.Order", 24, 8).hash) << "another size";
  EXPECT_NE(type_of<Order>().hash, describe("acme.Order", 16, 4).hash) << "another alignment";
}

TEST(TypeDescription, is_composed_of_the_names_of_its_parts) {
  EXPECT_EQ((type_text<int, Order>("Map").view()), "Map<i32,acme.Order>");
  EXPECT_EQ((type_of<FixedVector<FixedString<20>, 7>>().name), "FixedVector<FixedString<20>,7>");
}

TEST(TypeDescription, shows_bytes_that_are_no_text_escaped) {
  EXPECT_EQ(describe("a\nb", 1, 1).text(), "a\\nb (1 bytes, aligned to 1)");
}

}  // namespace

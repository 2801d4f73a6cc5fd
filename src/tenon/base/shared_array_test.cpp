#include <tenon/base/shared_array.hpp>

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <vector>

using namespace tenon;

namespace {

struct Header {
  ArrayHeader array;
  std::uint64_t own = 7;
};
struct Element {
  std::uint64_t place = 0;
  std::uint64_t more = 0;
};
using Array = SharedArray<Header, Element>;
constexpr ArrayKind kind = Array::kind_of("array of a test", 0x1234567890abcdef, 3);

struct alignas(cache_line) Line {
  std::byte bytes[cache_line];
};

class SharedArrayTest : public testing::Test {
 protected:
  MutableBytes memory() { return std::as_writable_bytes(std::span(lines_)); }
  Array made(std::uint64_t elements) { return Array::initialise(kind, memory(), elements).or_throw(); }
  ArrayHeader& header() { return *reinterpret_cast<ArrayHeader*>(lines_.data()); }

  std::array<Line, 8> lines_{};  // 512 bytes: a header on two lines, and room for 24 elements
};

TEST_F(SharedArrayTest, is_opened_by_others_as_it_was_made) {
  made(16).elements()[15].place = 15;
  const Array opened = Array::open(kind, memory()).or_throw();
  EXPECT_EQ(opened.header().own, 7U);
  ASSERT_EQ(opened.elements().size(), 16U);
  EXPECT_EQ(opened.elements()[15].place, 15U);
  EXPECT_EQ(reinterpret_cast<std::byte*>(opened.elements().data()), memory().data() + 128);
}

TEST_F(SharedArrayTest, says_how_many_bytes_it_needs_and_refuses_less) {
  EXPECT_EQ(bytes_of_array(kind, 16).or_throw(), 128 + 16 * 16U);
  const auto refused = Array::initialise(kind, memory().first(383), 16);
  ASSERT_TRUE(refused.failed_with(Errc::invalid_argument));
  EXPECT_EQ(refused.error().message(), "\"array of a test\": invalid argument: needs 384 bytes, the memory has 383");
}

TEST_F(SharedArrayTest, takes_powers_of_two_alone) {
  for (const std::uint64_t elements :
       {std::uint64_t{0}, std::uint64_t{3}, (std::uint64_t{1} << 32) * 2, ~std::uint64_t{0}}) {
    EXPECT_TRUE(bytes_of_array(kind, elements).failed_with(Errc::invalid_argument)) << elements;
  }
}

// F19
TEST_F(SharedArrayTest, takes_no_fewer_elements_than_the_structure_needs) {
  constexpr ArrayKind two = Array::kind_of("array of a test", 0x1234567890abcdef, 3, 2);
  const auto refused = Array::initialise(two, memory(), 1);
  ASSERT_TRUE(refused.failed_with(Errc::invalid_argument));
  EXPECT_EQ(refused.error().detail(), "1 elements are no power of two from 2 to 2^32");
  made(1);
  EXPECT_TRUE(Array::open(two, memory()).failed_with(Errc::corrupt));
}

// F31
TEST_F(SharedArrayTest, refuses_memory_that_does_not_begin_on_a_line) {
  const auto refused = Array::initialise(kind, memory().subspan(8), 1);
  EXPECT_TRUE(refused.failed_with(Errc::invalid_argument));
  made(1);
  EXPECT_TRUE(Array::open(kind, memory().subspan(8)).failed_with(Errc::wrong_kind));
}

// F5 F22
TEST_F(SharedArrayTest, refuses_memory_that_holds_none) {
  EXPECT_TRUE(Array::open(kind, memory()).failed_with(Errc::wrong_kind));
  EXPECT_TRUE(Array::open(kind, MutableBytes()).failed_with(Errc::wrong_kind));
}

// F27
TEST_F(SharedArrayTest, names_both_versions_of_the_layout) {
  made(4);
  header().version = 4;
  const auto refused = Array::open(kind, memory());
  ASSERT_TRUE(refused.failed_with(Errc::version_mismatch));
  EXPECT_EQ(refused.error().detail(), "the memory has layout version 4, this program 3");
}

// F30
TEST_F(SharedArrayTest, names_both_sizes_of_the_elements) {
  made(4);
  header().element_bytes = 24;
  const auto refused = Array::open(kind, memory());
  ASSERT_TRUE(refused.failed_with(Errc::type_mismatch));
  EXPECT_EQ(refused.error().detail(), "its elements have 24 bytes, this program's 16");
}

// F19 F20
TEST_F(SharedArrayTest, believes_nobody_that_it_has_more_elements_than_there_is_room_for) {
  made(16);
  for (const std::uint64_t lie : {std::uint64_t{32}, std::uint64_t{1} << 63, std::uint64_t{0}, std::uint64_t{12}}) {
    header().elements = lie;
    EXPECT_TRUE(Array::open(kind, memory()).failed_with(Errc::corrupt)) << lie;
  }
}

}  // namespace

#include <tenon/memory/offset_ptr.hpp>

#include <cstring>
#include <gtest/gtest.h>

namespace {

using namespace tenon;

TEST(OffsetPtr, is_null_until_it_is_made_from_an_offset) {
  const OffsetPtr<int> null;
  EXPECT_FALSE(null);
  EXPECT_EQ(null, OffsetPtr<int>(nullptr));
  EXPECT_EQ(null.offset(), 0U);
  EXPECT_TRUE(OffsetPtr<int>::from(8192));
}

// F33
TEST(OffsetPtr, means_the_same_wherever_its_bytes_are_copied) {
  const auto pointer = OffsetPtr<double>::from(0x123456789abcdef0);
  alignas(OffsetPtr<double>) std::byte elsewhere[sizeof(pointer)];
  std::memcpy(elsewhere, &pointer, sizeof(pointer));
  std::uint64_t word = 0;
  std::memcpy(&word, elsewhere, sizeof(word));
  EXPECT_EQ(word, 0x123456789abcdef0U) << "the bytes are the offset, and nothing of the place";
  OffsetPtr<double> copied;
  std::memcpy(&copied, elsewhere, sizeof(copied));
  EXPECT_EQ(copied, pointer);
}

TEST(OffsetPtr, is_ordered_by_where_it_points) {
  EXPECT_LT(OffsetPtr<int>::from(16), OffsetPtr<int>::from(32));
  EXPECT_LT(OffsetPtr<int>(), OffsetPtr<int>::from(16));
}

}  // namespace

#include <tenon/memory/fixed_vector.hpp>

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace tenon;
using testing::ElementsAre;

TEST(FixedVector, inserts_and_erases_anywhere) {
  FixedVector<int, 4> vector;
  EXPECT_TRUE(vector.push_back(1) && vector.push_back(3) && vector.insert(1, 2) && vector.insert(0, 0));
  EXPECT_THAT(vector.span(), ElementsAre(0, 1, 2, 3));
  vector.erase(1);
  vector.erase(2);
  EXPECT_THAT(vector.span(), ElementsAre(0, 2));
  vector.clear();
  EXPECT_TRUE(vector.empty());
}

TEST(FixedVector, refuses_what_does_not_fit_and_stays_as_it_was) {
  FixedVector<int, 2> vector;
  ASSERT_TRUE(vector.push_back(1) && vector.push_back(2));
  EXPECT_TRUE(vector.push_back(3).failed_with(Errc::no_space));
  EXPECT_THAT(vector.span(), ElementsAre(1, 2));
}

TEST(FixedVector, inserts_an_element_of_its_own) {
  FixedVector<int, 3> vector;
  ASSERT_TRUE(vector.push_back(1) && vector.push_back(2) && vector.insert(0, vector[1]));
  EXPECT_THAT(vector.span(), ElementsAre(2, 1, 2));
}

// F20 F22
TEST(FixedVector, never_reaches_beyond_itself_whatever_stands_in_its_memory) {
  FixedVector<int, 4> vector;
  const std::uint32_t huge = 0xffffffff;
  std::memcpy(static_cast<void*>(&vector), &huge, sizeof(huge));
  EXPECT_EQ(vector.span().size(), 4U);
  EXPECT_TRUE(vector.push_back(1).failed_with(Errc::no_space));
}

TEST(FixedVector, ends_the_process_at_an_index_beyond_its_size) {
  FixedVector<int, 4> vector;
  EXPECT_DEATH(vector[0] = 1, "an index is less than the size");
}

}  // namespace

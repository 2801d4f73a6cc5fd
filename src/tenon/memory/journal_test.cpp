#include <tenon/memory/journal.hpp>

#include <tenon/memory/segment_header.hpp>
#include <tenon/os/mapping.hpp>

#include <cstring>
#include <gtest/gtest.h>

namespace {

using namespace tenon;

class JournalTest : public testing::Test {
 protected:
  static constexpr std::size_t bytes = 64 * 1024;

  SegmentHeader& header() { return *reinterpret_cast<SegmentHeader*>(memory_.data()); }
  std::uint64_t& word(std::uint64_t index) {
    return *reinterpret_cast<std::uint64_t*>(memory_.data() + segment_arena + 8 * index);
  }
  /// As the next who locks has it after a death.
  Journal survivors() { return {{memory_.data(), bytes}, header().journal}; }

  Mapping memory_ = Mapping::shared_with_children(bytes).or_throw();
  Journal journal_{{memory_.data(), bytes}, reinterpret_cast<SegmentHeader*>(memory_.data())->journal};
};

TEST_F(JournalTest, keeps_what_is_committed) {
  Transaction transaction(journal_);
  transaction.put(word(0), 1);
  transaction.put(word(5), 2);
  transaction.commit();
  EXPECT_TRUE(journal_.is_empty());
  EXPECT_TRUE(survivors().roll_back());
  EXPECT_EQ(word(0), 1U);
  EXPECT_EQ(word(5), 2U);
}

TEST_F(JournalTest, puts_back_what_is_not_to_the_value_before_the_first_store) {
  word(0) = 7;
  {
    Transaction transaction(journal_);
    transaction.put(word(0), 8);
    transaction.put(word(0), 9);
    EXPECT_EQ(word(0), 9U);
  }
  EXPECT_EQ(word(0), 7U);
  EXPECT_TRUE(journal_.is_empty());
}

// F39
TEST_F(JournalTest, is_rolled_back_by_anybody_and_as_often_as_it_takes) {
  word(0) = 7;
  word(1) = 8;
  journal_.put(word(0), 70);
  journal_.put(word(1), 80);
  const std::uint64_t count = header().journal.count;
  ASSERT_TRUE(survivors().roll_back());
  header().journal.count = count;  // as if the survivor had died before its last store
  word(1) = 80;                    // or before this one
  ASSERT_TRUE(survivors().roll_back());
  EXPECT_EQ(word(0), 7U);
  EXPECT_EQ(word(1), 8U);
}

TEST_F(JournalTest, keeps_the_bytes_of_an_element_that_begins_and_ends_inside_words) {
  std::memset(memory_.data() + segment_arena, 'a', 64);
  {
    Transaction transaction(journal_);
    journal_.keep_bytes(memory_.data() + segment_arena + 5, 20);
    std::memset(memory_.data() + segment_arena + 5, 'b', 20);
  }
  for (int i = 0; i < 64; ++i) {
    ASSERT_EQ(std::to_integer<char>(memory_.data()[segment_arena + static_cast<std::size_t>(i)]), 'a');
  }
}

// F20 F22
TEST_F(JournalTest, touches_nothing_where_it_names_what_cannot_be) {
  word(0) = 7;
  journal_.put(word(0), 8);
  JournalLayout& layout = header().journal;
  layout.count = 2;
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{64}, offsetof(SegmentHeader, journal), segment_arena + 4, std::uint64_t{bytes},
        std::uint64_t{bytes - 4}, UINT64_MAX - 7}) {
    layout.records[1] = {.offset = offset, .old_value = 1};
    EXPECT_FALSE(survivors().roll_back()) << offset;
  }
  layout.count = JournalLayout::capacity + 1;
  EXPECT_FALSE(survivors().roll_back());
  EXPECT_EQ(word(0), 8U) << "nothing was touched";
  layout.count = 1;
  EXPECT_TRUE(survivors().roll_back());
  EXPECT_EQ(word(0), 7U);
}

TEST_F(JournalTest, ends_the_process_whose_transaction_is_longer_than_it_is) {
  EXPECT_DEATH(
      for (std::uint64_t i = 0; i <= JournalLayout::capacity; ++i) { journal_.put(word(i), i); },
      "no more words than the journal holds");
}

}  // namespace

#include <tenon/memory/allocator.hpp>

#include <kit/watchdog.hpp>
#include <tenon/memory/block_classes.hpp>
#include <tenon/memory/segment_header.hpp>
#include <tenon/os/mapping.hpp>

#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <vector>

namespace {

using namespace tenon;

class AllocatorTest : public testing::Test {
 protected:
  static constexpr std::size_t bytes = 256 * 1024;

  AllocatorTest() { write_segment(memory_.bytes(), bytes, {}); }

  SegmentHeader& header() { return *reinterpret_cast<SegmentHeader*>(memory_.data()); }
  Arena arena() { return {memory_.data(), bytes}; }
  Allocator allocator() { return {arena(), header().free, journal_}; }

  Result<std::uint64_t> allocate(std::uint64_t wanted, std::uint64_t alignment = 16) {
    Transaction transaction(journal_);
    auto offset = allocator().allocate(wanted, alignment);
    if (offset) {
      transaction.commit();
    }
    return offset;
  }
  Result<void> free(std::uint64_t offset) {
    Transaction transaction(journal_);
    auto freed = allocator().free(offset);
    if (freed) {
      transaction.commit();
    }
    return freed;
  }
  BlockUsage usage() { return allocator().check().or_throw(); }
  std::uint64_t& word_at(std::uint64_t offset) { return *reinterpret_cast<std::uint64_t*>(memory_.data() + offset); }

  Mapping memory_ = Mapping::shared_with_children(bytes).or_throw();
  Journal journal_{{memory_.data(), bytes}, reinterpret_cast<SegmentHeader*>(memory_.data())->journal};
};

TEST_F(AllocatorTest, is_one_free_block_at_first_and_again_when_all_is_freed) {
  const BlockUsage before = usage();
  EXPECT_EQ(before.free_blocks, 1U);
  EXPECT_EQ(before.free_bytes + before.taken_bytes + sizeof(SegmentHeader), bytes);
  std::vector<std::uint64_t> offsets;
  for (std::uint64_t size : {1U, 16U, 17U, 100U, 255U, 256U, 1000U, 5000U, 70000U}) {
    offsets.push_back(allocate(size).or_throw());
    EXPECT_GE(allocator().size_of(offsets.back()).or_throw(), size);
  }
  for (std::size_t i : {3U, 1U, 7U, 0U, 2U, 8U, 6U, 4U, 5U}) {
    ASSERT_TRUE(free(offsets[i]));
    ASSERT_TRUE(allocator().check());
  }
  EXPECT_EQ(usage().free_bytes, before.free_bytes);
  EXPECT_EQ(usage().free_blocks, 1U);
}

TEST_F(AllocatorTest, never_hands_out_a_byte_twice_whatever_the_order) {
  const kit::Watchdog watchdog("ten thousand random calls");
  std::mt19937 random(7);
  std::map<std::uint64_t, std::pair<std::uint64_t, unsigned char>> held;
  for (int step = 0; step < 10000; ++step) {
    if (!held.empty() && random() % 2 == 0) {
      const auto chosen = std::next(held.begin(), static_cast<long>(random() % held.size()));
      const auto [size, mark] = chosen->second;
      for (std::uint64_t i = 0; i < size; ++i) {
        ASSERT_EQ(std::to_integer<unsigned char>(memory_.data()[chosen->first + i]), mark);
      }
      ASSERT_TRUE(free(chosen->first));
      held.erase(chosen);
    } else {
      const std::uint64_t size = 1 + random() % (random() % 8 == 0 ? 20000 : 300);
      const std::uint64_t alignment = std::uint64_t{1} << random() % 13;
      if (auto offset = allocate(size, alignment)) {
        ASSERT_EQ(*offset % alignment, 0U);
        const auto mark = static_cast<unsigned char>(random());
        std::memset(memory_.data() + *offset, mark, size);
        held[*offset] = {size, mark};
      } else {
        ASSERT_TRUE(offset.failed_with(Errc::no_space)) << offset.error().message();
      }
    }
    if (step % 64 == 0) {
      ASSERT_TRUE(allocator().check());
    }
  }
  for (const auto& [offset, what] : held) {
    ASSERT_TRUE(free(offset));
  }
  EXPECT_EQ(usage().free_blocks, 1U);
}

// F31
TEST_F(AllocatorTest, honours_any_alignment_up_to_a_page_and_refuses_more) {
  for (std::uint64_t alignment = 1; alignment <= 4096; alignment *= 2) {
    EXPECT_EQ(allocate(24, alignment).or_throw() % std::max<std::uint64_t>(alignment, 16), 0U);
  }
  EXPECT_TRUE(allocator().check());
  EXPECT_TRUE(allocate(24, 8192).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(allocate(24, 24).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(allocate(24, 0).failed_with(Errc::invalid_argument));
}

TEST_F(AllocatorTest, says_no_space_and_stays_as_it_was) {
  const BlockUsage before = usage();
  EXPECT_TRUE(allocate(bytes).failed_with(Errc::no_space));
  EXPECT_TRUE(allocate(UINT64_MAX).failed_with(Errc::no_space));
  EXPECT_TRUE(allocate(segment_most_bytes).failed_with(Errc::no_space));
  EXPECT_EQ(usage().free_bytes, before.free_bytes);
  EXPECT_EQ(allocator().size_of(allocate(before.largest_free).or_throw()).or_throw(), before.largest_free)
      << "all that is free can be had in one piece";
}

TEST_F(AllocatorTest, refuses_to_free_what_is_no_taken_block) {  // F20
  const std::uint64_t offset = allocate(100).or_throw();
  const std::uint64_t other = allocate(100).or_throw();
  for (const std::uint64_t foreign : {offset + 16, offset + 8, std::uint64_t{0}, std::uint64_t{16}, segment_arena,
                                      std::uint64_t{bytes}, std::uint64_t{bytes - 16}, UINT64_MAX - 7}) {
    EXPECT_TRUE(free(foreign).failed_with(Errc::corrupt)) << foreign;
  }
  ASSERT_TRUE(free(offset));
  EXPECT_TRUE(free(offset).failed_with(Errc::corrupt)) << "freed before";
  ASSERT_TRUE(free(other));
  EXPECT_EQ(usage().free_blocks, 1U);
}

// F22
TEST_F(AllocatorTest, calls_an_overwritten_header_corrupt_and_touches_nothing) {
  const std::uint64_t first = allocate(100).or_throw();
  const std::uint64_t second = allocate(100).or_throw();
  const std::uint64_t before = word_at(second - 16);
  word_at(second - 16) = 0x4141414141414141;
  EXPECT_TRUE(free(first).failed_with(Errc::corrupt)) << "its neighbour is unknown";
  EXPECT_TRUE(free(second).failed_with(Errc::corrupt));
  EXPECT_TRUE(allocator().check().failed_with(Errc::corrupt));
  word_at(second - 16) = before;
  EXPECT_TRUE(allocator().check());
}

// F23
TEST_F(AllocatorTest, walks_no_list_that_leads_in_a_circle_for_ever) {
  const kit::Watchdog watchdog("a list that leads in a circle");
  std::vector<std::uint64_t> offsets;
  for (int i = 0; i < 8; ++i) {
    offsets.push_back(allocate(40).or_throw());
  }
  ASSERT_TRUE(free(offsets[1]) && free(offsets[3]) && free(offsets[5]));
  word_at(offsets[1]) = offsets[5] - 16;  // the last one's next is the first
  EXPECT_TRUE(allocator().check().failed_with(Errc::corrupt));
  for (int i = 0; i < 5; ++i) {
    if (auto offset = allocate(40)) {
      word_at(*offset) = 0;
    } else {
      EXPECT_TRUE(offset.failed_with(Errc::corrupt));
    }
  }
}

// F20 F22
TEST_F(AllocatorTest, survives_any_word_of_it_being_overwritten) {
  const kit::Watchdog watchdog("random words overwritten");
  std::mt19937_64 random(11);
  for (int round = 0; round < 2000; ++round) {
    std::memset(memory_.data(), 0, bytes);
    write_segment(memory_.bytes(), bytes, {});
    std::vector<std::uint64_t> offsets;
    for (int i = 0; i < 12; ++i) {
      offsets.push_back(allocate(24 + 32 * static_cast<std::uint64_t>(i)).or_throw());
    }
    for (std::size_t i = 0; i < offsets.size(); i += 3) {
      ASSERT_TRUE(free(offsets[i]));
    }
    const std::uint64_t from = offsetof(SegmentHeader, free);
    const std::uint64_t at =
        random() % 2 == 0 ? from + random() % (sizeof(FreeBlocksLayout) / 8) * 8 : segment_arena + random() % 512 * 8;
    const std::uint64_t values[] = {
        random(), 0, UINT64_MAX, at, bytes - 16, random() % bytes, random() % bytes / 16 * 16};
    word_at(at) = values[random() % std::size(values)];
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      [[maybe_unused]] const auto freed = free(offsets[i]);
      [[maybe_unused]] const auto taken = allocate(random() % 4000, std::uint64_t{1} << random() % 13);
    }
    [[maybe_unused]] const auto checked = allocator().check();
    EXPECT_TRUE(journal_.is_empty());
  }
}

TEST_F(AllocatorTest, undone_has_its_old_content_too) {
  const std::uint64_t offset = allocate(64).or_throw();
  std::memset(memory_.data() + offset, 0x5a, 64);
  {
    Transaction transaction(journal_);
    ASSERT_TRUE(allocator().free(offset));
  }
  for (std::uint64_t i = 0; i < 64; ++i) {
    ASSERT_EQ(std::to_integer<int>(memory_.data()[offset + i]), 0x5a) << i;
  }
  EXPECT_TRUE(allocator().check());
  ASSERT_TRUE(free(offset));
}

TEST_F(AllocatorTest, undone_has_its_links_although_the_owner_wrote_over_them) {
  const std::uint64_t before = usage().free_bytes;
  {
    Transaction transaction(journal_);
    const std::uint64_t offset = allocator().allocate(500, 256).or_throw();
    std::memset(memory_.data() + offset, 0x77, 500);
  }
  EXPECT_EQ(usage().free_bytes, before);
}

TEST_F(AllocatorTest, ends_the_process_that_allocates_after_it_freed_in_one_transaction) {
  const std::uint64_t offset = allocate(64).or_throw();
  EXPECT_DEATH(
      {
        Allocator one = allocator();
        (void)one.free(offset);
        (void)one.allocate(64, 16);
      },
      "allocates before it frees");
}

TEST(BlockClasses, put_each_size_where_a_search_for_no_more_finds_it) {
  for (std::uint64_t size = smallest_block; size < 100000; size += block_grain) {
    const BlockClass own = class_of(size);
    const BlockClass searched = class_that_fits(size);
    const auto number = [](BlockClass c) { return c.range * FreeBlocksLayout::steps + c.step; };
    ASSERT_LE(number(own), number(searched)) << size;
    ASSERT_LE(number(searched) - number(own), 1U) << size;
    ASSERT_LE(number(own), number(class_of(size + block_grain))) << size;
  }
}

}  // namespace

// What a segment's lock is to who holds it, who did, and who asks without it.
#include <tenon/memory/segment.hpp>

#include <kit/two_processes.hpp>
#include <tenon/memory/vector.hpp>

#include <atomic>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

constexpr SegmentSize growing{.bytes = 64 * 1024, .most = 64 * 1024 * 1024};

// Makes a vector of its own in the middle of the transaction that makes itself.
struct Filled {
  static constexpr std::string_view type_name = "test.Filled";
  explicit Filled(LockedSegment& segment) { numbers.push_back(segment, 1).or_throw(); }
  Vector<int> numbers;
};

template <class S>
concept Lockable = requires(S segment) { std::forward<S>(segment).lock(never); } ||
                   requires(S segment) { std::forward<S>(segment).try_lock(); };
static_assert(Lockable<Segment&> && !Lockable<Segment>, "a lock would outlive a segment that nothing holds");

std::uint64_t memory_of(FdView file) {
  struct stat status{};
  EXPECT_EQ(::fstat(file.raw(), &status), 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

TEST(Segment, is_as_it_was_when_a_constructor_would_have_changed_it_half_way) {
  Segment segment = Segment::create_unnamed("nested", growing).or_throw();
  EXPECT_DEATH(
      {
        LockedSegment locked = segment.lock(never).or_throw();
        (void)locked.find_or_construct<Filled>("filled", locked);
      },
      "a transaction ends before the next begins");
  LockedSegment locked = segment.lock(never).or_throw();
  EXPECT_TRUE(locked.names().or_throw().empty());
  EXPECT_EQ(locked.check().or_throw().taken_blocks, 1U);
}

TEST(Segment, that_was_unlocked_is_changed_no_more) {
  Segment segment = Segment::create_unnamed("unlocked", growing).or_throw();
  LockedSegment locked = segment.lock(never).or_throw();
  Vector<int>& numbers = *locked.find_or_construct<Vector<int>>("numbers").or_throw();
  ASSERT_TRUE(numbers.push_back(locked, 1));
  std::move(locked).unlock();
  // NOLINTBEGIN(bugprone-use-after-move): which is what must not be
  EXPECT_DEATH((void)locked.find_or_construct<int>("one"), "was unlocked, or moved from");
  EXPECT_DEATH((void)locked.find<int>("one"), "was unlocked, or moved from");
  EXPECT_DEATH((void)numbers.push_back(locked, 2), "was unlocked, or moved from") << "there is room for it";
  EXPECT_DEATH((void)locked.grow(1 << 20), "was unlocked, or moved from");
  EXPECT_DEATH((void)locked.check(), "was unlocked, or moved from");
  // NOLINTEND(bugprone-use-after-move)
}

TEST(Segment, gives_back_what_a_grower_had_got_for_it_that_was_killed) {
  Segment segment = Segment::create_unnamed("grower", growing).or_throw();
  const std::uint64_t before = memory_of(segment.fd());
  kit::Sides sides({{"grower", [&](kit::Stage& stage) {
                       const LockedSegment locked = segment.lock(never).or_throw();
                       const auto end = static_cast<off_t>(growing.bytes);
                       ASSERT_EQ(::fallocate(segment.fd().raw(), FALLOC_FL_KEEP_SIZE, end, 1 << 20), 0);
                       stage.signal("had");
                       stage.await("never");
                     }}});
  sides.stage().await("had");
  EXPECT_GE(memory_of(segment.fd()), before + (1 << 20));
  sides.side("grower").kill();
  EXPECT_TRUE(segment.lock(after(10s)).or_throw().recovered());
  EXPECT_EQ(memory_of(segment.fd()), before);
}

TEST(Segment, is_not_called_truncated_while_another_thread_makes_it_longer) {
  Segment segment = Segment::create_unnamed("longer", growing).or_throw();
  std::atomic<bool> grown = false;
  std::atomic<int> complaints = 0;
  std::thread asks([&] {
    do {
      complaints += segment.still_there() ? 0 : 1;
    } while (!grown);
  });
  for (std::uint64_t size = growing.bytes; size <= (8 << 20); size += 64 * 1024) {
    EXPECT_TRUE(segment.lock(never).or_throw().grow(size));
  }
  grown = true;
  asks.join();
  EXPECT_EQ(complaints.load(), 0);
}

}  // namespace

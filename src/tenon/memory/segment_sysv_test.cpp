// What a segment in System V memory is to those who share its key.
#include <tenon/memory/segment.hpp>

#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/os/remove_on_exit.hpp>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

constexpr SegmentSize small{.bytes = 64 * 1024};
constexpr SegmentSize larger{.bytes = 128 * 1024};

class SysvSegment : public testing::Test {
 protected:
  SysvKey key_ = kit::unique_key();
  OnExit<SysvKey> removed_{Segment::unlink, key_};
};

// F4
TEST_F(SysvSegment, that_is_there_is_opened_as_long_as_it_is_and_made_otherwise) {
  Segment made = Segment::open_or_create(key_, small).or_throw();
  *made.lock(never).or_throw().find_or_construct<int>("number").or_throw() = 7;
  Segment opened = Segment::open_or_create(key_, larger).or_throw();
  EXPECT_EQ(*opened.lock(never).or_throw().find<int>("number").or_throw(), 7);
  EXPECT_EQ(opened.most(), small.bytes);
  EXPECT_TRUE(Segment::open_or_create(key_, {.bytes = 64 * 1024, .most = 128 * 1024}))
      << "what may not be made may be there";
}

TEST_F(SysvSegment, that_could_not_be_made_is_refused) {
  EXPECT_TRUE(Segment::open_or_create(key_, {.bytes = 64 * 1024, .most = 128 * 1024}).failed_with(Errc::not_supported));
  EXPECT_TRUE(Segment::open_or_create(key_, {.bytes = 1}).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(Segment::open_or_create(key_, small, {.pages = Pages::huge}).failed_with(Errc::not_supported));
  EXPECT_TRUE(Segment::open(key_).failed_with(Errc::not_found));
}

// F6
TEST_F(SysvSegment, whose_creator_died_half_way_is_replaced) {
  kit::Sides sides({{"creator", [&](kit::Stage& stage) {
                       (void)SysvMemory::create(key_, small.bytes, owner_only, [&](MutableBytes) {
                         stage.signal("half-way");
                         stage.await("never");
                       });
                     }}});
  sides.stage().await("half-way");
  EXPECT_TRUE(Segment::open_or_create(key_, small).failed_with(Errc::stale)) << "its creator is still at it";
  sides.side("creator").kill();
  Segment replaced = Segment::open_or_create(key_, small).or_throw();
  EXPECT_TRUE(replaced.lock(after(10s)).or_throw().check());
  EXPECT_TRUE(Segment::open(key_));
}

// F10 F11
TEST_F(SysvSegment, is_still_there_until_its_key_is_removed) {
  const Segment old = Segment::create(key_, small).or_throw();
  EXPECT_TRUE(old.still_there());
  ASSERT_TRUE(Segment::unlink(key_));
  const auto gone = old.still_there();
  ASSERT_TRUE(gone.failed_with(Errc::not_found));
  EXPECT_EQ(gone.error().detail(), "its key was removed");
  const Segment other = Segment::create(key_, small).or_throw();
  EXPECT_TRUE(old.still_there().failed_with(Errc::not_found)) << "the key leads to another";
  EXPECT_TRUE(other.still_there());
}

}  // namespace

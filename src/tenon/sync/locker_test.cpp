#include <tenon/sync/locker.hpp>

#include <kit/reported_child.hpp>

#include <gtest/gtest.h>
#include <thread>

namespace {

using namespace tenon;

TEST(Locker, is_one_as_long_as_its_thread_lives_and_never_comes_again) {
  const std::uint32_t own = Locker::self();
  EXPECT_NE(own, 0U);
  EXPECT_EQ(Locker::self(), own);
  std::uint32_t before = own;
  for (int round = 0; round < 3; ++round) {  // each has its predecessor's stack, and what lies there
    std::thread([&] {
      EXPECT_GT(Locker::self(), before);
      before = Locker::self();
    }).join();
  }
  EXPECT_EQ(Locker::self(), own);
}

TEST(Locker, is_another_in_a_forked_child_and_in_the_childs_child) {  // F35
  const std::uint32_t own = Locker::self();
  const std::uint64_t forks = Locker::forks();
  kit::ReportedChild child("child", [&] {
    const std::uint32_t childs = Locker::self();
    EXPECT_NE(childs, own);
    EXPECT_EQ(Locker::forks(), forks + 1);
    kit::ReportedChild grandchild("grandchild", [&] {
      EXPECT_NE(Locker::self(), own);
      EXPECT_NE(Locker::self(), childs);
      EXPECT_EQ(Locker::forks(), forks + 2);
    });
    EXPECT_TRUE(grandchild.finish(never));
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_EQ(Locker::self(), own);
  EXPECT_EQ(Locker::forks(), forks);
}

}  // namespace

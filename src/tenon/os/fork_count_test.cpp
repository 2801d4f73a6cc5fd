#include <tenon/os/fork_count.hpp>

#include <kit/patience.hpp>
#include <kit/reported_child.hpp>
#include <kit/watchdog.hpp>

#include <gtest/gtest.h>

using namespace tenon;

namespace {

// F35
TEST(ForkCount, is_another_in_a_forked_child_and_in_the_childs_child) {
  const kit::Watchdog watchdog("children count");
  const std::uint32_t before = ForkCount::begin();
  EXPECT_EQ(ForkCount::now(), before);
  kit::ReportedChild child("child", [&] {
    EXPECT_EQ(ForkCount::now(), before + 1);
    kit::ReportedChild grandchild("grandchild", [&] { EXPECT_EQ(ForkCount::now(), before + 2); });
    EXPECT_TRUE(grandchild.finish(after(kit::patient(kit::default_limit))));
  });
  EXPECT_TRUE(child.finish(after(kit::patient(kit::default_limit))));
  EXPECT_EQ(ForkCount::now(), before);
}

}  // namespace

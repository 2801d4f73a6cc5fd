/// The short form: the long one is stuck_long.cpp.
#include "busy.hpp"

#include <kit/watchdog.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

TEST(Busy, a_healthy_system_is_accused_of_nothing_in_any_of_20_looks) {
  const kit::Watchdog watchdog("a busy system");
  stuck::Room room;
  stuck::fill_with_busy_pairs(room);
  EXPECT_THAT(stuck::accusations(room, 20), testing::IsEmpty());
}

}  // namespace

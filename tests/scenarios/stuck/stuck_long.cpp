/// The long form, `./dev stuck [LOOKS]`: 1,000 looks at a healthy busy system, of which none may accuse anybody.
#include "busy.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <iostream>

namespace {

int looks = 1000;

TEST(BusyLong, a_healthy_system_is_accused_of_nothing) {
  stuck::Room room;
  stuck::fill_with_busy_pairs(room);
  const auto found = stuck::accusations(room, looks);
  for (const std::string& sentence : found) {
    ADD_FAILURE() << sentence;
  }
  std::cout << looks << " looks at " << room.pids().size() << " processes: " << found.size() << " accusations\n";
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  looks = argc > 1 ? std::atoi(argv[1]) : looks;
  return RUN_ALL_TESTS();
}

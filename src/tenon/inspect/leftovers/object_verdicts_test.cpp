#include <tenon/inspect/leftovers/object_verdicts.hpp>

#include <tenon/os/process.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using namespace tenon;
using inspect::Kind;
using inspect::LeftoverVerdict;
using inspect::Relation;
using inspect::Snapshot;

// A segment that nobody has attached, of a maker who is said to have ended.
Snapshot segment_of(pid_t maker) {
  Snapshot all;
  all.objects.push_back({.kind = Kind::sysv_memory, .name = "0x00000000", .id = 7});
  all.objects.front().figures = {{.name = "attached", .value = 0}};
  all.edges.push_back({.object = 0, .pid = maker, .relation = Relation::created, .ended = true});
  return all;
}

TEST(ObjectVerdicts, memory_of_a_maker_whom_the_kernel_does_not_know_is_left_over) {
  auto child = spawn([] { return 0; }).or_throw();
  const pid_t maker = child.pid();
  EXPECT_TRUE(child.wait(never).or_throw().success());
  inspect::QueueSleepers sleepers;
  EXPECT_EQ(judge(segment_of(maker), 0, sleepers).verdict, LeftoverVerdict::left_over);
}

// F51
TEST(ObjectVerdicts, memory_of_a_maker_that_is_thought_to_be_another_by_now_is_in_use_while_its_id_is) {
  inspect::QueueSleepers sleepers;
  EXPECT_EQ(judge(segment_of(::getpid()), 0, sleepers).verdict, LeftoverVerdict::in_use);
}

}  // namespace

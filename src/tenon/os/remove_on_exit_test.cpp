#include <tenon/os/remove_on_exit.hpp>

#include <kit/reported_child.hpp>
#include <tenon/base/deadline.hpp>

#include <gtest/gtest.h>
#include <optional>
#include <vector>

namespace {

using namespace tenon;

std::vector<int> removed;

Result<void> note(int id) {
  removed.push_back(id);
  return fail(Errc::not_found);  // which the guard does not mind
}

TEST(RemoveOnExit, removes_the_object_once_when_the_scope_ends_however_often_it_moved) {
  removed.clear();
  {
    std::optional<RemoveOnExit> outer;
    {
      RemoveOnExit inner(note, 7);
      outer.emplace(std::move(inner));
    }
    EXPECT_TRUE(removed.empty());
  }
  EXPECT_EQ(removed, std::vector<int>{7});
}

TEST(RemoveOnExit, leaves_it_when_told_to_keep_it_and_in_a_forked_child) {
  removed.clear();
  {
    RemoveOnExit kept(note, 7);
    kept.keep();
    std::optional<RemoveOnExit> guard(std::in_place, note, 8);
    kit::ReportedChild child("child", [&] {
      guard.reset();
      EXPECT_TRUE(removed.empty());
    });
    (void)child.finish(never);
  }
  EXPECT_EQ(removed, std::vector<int>{8});
}

}  // namespace

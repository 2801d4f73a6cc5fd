#include <tenon/os/on_exit.hpp>

#include <tenon/os/remove_on_exit.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <tenon/base/deadline.hpp>

#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using namespace tenon;

Result<void> unlink_file(std::string_view path) {
  if (::unlink(std::string(path).c_str()) == -1) {
    return fail(os_failure("unlink", errno));
  }
  return {};
}

void make_file(const std::string& path) { ::close(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)); }
bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

TEST(UnlinkOnExit, removes_the_name_when_the_scope_ends) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "name";
  make_file(path);
  {
    const UnlinkOnExit guard(unlink_file, path);
    EXPECT_TRUE(exists(path));
  }
  EXPECT_FALSE(exists(path));
}

TEST(UnlinkOnExit, leaves_it_when_told_to_keep_it) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "name";
  make_file(path);
  {
    UnlinkOnExit guard(unlink_file, path);
    guard.keep();
  }
  EXPECT_TRUE(exists(path));
  ::unlink(path.c_str());
}

TEST(UnlinkOnExit, moves_the_duty_along) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "name";
  make_file(path);
  {
    std::optional<UnlinkOnExit> outer;
    {
      UnlinkOnExit inner(unlink_file, path);
      outer.emplace(std::move(inner));
    }
    EXPECT_TRUE(exists(path));
  }
  EXPECT_FALSE(exists(path));
}

TEST(UnlinkOnExit, does_nothing_in_a_forked_child) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "name";
  make_file(path);
  std::optional<UnlinkOnExit> guard;
  guard.emplace(unlink_file, path);
  kit::ReportedChild child("child", [&] { guard.reset(); });
  (void)child.finish(never);
  EXPECT_TRUE(exists(path));
}

TEST(UnlinkOnExit, does_not_mind_that_the_name_has_gone) {
  const kit::UniqueDirectory directory;
  const UnlinkOnExit guard(unlink_file, directory / "nothing");
}

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

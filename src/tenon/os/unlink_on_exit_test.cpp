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

}  // namespace

#include <kit/unique.hpp>

#include <tenon/os/process.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace {

namespace fs = std::filesystem;

void touch(const std::string& path) { std::ofstream(path) << "x"; }

TEST(UniqueName, is_never_the_same_twice) { EXPECT_NE(kit::unique_name("a"), kit::unique_name("a")); }

TEST(UniqueDirectory, is_on_tmpfs_and_its_owners_alone) {
  const kit::UniqueDirectory directory;
  struct statfs system{};
  ASSERT_EQ(::statfs(directory.path().c_str(), &system), 0);
  EXPECT_EQ(system.f_type, 0x01021994);  // TMPFS_MAGIC
  struct stat status{};
  ASSERT_EQ(::stat(directory.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST(UniqueDirectory, is_gone_at_the_end) {
  std::string path;
  {
    kit::UniqueDirectory directory;
    path = directory.path();
    directory.allow_leftovers();
    touch(directory / "allowed");
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(UniqueDirectory, fails_the_test_that_leaves_something_behind) {
  EXPECT_NONFATAL_FAILURE(
      {
        const kit::UniqueDirectory directory;
        touch(directory / "forgotten");
      },
      "left behind: \"forgotten\"");
}

TEST(UniqueDirectory, is_left_alone_by_a_child_that_exits) {
  const kit::UniqueDirectory directory;
  auto child = tenon::spawn([&] {
    directory.~UniqueDirectory();
    return 0;
  });
  ASSERT_TRUE(child);
  ASSERT_TRUE(child->wait(tenon::never));
  EXPECT_TRUE(fs::exists(directory.path()));
}

TEST(UniqueDomain, is_what_programs_of_the_test_find) {
  const kit::UniqueDomain unique;
  EXPECT_EQ(tenon::Domain::of_environment().or_throw().path(), unique.path());
}

}  // namespace

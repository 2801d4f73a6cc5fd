#include <tenon/sync/lock_order_mapping.hpp>

#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/token.hpp>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Scene {
 public:
  Scene() { domain_.directory().allow_leftovers(); }
  Result<LockOrderMapping> open() const { return LockOrderMapping::open_or_create(domain_.domain()); }
  const std::string& directory() const { return domain_.path(); }
  std::string path() const { return domain_.path() + "/lock-order"; }
  /// Writes over the file from byte `at` on.
  void overwrite(std::size_t at, const std::string& with) const {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.write(with.data(), static_cast<std::streamsize>(with.size()));
  }

 private:
  kit::UniqueDomain domain_;
};

mode_t mode_of(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

// F13
TEST(LockOrderMapping, is_as_wide_as_its_domain_whatever_the_umask) {
  const mode_t before = ::umask(0077);
  {
    const Scene scene;
    EXPECT_TRUE(scene.open());
    EXPECT_EQ(mode_of(scene.path()), 0600U);
  }
  {
    const Scene scene;
    ASSERT_EQ(::chmod(scene.directory().c_str(), 0770), 0);
    EXPECT_TRUE(scene.open());
    EXPECT_EQ(mode_of(scene.path()), 0660U);
  }
  ::umask(before);
}

// F4
TEST(LockOrderMapping, is_made_once_by_many_who_come_at_once_and_seen_whole) {
  const kit::Watchdog watchdog("makers of one file");
  const Scene scene;
  auto make = [&](kit::Stage& stage) {
    for (int round = 0; round < 200; ++round) {
      stage.barrier();
      const LockOrderMapping made = scene.open().or_throw();
      stage.barrier();
      EXPECT_FALSE(made.was_removed());  // all have the one that has the name
      stage.barrier();
      ::unlink(scene.path().c_str());
    }
  };
  kit::run_sides({{"a", make}, {"b", make}, {"c", make}, {"d", make}});
  EXPECT_THAT(kit::names_in(scene.directory()), IsEmpty());
}

// F8
TEST(LockOrderMapping, takes_away_what_makers_who_were_killed_have_left) {
  const Scene scene;
  std::ofstream(scene.directory() + "/.lock-order." + Token::random().hex());
  std::ofstream(scene.directory() + "/.lock-order.mine");
  EXPECT_TRUE(scene.open());
  EXPECT_THAT(kit::names_in(scene.directory()), ElementsAre(".lock-order.mine", "lock-order"));
}

// F22
TEST(LockOrderMapping, of_a_file_that_is_none_is_corrupt_by_its_path) {
  const Scene scene;
  ASSERT_TRUE(scene.open());
  scene.overwrite(0, "garbage!");
  const auto refused = scene.open();
  ASSERT_TRUE(refused.failed_with(Errc::corrupt));
  EXPECT_THAT(refused.error().message(), AllOf(HasSubstr(scene.path()), HasSubstr("tenon locks --forget")));
}

// F19
TEST(LockOrderMapping, of_a_file_of_another_size_is_corrupt_and_never_a_signal) {
  const Scene scene;
  ASSERT_TRUE(scene.open());
  ASSERT_EQ(::truncate(scene.path().c_str(), 4096), 0);
  EXPECT_TRUE(scene.open().failed_with(Errc::corrupt));
  ASSERT_EQ(::truncate(scene.path().c_str(), sizeof(LockOrderFile)), 0);
  EXPECT_TRUE(scene.open());
  scene.overwrite(offsetof(LockOrderHeader, orders), std::string(4, '\x7f'));
  EXPECT_TRUE(scene.open().failed_with(Errc::corrupt));
}

// F27
TEST(LockOrderMapping, of_another_layout_is_told_with_both_versions) {
  const Scene scene;
  ASSERT_TRUE(scene.open());
  scene.overwrite(offsetof(LockOrderHeader, layout_version), std::string("\x02\0\0\0", 4));
  const auto refused = scene.open();
  ASSERT_TRUE(refused.failed_with(Errc::version_mismatch));
  EXPECT_THAT(refused.error().message(), HasSubstr("it has layout 2, and this library knows 1"));
}

// F12
TEST(LockOrderMapping, of_another_user_is_refused_naming_the_user) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's file";
  }
  const Scene scene;
  ASSERT_TRUE(scene.open());
  ASSERT_EQ(::chown(scene.path().c_str(), 54321, 54321), 0);
  const auto refused = scene.open();
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("it belongs to uid 54321"));
}

// F75
TEST(LockOrderMapping, follows_no_symlink_and_waits_at_no_fifo) {
  const kit::Watchdog watchdog("what stands at the name");
  const Scene scene;
  const std::string elsewhere = scene.directory() + "/elsewhere";
  std::ofstream{elsewhere};
  std::filesystem::create_symlink(elsewhere, scene.path());
  EXPECT_TRUE(scene.open().failed_with(Errc::permission_denied));
  std::filesystem::remove(scene.path());
  ASSERT_EQ(::mkfifo(scene.path().c_str(), 0600), 0);
  EXPECT_TRUE(scene.open().failed_with(Errc::wrong_kind));
}

}  // namespace

#include <tenon/os/exact_mode.hpp>

#include <tenon/os/domain.hpp>

#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using tenon::create_file;
using tenon::Errc;
using tenon::Fd;
using tenon::Permissions;
using tenon::set_exact_mode;

Fd open_file(const std::string& path, int flags) {
  return tenon::fd_from(::open(path.c_str(), flags | O_CLOEXEC, 0600), "open").or_throw();
}

mode_t mode_of(const Fd& fd) {
  struct stat status{};
  EXPECT_EQ(::fstat(fd.raw(), &status), 0);
  return status.st_mode & 07777;
}

// The umask belongs to the whole process, so a child changes its own.
void under_umask(mode_t mask, const std::function<void()>& body) {
  kit::ReportedChild child("child", [&] {
    ::umask(mask);
    body();
    EXPECT_EQ(::umask(mask), mask) << "the process's umask was changed";
  });
  EXPECT_TRUE(child.finish(tenon::never));
}

// F13
TEST(CreateFile, has_exactly_the_mode_asked_for_whatever_the_umask) {
  const kit::UniqueDirectory directory;
  const Fd inside = open_file(directory.path(), O_RDONLY | O_DIRECTORY);
  for (const mode_t mask : {0000U, 0022U, 0077U, 0777U}) {
    under_umask(mask, [&] {
      for (const std::uint32_t mode : {0000U, 0400U, 0600U, 0660U, 0644U, 0777U}) {
        const Fd file = create_file(inside.view(), "file", Permissions(mode)).or_throw();
        EXPECT_EQ(mode_of(file), mode) << "umask " << mask;
        EXPECT_EQ(::write(file.raw(), "x", 1), 1);
        ::unlinkat(inside.raw(), "file", 0);
      }
    });
  }
}

// F36
TEST(CreateFile, is_close_on_exec) {
  const kit::UniqueDirectory directory;
  const Fd inside = open_file(directory.path(), O_RDONLY | O_DIRECTORY);
  const Fd file = create_file(inside.view(), "file", tenon::owner_only).or_throw();
  EXPECT_EQ(::fcntl(file.raw(), F_GETFD), FD_CLOEXEC);
  ::unlinkat(inside.raw(), "file", 0);
}

TEST(CreateFile, takes_no_name_that_anything_has_even_a_symlink_to_nowhere) {
  const kit::UniqueDirectory directory;
  const Fd inside = open_file(directory.path(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::symlinkat("nowhere", inside.raw(), "link"), 0);
  ASSERT_EQ(::mkdirat(inside.raw(), "directory", 0700), 0);
  for (const auto* name : {"link", "directory"}) {
    const auto refused = create_file(inside.view(), name, tenon::owner_only);
    ASSERT_TRUE(refused.failed_with(Errc::already_exists)) << name;
    EXPECT_EQ(refused.error().object(), name);
  }
  ::unlinkat(inside.raw(), "link", 0);
  ::unlinkat(inside.raw(), "directory", AT_REMOVEDIR);
}

// F4
TEST(CreateFile, of_two_who_create_at_once_exactly_one_wins) {
  const kit::UniqueDirectory directory;
  const Fd inside = open_file(directory.path(), O_RDONLY | O_DIRECTORY);
  for (int round = 0; round < 50; ++round) {
    std::vector<tenon::Child> creators;
    for (int i = 0; i < 2; ++i) {
      creators.push_back(tenon::spawn([&] {
                           const auto made = create_file(inside.view(), "file", tenon::owner_only);
                           return made ? 1 : made.failed_with(Errc::already_exists) ? 0 : 100;
                         }).or_throw());
    }
    int winners = 0;
    for (tenon::Child& creator : creators) {
      winners += creator.wait(tenon::never).or_throw().code();
    }
    ASSERT_EQ(winners, 1);
    ::unlinkat(inside.raw(), "file", 0);
  }
}

// F13
TEST(SetExactMode, works_on_files_directories_and_descriptors_that_only_name_them) {
  const kit::UniqueDirectory directory;
  const std::string file = directory / "file";
  const std::string folder = directory / "folder";
  const std::string fifo = directory / "fifo";
  {
    const Fd made = open_file(file, O_CREAT | O_EXCL | O_WRONLY);
  }
  ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const auto& path : {file, folder, fifo}) {
    const Fd named = open_file(path, O_PATH | O_NOFOLLOW);
    for (const std::uint32_t mode : {0751U, 0600U, 0000U, 0700U}) {
      EXPECT_TRUE(set_exact_mode(named.view(), Permissions(mode)));
      EXPECT_EQ(mode_of(named), mode) << path;
    }
  }
  const Fd opened = open_file(folder, O_RDONLY | O_DIRECTORY);
  EXPECT_TRUE(set_exact_mode(opened.view(), Permissions(0711)));
  EXPECT_EQ(mode_of(opened), 0711U);
  ::unlink(file.c_str());
  ::rmdir(folder.c_str());
  ::unlink(fifo.c_str());
}

// F13
TEST(SetExactMode, set_id_and_sticky_bits_do_not_stay) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "file";
  const Fd file = open_file(path, O_CREAT | O_EXCL | O_RDWR);
  ASSERT_EQ(::fchmod(file.raw(), 07755), 0);
  EXPECT_TRUE(set_exact_mode(file.view(), Permissions(0755)));
  EXPECT_EQ(mode_of(file), 0755U);
  ::unlink(path.c_str());
}

TEST(SetExactMode, what_is_not_open_is_an_error) { EXPECT_FALSE(set_exact_mode(tenon::FdView(-1), tenon::owner_only)); }

}  // namespace

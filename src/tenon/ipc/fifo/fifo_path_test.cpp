// What may stand at its path, and whose it may be.
#include <tenon/ipc/fifo/fifo.hpp>

#include <kit/named_path.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::HasSubstr;

constexpr uid_t stranger = 54323;

void expect_refused(const std::string& path, const std::string& why) {
  for (const auto& opened :
       {Fifo::open(path).transform([](const Fifo&) {}), Fifo::open_or_create(path).transform([](const Fifo&) {})}) {
    ASSERT_TRUE(opened.failed_with(Errc::permission_denied)) << path;
    EXPECT_THAT(opened.error().message(), HasSubstr(why));
    EXPECT_THAT(opened.error().message(), HasSubstr(path));
  }
}

TEST(Fifo, refuses_names_before_any_system_call) {  // F1 F2
  const kit::UniqueDirectory directory;
  const std::string with_nul = directory / std::string("a\0b", 3);
  for (const std::string& path : {std::string(), std::string("/"), directory.path() + "/", directory / "..", with_nul,
                                  directory / std::string(256, 'x'), "/" + std::string(5000, 'x')}) {
    EXPECT_TRUE(Fifo::create(path).failed_with(Errc::invalid_name)) << path;
    EXPECT_TRUE(Fifo::open(path).failed_with(Errc::invalid_name)) << path;
    EXPECT_TRUE(Fifo::open_or_create(path).failed_with(Errc::invalid_name)) << path;
    EXPECT_TRUE(Fifo::unlink(path).failed_with(Errc::invalid_name)) << path;
  }
  const kit::NamedPath longest(directory / std::string(255, 'x'));
  EXPECT_TRUE(Fifo::create(longest.path));
  EXPECT_TRUE(Fifo::create(directory / "none", Permissions(0)).failed_with(Errc::invalid_argument));
}

TEST(Fifo, refuses_what_is_no_fifo_and_says_what_it_is) {  // F75
  const kit::UniqueDirectory directory;
  const kit::NamedPath fifo(directory / "fifo");
  ASSERT_TRUE(Fifo::create(fifo.path));
  const kit::NamedPath symlink(directory / "symlink");
  ASSERT_EQ(::symlink(fifo.path.c_str(), symlink.path.c_str()), 0);
  expect_refused(symlink.path, "it is a symlink, not a FIFO");
  const kit::NamedPath file(directory / "file");
  ::close(::open(file.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  expect_refused(file.path, "it is a regular file");
  ASSERT_EQ(::mkdir((directory / "directory").c_str(), 0700), 0);
  expect_refused(directory / "directory", "it is a directory");
  ::rmdir((directory / "directory").c_str());
  const kit::NamedPath socket(directory / "socket");
  ASSERT_EQ(::mknod(socket.path.c_str(), S_IFSOCK | 0600, 0), 0);
  expect_refused(socket.path, "it is a socket");
  expect_refused("/dev/null", "it is a device");
}

TEST(Fifo, refuses_one_with_a_second_hard_link) {  // F75
  const kit::UniqueDirectory directory;
  const kit::NamedPath fifo(directory / "fifo");
  ASSERT_TRUE(Fifo::create(fifo.path));
  {
    const kit::NamedPath other(directory / "other");
    ASSERT_EQ(::link(fifo.path.c_str(), other.path.c_str()), 0);
    expect_refused(fifo.path, "a hard link");
    expect_refused(other.path, "a hard link");
  }
  EXPECT_TRUE(Fifo::open(fifo.path));
}

TEST(Fifo, of_another_user_in_a_sticky_directory_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's FIFO";
  }
  const kit::UniqueDirectory directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 01777), 0);
  const kit::NamedPath name(directory / "fifo");
  ASSERT_TRUE(Fifo::create(name.path, Permissions(0666)));
  ASSERT_EQ(::chown(name.path.c_str(), stranger, stranger), 0);
  expect_refused(name.path, "it belongs to uid 54323, not to uid 0");
  EXPECT_TRUE(Fifo::open(name.path, stranger)) << "whoever expects that owner may";
  kit::ReportedChild child("third user", [&] {
    ASSERT_EQ(::setresuid(stranger + 1, stranger + 1, stranger + 1), 0);
    expect_refused(name.path, "it belongs to uid 54323, not to uid 54324");
    EXPECT_TRUE(Fifo::unlink(name.path).failed_with(Errc::permission_denied));
  });
  (void)child.finish(never);
  EXPECT_EQ(::access(name.path.c_str(), F_OK), 0);
}

TEST(Fifo, unlinks_fifos_alone) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath file(directory / "file");
  ::close(::open(file.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const kit::NamedPath symlink(directory / "symlink");
  ASSERT_EQ(::symlink("nowhere", symlink.path.c_str()), 0);
  EXPECT_TRUE(Fifo::unlink(file.path).failed_with(Errc::wrong_kind));
  EXPECT_TRUE(Fifo::unlink(symlink.path).failed_with(Errc::wrong_kind));
  EXPECT_TRUE(Fifo::unlink(directory.path()).failed_with(Errc::wrong_kind));
  EXPECT_TRUE(Fifo::unlink(directory / "nothing").failed_with(Errc::not_found));
  EXPECT_TRUE(Fifo::create(directory / "fifo"));
  EXPECT_TRUE(Fifo::unlink(directory / "fifo"));
  EXPECT_TRUE(Fifo::unlink(directory / "fifo").failed_with(Errc::not_found));
  EXPECT_EQ(kit::names_in(directory.path()).size(), 2U);
}

}  // namespace

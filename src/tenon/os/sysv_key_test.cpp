#include <tenon/os/sysv_key.hpp>

#include <kit/unique.hpp>

#include <fcntl.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ipc.h>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::HasSubstr;

TEST(SysvKey, is_a_number_of_ones_own_and_never_ipc_private_by_mistake) {
  EXPECT_EQ(SysvKey::number(1234).or_throw().value(), 1234);
  EXPECT_EQ(SysvKey::number(-1).or_throw().text(), "0xffffffff");
  const auto zero = SysvKey::number(0);
  ASSERT_TRUE(zero.failed_with(Errc::invalid_argument));
  EXPECT_THAT(zero.error().message(), HasSubstr("IPC_PRIVATE"));
  EXPECT_TRUE(SysvKey::unshared().is_unshared());
  EXPECT_EQ(SysvKey::unshared().text(), "private");
}

TEST(SysvKey, is_read_as_people_write_it_and_shown_as_ipcs_shows_it) {
  EXPECT_EQ(SysvKey::parse("1234").or_throw(), SysvKey::parse("0x4d2").or_throw());
  EXPECT_EQ(SysvKey::parse("0X4D2").or_throw().text(), "0x000004d2");
  EXPECT_EQ(SysvKey::parse("0xffffffff").or_throw().value(), -1);
  for (const char* text : {"", "0", "0x", "x", "12a", "-3", " 1", "4294967296", "0x100000000"}) {
    EXPECT_TRUE(SysvKey::parse(text).failed_with(Errc::invalid_argument)) << text;
  }
}

TEST(SysvKey, of_a_file_is_the_one_that_ftok_gives) {
  const kit::UniqueDirectory directory;
  EXPECT_EQ(SysvKey::of_file(directory.path(), 'A').or_throw().value(), ::ftok(directory.path().c_str(), 'A'));
  EXPECT_NE(SysvKey::of_file(directory.path(), 'A').or_throw(), SysvKey::of_file(directory.path(), 'B').or_throw());
  EXPECT_TRUE(SysvKey::of_file(directory / "missing", 'A').failed_with(Errc::not_found));
  EXPECT_TRUE(SysvKey::of_file("", 'A').failed_with(Errc::invalid_name));
  for (const int project : {0, -1, 256, 0x141}) {  // the last is 'A' to ftok(3)
    EXPECT_TRUE(SysvKey::of_file(directory.path(), project).failed_with(Errc::invalid_argument)) << project;
  }
}

// 8 bits of the device and 16 of the inode: another name of the file has the same key, and so may another file.
TEST(SysvKey, of_two_files_may_be_the_same) {
  const kit::UniqueDirectory directory;
  const std::string one = directory / "one";
  ::close(::open(one.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  std::filesystem::create_hard_link(one, directory / "other");
  EXPECT_EQ(SysvKey::of_file(one, 1).or_throw(), SysvKey::of_file(directory / "other", 1).or_throw());
  std::filesystem::remove(one);
  std::filesystem::remove(directory / "other");
}

}  // namespace

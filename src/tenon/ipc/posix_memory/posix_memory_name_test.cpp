// What may stand at its name, and whose it may be.
#include <tenon/ipc/posix_memory/posix_memory.hpp>

#include <kit/named_path.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <cerrno>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::HasSubstr;

constexpr std::size_t page = 4096;
constexpr uid_t stranger = 54323;

void expect_refused(const std::string& name, const std::string& why) {
  for (const auto& opened : {PosixMemory::open(name, Access::read).transform([](const PosixMemory&) {}),
                             PosixMemory::open(name, Access::read_write).transform([](const PosixMemory&) {}),
                             PosixMemory::open_or_create(name, page).transform([](const PosixMemory&) {})}) {
    ASSERT_TRUE(opened.failed_with(Errc::permission_denied)) << name;
    EXPECT_THAT(opened.error().message(), HasSubstr(why));
    EXPECT_THAT(opened.error().message(), HasSubstr(name));
  }
}

TEST(PosixMemory, refuses_names_before_any_system_call) {  // F1 F2
  const std::string with_nul("a\0b", 3);
  for (const std::string& name : {std::string(), std::string("/"), std::string("a/b"), std::string("//a"),
                                  std::string(".."), std::string("/."), with_nul, std::string(256, 'x')}) {
    EXPECT_TRUE(PosixMemory::create(name, page).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(PosixMemory::open(name, Access::read).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(PosixMemory::open_or_create(name, page).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(PosixMemory::unlink(name).failed_with(Errc::invalid_name)) << name;
  }
  const std::string longest = kit::unique_name(std::string(255 - 17, 'x'));
  const kit::NamedPath removed("/dev/shm/" + longest);
  EXPECT_TRUE(PosixMemory::create(longest, page));
}

TEST(PosixMemory, refuses_what_is_no_memory_and_says_what_it_is) {
  const kit::Watchdog watchdog("opening what was planted");
  const kit::SharedName memory;
  ASSERT_TRUE(PosixMemory::create(memory.name, page));
  {
    const kit::SharedName symlink;
    ASSERT_EQ(::symlink(memory.path.c_str(), symlink.path.c_str()), 0);
    expect_refused(symlink.name, "it is a symlink, not memory");
    EXPECT_TRUE(PosixMemory::create(symlink.name, page).failed_with(Errc::already_exists));
    EXPECT_TRUE(PosixMemory::unlink(symlink.name).failed_with(Errc::wrong_kind));
    const kit::SharedName fifo;
    ASSERT_EQ(::mkfifo(fifo.path.c_str(), 0600), 0);
    expect_refused(fifo.name, "it is a FIFO");
    EXPECT_TRUE(PosixMemory::unlink(fifo.name).failed_with(Errc::wrong_kind));
    const kit::SharedName socket;
    ASSERT_EQ(::mknod(socket.path.c_str(), S_IFSOCK | 0600, 0), 0);
    expect_refused(socket.name, "it is a socket");
    const kit::SharedName place;
    ASSERT_EQ(::mkdir(place.path.c_str(), 0700), 0);
    expect_refused(place.name, "it is a directory");
    ::rmdir(place.path.c_str());
  }
  const kit::SharedName other;
  ASSERT_EQ(::link(memory.path.c_str(), other.path.c_str()), 0);
  expect_refused(memory.name, "a hard link");
}

TEST(PosixMemory, of_another_user_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's memory";
  }
  const kit::SharedName named;
  ASSERT_TRUE(PosixMemory::create(named.name, page, Permissions(0666)));
  ASSERT_EQ(::chown(named.path.c_str(), stranger, stranger), 0);
  expect_refused(named.name, "it belongs to uid 54323, not to uid 0");
  EXPECT_TRUE(PosixMemory::open(named.name, Access::read, stranger)) << "whoever expects that owner may";
  ASSERT_EQ(::chmod(named.path.c_str(), 0600), 0);
  kit::ReportedChild child("third user", [&] {
    ASSERT_EQ(::setresuid(stranger + 1, stranger + 1, stranger + 1), 0);
    expect_refused(named.name, "it belongs to uid 54323, not to uid 54324");
    const auto removed = PosixMemory::unlink(named.name);
    ASSERT_TRUE(removed.failed_with(Errc::permission_denied));
    EXPECT_THAT(removed.error().message(), HasSubstr("it belongs to uid 54323"));
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_TRUE(named.exists());
}

TEST(PosixMemory, opened_for_reading_cannot_be_reopened_for_writing_by_another_user) {  // F26
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become another user";
  }
  const kit::SharedName named;
  ASSERT_TRUE(PosixMemory::create(named.name, page, Permissions(0644)));
  kit::ReportedChild child("stranger", [&] {
    ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    const PosixMemory memory = PosixMemory::open(named.name, Access::read, 0).or_throw();
    EXPECT_TRUE(memory.map(Access::read));
    const std::string link = "/proc/self/fd/" + std::to_string(memory.fd().raw());
    EXPECT_EQ(::open(link.c_str(), O_RDWR | O_CLOEXEC), -1);
    EXPECT_EQ(errno, EACCES);
    EXPECT_TRUE(PosixMemory::open(named.name, Access::read_write, 0).failed_with(Errc::permission_denied));
    EXPECT_EQ(::truncate(named.path.c_str(), 0), -1);
  });
  EXPECT_TRUE(child.finish(never));
}

}  // namespace

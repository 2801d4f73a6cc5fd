#include <tenon/inspect/leftovers/domain_leftovers.hpp>
#include <tenon/inspect/patterns/lock_orders.hpp>
#include <tenon/inspect/patterns/queue_messages.hpp>
#include <tenon/inspect/patterns/regular_file.hpp>
#include <tenon/inspect/patterns/topic_messages.hpp>
#include <tenon/inspect/snapshot.hpp>
#include <tenon/os/token.hpp>

#include <kit/unique.hpp>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::HasSubstr;

/// FIFOs, and word of whoever opens one, be it for a moment. inotify(7)
class WatchedFifos {
 public:
  void plant(const std::string& path) {
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0) << path;
    ASSERT_NE(::inotify_add_watch(watch_.raw(), path.c_str(), IN_OPEN), -1) << path;
  }
  bool was_one_opened() const {
    std::array<char, 4096> events{};
    return ::read(watch_.raw(), events.data(), events.size()) > 0;
  }

 private:
  Fd watch_ = fd_from(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC), "inotify_init1").or_throw();
};

// A reader that comes for a moment lets a writer go on who waits for one, and then kills it with SIGPIPE.
TEST(RegularFile, fifos_that_were_planted_in_a_domain_are_opened_by_nobody_who_looks) {
  kit::UniqueDomain domain;
  WatchedFifos fifos;
  const std::string ends = "." + Token::random().hex() + "." + Token::random().hex();
  for (const char* const folder : {"/topic.pose", "/service.adder"}) {
    ASSERT_TRUE(std::filesystem::create_directory(domain.path() + folder));
  }
  for (const std::string& name :
       {std::string("/queue.jobs"), std::string("/board.prices"), std::string("/stream.w.frames"),
        std::string("/stream.r.frames"), std::string("/channel.0123"), std::string("/lock-order"),
        "/topic.pose/pub" + ends, "/topic.pose/sub" + ends, "/service.adder/server" + ends}) {
    fifos.plant(domain.path() + name);
  }
  const auto all = inspect::snapshot({.directories = {}, .domains = {{domain.path()}}});
  EXPECT_THAT(all.unseen, testing::Contains(HasSubstr("queue.jobs: ")));
  EXPECT_TRUE(inspect::domain_leftovers(domain.path()));
  EXPECT_FALSE(inspect::lock_orders(domain.path()));
  EXPECT_TRUE(inspect::waiting_messages(domain.path(), "jobs", 1, 1).failed_with(Errc::wrong_kind));
  EXPECT_TRUE(inspect::newest_messages(domain.path(), "pose", 1, 1).failed_with(Errc::wrong_kind));
  EXPECT_FALSE(fifos.was_one_opened());
  std::filesystem::remove_all(domain.path());
}

TEST(RegularFile, links_directories_and_nothing_are_refused_by_name) {
  const kit::UniqueDirectory directory;
  const Fd opened = fd_from(::open(directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open").or_throw();
  std::ofstream(directory / "file") << "word";
  ASSERT_EQ(::symlink("file", (directory / "link").c_str()), 0);
  ASSERT_EQ(::mkdir((directory / "folder").c_str(), 0700), 0);
  std::array<char, 8> room{};
  EXPECT_EQ(::read(inspect::open_regular(opened.view(), "file").or_throw().raw(), room.data(), room.size()), 4);
  EXPECT_TRUE(inspect::open_regular(opened.view(), "link").failed_with(Errc::wrong_kind));
  EXPECT_TRUE(inspect::open_regular(opened.view(), "folder").failed_with(Errc::wrong_kind));
  EXPECT_TRUE(inspect::open_regular(opened.view(), "none").failed_with(Errc::not_found));
  for (const char* const name : {"file", "link", "folder"}) {
    std::filesystem::remove(directory / name);
  }
}

// The kernel asks for it back with SIGIO, and would wait for up to 45 seconds. fcntl(2)
TEST(RegularFile, one_that_somebody_has_a_lease_on_is_waited_for_by_nobody_who_looks) {
  kit::UniqueDomain domain;
  const std::string path = domain.path() + "/queue.jobs";
  std::ofstream(path) << "word";
  const Fd leased = fd_from(::open(path.c_str(), O_RDWR | O_CLOEXEC), "open").or_throw();
  const auto before = std::signal(SIGIO, SIG_IGN);
  if (::fcntl(leased.raw(), F_SETLEASE, F_WRLCK) == -1) {
    GTEST_SKIP() << "this file system grants no leases";
  }
  const Fd opened = fd_from(::open(domain.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open").or_throw();
  const auto file = inspect::open_regular(opened.view(), "queue.jobs");
  ASSERT_TRUE(file.failed_with(Errc::would_block));
  EXPECT_THAT(file.error().message(), HasSubstr("somebody has a lease on it"));
  const auto all = inspect::snapshot({.directories = {}, .domains = {{domain.path()}}});
  EXPECT_THAT(all.unseen, testing::Contains(HasSubstr("somebody has a lease on it")));
  EXPECT_EQ(::fcntl(leased.raw(), F_SETLEASE, F_UNLCK), 0);
  std::signal(SIGIO, before);
  std::filesystem::remove(path);
}

}  // namespace

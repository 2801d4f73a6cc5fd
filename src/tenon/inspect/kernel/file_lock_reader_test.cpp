/// Locks on files, as a snapshot shows them.
#include <tenon/inspect/kernel/scene.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <tenon/os/fd.hpp>
#include <tenon/os/process.hpp>

#include <kit/asleep.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace {

using namespace tenon;
using inspect::Edge;
using inspect::FileLock;
using inspect::Kind;
using inspect::Object;
using inspect::Snapshot;
using inspect::Wait;
using testing::ElementsAre;
using testing::IsEmpty;

Snapshot locks() { return inspect::snapshot({.kinds = {Kind::file_lock}, .directories = {}}); }

std::vector<std::size_t> places_of(const Snapshot& all, const std::string& path) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < all.objects.size(); ++i) {
    if (all.objects[i].name == path) {
      places.push_back(i);
    }
  }
  return places;
}

std::vector<pid_t> owners(const Snapshot& all, std::size_t place) {
  std::vector<pid_t> pids;
  for (const Edge& edge : all.edges_of(place)) {
    EXPECT_EQ(edge.relation, inspect::Relation::owns);
    pids.push_back(edge.pid);
  }
  return pids;
}

Fd opened(const std::string& path) {
  return fd_from(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640), "open").or_throw();
}

int lock_bytes(const Fd& file, int command, short type, off_t first, off_t count) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = first;
  lock.l_len = count;
  return ::fcntl(file.raw(), command, &lock);
}

class InspectFileLock : public testing::Test {
 protected:
  ~InspectFileLock() override { ::unlink(path_.c_str()); }
  kit::Watchdog watchdog_{"a lock is waited for"};
  kit::UniqueDirectory directory_;
  std::string path_ = directory_ / "locked";
};

TEST_F(InspectFileLock, of_posix_shows_its_range_and_whose_it_is) {
  const Fd file = opened(path_);
  ASSERT_EQ(lock_bytes(file, F_SETLK, F_WRLCK, 5, 10), 0);
  const Snapshot all = locks();
  const auto places = places_of(all, path_);
  ASSERT_EQ(places.size(), 1U);
  const Object& lock = all.objects[places.front()];
  EXPECT_EQ(lock.state, "posix, write, bytes 5 to 14");
  EXPECT_EQ(lock.lock, (FileLock{.family = FileLock::Family::posix, .writes = true, .first = 5, .last = 14}));
  EXPECT_EQ(lock.mode, mode_t{0640});
  EXPECT_THAT(owners(all, places.front()), ElementsAre(::getpid()));
}

TEST_F(InspectFileLock, of_flock_belongs_to_all_who_have_the_description) {
  const Fd file = opened(path_);
  ASSERT_EQ(::flock(file.raw(), LOCK_EX), 0);
  Child heir = spawn([] { return ::pause(); }).or_throw();
  Snapshot all = locks();
  ASSERT_EQ(places_of(all, path_).size(), 1U);
  EXPECT_EQ(all.objects[places_of(all, path_).front()].state, "flock, write");
  EXPECT_THAT(owners(all, places_of(all, path_).front()), testing::UnorderedElementsAre(::getpid(), heir.pid()));
  EXPECT_TRUE(heir.signal(SIGKILL));
  EXPECT_TRUE(heir.wait(never));
  all = locks();
  EXPECT_THAT(owners(all, places_of(all, path_).front()), ElementsAre(::getpid()));
}

TEST_F(InspectFileLock, of_flock_is_not_of_who_has_the_file_open_for_itself) {
  const Fd file = opened(path_);
  const Fd own = opened(path_);
  kit::run_sides({{"other",
                   [&](kit::Stage& stage) {
                     const Fd theirs = opened(path_);
                     ASSERT_EQ(::flock(theirs.raw(), LOCK_EX), 0);
                     stage.signal("locked");
                     stage.await("looked");
                   }},
                  {"looker", [&](kit::Stage& stage) {
                     stage.await("locked");
                     const Snapshot all = locks();
                     ASSERT_EQ(places_of(all, path_).size(), 1U);
                     const auto pids = owners(all, places_of(all, path_).front());
                     ASSERT_EQ(pids.size(), 1U);
                     EXPECT_NE(pids.front(), ::getpid());
                     stage.signal("looked");
                   }}});
}

TEST_F(InspectFileLock, that_several_share_is_one_with_all_of_them) {
  kit::run_sides({{"other",
                   [&](kit::Stage& stage) {
                     const Fd file = opened(path_);
                     ASSERT_EQ(lock_bytes(file, F_SETLK, F_RDLCK, 0, 0), 0);
                     stage.signal("locked");
                     stage.await("looked");
                   }},
                  {"looker", [&](kit::Stage& stage) {
                     stage.await("locked");
                     const Fd file = opened(path_);
                     ASSERT_EQ(lock_bytes(file, F_SETLK, F_RDLCK, 0, 0), 0);
                     const Snapshot all = locks();
                     ASSERT_EQ(places_of(all, path_).size(), 1U);
                     EXPECT_EQ(all.objects[places_of(all, path_).front()].state, "posix, read");
                     EXPECT_EQ(owners(all, places_of(all, path_).front()).size(), 2U);
                     stage.signal("looked");
                   }}});
}

TEST_F(InspectFileLock, of_a_description_is_told_from_one_of_a_process) {
  const Fd file = opened(path_);
  ASSERT_EQ(lock_bytes(file, F_OFD_SETLK, F_WRLCK, 0, 1), 0);
  ASSERT_EQ(lock_bytes(file, F_SETLK, F_WRLCK, 8, 0), 0);
  const Snapshot all = locks();
  std::vector<std::string> states;
  for (const std::size_t place : places_of(all, path_)) {
    states.push_back(all.objects[place].state);
    EXPECT_THAT(owners(all, place), ElementsAre(::getpid()));
  }
  EXPECT_THAT(states, testing::UnorderedElementsAre("ofd, write, bytes 0 to 0", "posix, write, bytes 8 and on"));
}

TEST_F(InspectFileLock, shows_who_waits_for_it) {
  const Fd file = opened(path_);
  ASSERT_EQ(lock_bytes(file, F_SETLK, F_WRLCK, 0, 0), 0);
  Child waiter = spawn([&] {
                   const Fd own = opened(path_);
                   return lock_bytes(own, F_SETLKW, F_WRLCK, 3, 1);
                 }).or_throw();
  kit::until_asleep(waiter.pid());
  const Snapshot all = locks();
  const auto places = places_of(all, path_);
  ASSERT_EQ(places.size(), 1U) << "who waits has no lock";
  EXPECT_EQ(all.objects[places.front()].figure("waiting"), 1U);
  const auto wait = std::ranges::find(all.waits, waiter.pid(), &Wait::pid);
  ASSERT_NE(wait, all.waits.end());
  EXPECT_EQ(wait->call, "fcntl");
  EXPECT_EQ(wait->need, inspect::Need::lock);
  EXPECT_THAT(wait->objects, ElementsAre(places.front()));
  EXPECT_TRUE(waiter.signal(SIGKILL));
  EXPECT_TRUE(waiter.wait(never));
}

TEST_F(InspectFileLock, that_was_given_back_is_gone) {
  const Fd file = opened(path_);
  ASSERT_EQ(::flock(file.raw(), LOCK_SH), 0);
  EXPECT_EQ(places_of(locks(), path_).size(), 1U);
  ASSERT_EQ(::flock(file.raw(), LOCK_UN), 0);
  EXPECT_THAT(places_of(locks(), path_), IsEmpty());
}

TEST(InspectLockLines, are_parsed_with_what_they_say) {
  const auto held = inspect::parse_lock_line("1: POSIX  ADVISORY  WRITE 812 fe:10:4711 5 14");
  ASSERT_TRUE(held);
  EXPECT_FALSE(held->blocked);
  EXPECT_EQ(held->pid, 812);
  EXPECT_EQ(held->file, (inspect::FileId{.device = makedev(0xfe, 0x10), .inode = 4711}));
  EXPECT_EQ(held->lock, (FileLock{.family = FileLock::Family::posix, .writes = true, .first = 5, .last = 14}));
  const auto blocked = inspect::parse_lock_line("17:  -> OFDLCK ADVISORY  READ  -1 00:2f:3 0 EOF");
  ASSERT_TRUE(blocked);
  EXPECT_TRUE(blocked->blocked);
  EXPECT_EQ(blocked->pid, -1);
  EXPECT_EQ(blocked->lock, (FileLock{.family = FileLock::Family::ofd, .writes = false, .first = 0, .last = {}}));
}

TEST(InspectLockLines, that_are_none_are_left_out) {
  for (const char* const line :
       {"", "1:", "1: ->", "1: ACCESS ADVISORY READ 1 0:0:1 0 EOF", "1: POSIX ADVISORY WRITE x fe:00:1 0 EOF",
        "1: POSIX ADVISORY WRITE 1 fe:00 0 EOF", "1: POSIX ADVISORY WRITE 1 fe:00:1 x EOF", "1: POSIX ADVISORY"}) {
    EXPECT_FALSE(inspect::parse_lock_line(line)) << line;
  }
}

}  // namespace

#include <tenon/os/life_roster.hpp>

#include <kit/leak_check.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <tenon/os/life.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using tenon::Errc;
using tenon::Life;
using tenon::Roster;
using tenon::Standing;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto patience = 20s;

/// All of the user's inotify instances, held for as long as this lives. In a user namespace of its own the limit is
/// its own as well, and a low one is quickly used up.
class NoInstances {
 public:
  NoInstances() {
    for (int raw = ::inotify_init1(IN_CLOEXEC); raw != -1; raw = ::inotify_init1(IN_CLOEXEC)) {
      held_.push_back(tenon::Fd::adopt(raw));
    }
  }

 private:
  std::vector<tenon::Fd> held_;
};

// The next change, which must be about `life`.
Standing next_of(Roster& roster, tenon::Token token) {
  const auto changes = roster.wait(tenon::after(patience)).or_throw();
  EXPECT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes.front().who.token, token);
  return changes.front().now;
}

tenon::Child member_that_waits(const tenon::Domain& domain) {
  return tenon::spawn([&] {
           const Life life = Life::join(domain).or_throw();
           ::pause();
           return 0;
         })
      .or_throw();
}

// Whatever the Roster is told by, it must tell the same.
void tell_of_a_join_a_leave_and_a_death(Roster& roster, const tenon::Domain& domain) {
  Life life = Life::join(domain).or_throw();
  const tenon::Token token = life.token();
  EXPECT_EQ(next_of(roster, token), Standing::alive);
  EXPECT_THAT(roster.members(), SizeIs(1));
  EXPECT_THAT(roster.changes().or_throw(), IsEmpty());
  std::move(life).leave().or_throw();
  EXPECT_EQ(next_of(roster, token), Standing::left);
  EXPECT_THAT(roster.members(), IsEmpty());

  auto child = member_that_waits(domain);
  const auto joined = roster.wait(tenon::after(patience)).or_throw();
  ASSERT_THAT(joined, SizeIs(1));
  EXPECT_EQ(joined.front().who.pid, child.pid());
  child.signal(SIGKILL).or_throw();
  EXPECT_EQ(next_of(roster, joined.front().who.token), Standing::died);
  child.wait(tenon::never).or_throw();
  (void)tenon::sweep(domain).or_throw();
  EXPECT_TRUE(roster.wait(tenon::after(150ms)).failed_with(Errc::timed_out));  // the sweep is no second death
}

TEST(Roster, tells_of_a_join_a_leave_and_a_death) {
  const kit::LeakCheck check;
  const kit::UniqueDomain scene;
  Roster roster = Roster::open(scene.domain()).or_throw();
  tell_of_a_join_a_leave_and_a_death(roster, scene.domain());
}

TEST(Roster, begins_with_those_who_are_alive) {
  const kit::UniqueDomain scene;
  const Life life = Life::join(scene.domain()).or_throw();
  Roster roster = Roster::open(scene.domain()).or_throw();
  ASSERT_THAT(roster.members(), SizeIs(1));
  EXPECT_EQ(roster.members().front(), life.who());
  EXPECT_THAT(roster.changes().or_throw(), IsEmpty());
}

TEST(Roster, looks_by_itself_and_says_so_where_there_are_no_inotify_instances) {
  const auto limit = tenon::procfs::number("/proc/sys/fs/inotify/max_user_instances").or_throw();
  if (limit > 900) {
    GTEST_SKIP() << "fs.inotify.max_user_instances is " << limit << ": more than the descriptors to use them up";
  }
  const kit::UniqueDomain scene;
  // In a process of its own, so that the instances come back whatever happens.
  kit::run_sides({{"poor", [&](kit::Stage&) {
                     const NoInstances none;
                     Roster roster = Roster::open(scene.domain()).or_throw();
                     ASSERT_NE(roster.notice(), nullptr);
                     EXPECT_THAT(roster.notice()->message(), HasSubstr("fs.inotify.max_user_instances"));
                     tell_of_a_join_a_leave_and_a_death(roster, scene.domain());
                   }}});
}

TEST(Roster, looks_by_itself_where_there_is_no_proc) {
  kit::in_private_namespaces([] {
    kit::UniqueDirectory directory;
    const auto domain = tenon::Domain::open(directory / "domain").or_throw();
    ASSERT_EQ(::mount("none", "/proc", "tmpfs", 0, nullptr), 0);
    {
      Roster roster = Roster::open(domain).or_throw();
      ASSERT_NE(roster.notice(), nullptr);
      EXPECT_THAT(roster.notice()->message(), HasSubstr("no /proc"));
      tell_of_a_join_a_leave_and_a_death(roster, domain);
      const Life life = Life::join(domain).or_throw();
      EXPECT_EQ(life.who().pid_namespace, 0U);
      EXPECT_EQ(standing_of(domain, life.token()).or_throw(), Standing::alive);  // found among its own descriptors
      EXPECT_TRUE(life.confirm());
    }
    ::umount2("/proc", MNT_DETACH);
    std::filesystem::remove(directory / "domain");
  });
}

TEST(Roster, is_told_a_watched_members_death_though_a_child_keeps_the_file_open) {
  const kit::UniqueDomain scene;
  Roster roster = Roster::open(scene.domain()).or_throw();
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  auto member = tenon::spawn([&] {
                  const Life life = Life::join(scene.domain()).or_throw();
                  // Past the handlers that fork() runs.
                  if (::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr) == 0) {
                    ::close(ends[1]);
                    char end = 0;
                    (void)!::read(ends[0], &end, 1);
                    ::_exit(0);
                  }
                  ::pause();
                  return 0;
                }).or_throw();
  const auto joined = roster.wait(tenon::after(patience)).or_throw();
  roster.watch(joined.front().who.token).or_throw();
  member.signal(SIGKILL).or_throw();
  EXPECT_EQ(next_of(roster, joined.front().who.token), Standing::died);
  ::close(ends[1]);
  ::close(ends[0]);
  member.wait(tenon::never).or_throw();
  (void)tenon::sweep(scene.domain()).or_throw();
}

TEST(Roster, looks_again_when_the_kernel_has_dropped_events) {
  const kit::UniqueDomain scene;
  Roster roster = Roster::open(scene.domain()).or_throw();
  const auto most = tenon::procfs::number("/proc/sys/fs/inotify/max_queued_events").or_throw();
  if (most > 100'000) {
    GTEST_SKIP() << "fs.inotify.max_queued_events is " << most << ": filling the queue would take too long";
  }
  const std::string a = scene.path() + "/a", b = scene.path() + "/b";
  std::ofstream(a) << "x";
  for (std::uint64_t i = 0; i <= most; i += 4) {  // two events for each renaming
    ASSERT_EQ(::rename(a.c_str(), b.c_str()), 0);
    ASSERT_EQ(::rename(b.c_str(), a.c_str()), 0);
  }
  Life life = Life::join(scene.domain()).or_throw();
  EXPECT_EQ(next_of(roster, life.token()), Standing::alive);
  std::move(life).leave().or_throw();
  std::filesystem::remove(a);
}

TEST(Roster, says_that_the_domain_was_removed) {  // F11
  kit::UniqueDomain scene;
  const std::string path = scene.directory() / "inner";
  const auto inner = tenon::Domain::open(path).or_throw();
  Roster roster = Roster::open(inner).or_throw();
  std::filesystem::remove(path);
  EXPECT_TRUE(roster.wait(tenon::after(patience)).failed_with(Errc::not_found));
}

TEST(Roster, is_refused_in_a_forked_child) {  // F35
  const kit::UniqueDomain scene;
  Roster roster = Roster::open(scene.domain()).or_throw();
  kit::run_sides({{"child", [&](kit::Stage&) { EXPECT_TRUE(roster.changes().failed_with(Errc::in_child)); }}});
}

TEST(Roster, is_pollable) {
  const kit::UniqueDomain scene;
  const Life first = Life::join(scene.domain()).or_throw();
  Roster roster = Roster::open(scene.domain()).or_throw();
  EXPECT_THAT(roster.changes().or_throw(), IsEmpty());
  EXPECT_TRUE(tenon::wait_ready(roster.fd(), tenon::Ready::reading, tenon::immediately).failed_with(Errc::timed_out));
  const Life second = Life::join(scene.domain()).or_throw();
  EXPECT_TRUE(tenon::wait_ready(roster.fd(), tenon::Ready::reading, tenon::after(patience)));
}

TEST(Roster, has_no_watch_for_one_who_is_not_there) {
  const kit::UniqueDomain scene;
  Roster roster = Roster::open(scene.domain()).or_throw();
  EXPECT_TRUE(roster.watch(tenon::Token::random()).failed_with(Errc::not_found));
}

}  // namespace

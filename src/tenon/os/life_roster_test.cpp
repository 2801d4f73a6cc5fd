#include <tenon/os/life_roster.hpp>

#include <kit/leak_check.hpp>
#include <kit/main_thread.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/refused_call.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/life.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <sys/mount.h>
#include <sys/resource.h>
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

/// This process opens nothing more for as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = STDERR_FILENO + 1;  // what is closed meanwhile makes no room either
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

/// Runs `body` in a process of its own that gets no inotify instances.
void without_inotify(const std::function<void()>& body) {
  kit::run_sides({{"poor", [&](kit::Stage&) {
                     if (!kit::refuse_call(SYS_inotify_init1, EMFILE)) {
                       GTEST_SKIP() << "this kernel has no seccomp filters";
                     }
                     body();
                   }}});
}

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

// One that is known to the roster.
tenon::Child known_member(Roster& roster, const tenon::Domain& domain) {
  auto child = member_that_waits(domain);
  const auto joined = roster.wait(tenon::after(patience)).or_throw();
  EXPECT_THAT(joined, SizeIs(1));
  EXPECT_EQ(joined.front().who.pid, child.pid());
  return child;
}

void kill(tenon::Child& child) {
  child.signal(SIGKILL).or_throw();
  child.wait(tenon::never).or_throw();
}

std::string path_of(const kit::UniqueDomain& scene, const tenon::Member& who) {
  return scene.path() + "/" + tenon::LifeName{.stage = tenon::LifeStage::member, .who = who}.text();
}

// What it tells of the next so many processes.
std::map<pid_t, Standing> next_changes(Roster& roster, std::size_t awaited) {
  std::map<pid_t, Standing> told;
  while (told.size() < awaited) {
    for (const auto& change : roster.wait(tenon::after(patience)).or_throw()) {
      told.emplace(change.who.pid, change.now);
    }
  }
  return told;
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
  const kit::UniqueDomain scene;
  without_inotify([&] {
    Roster roster = Roster::open(scene.domain()).or_throw();
    ASSERT_NE(roster.notice(), nullptr);
    EXPECT_THAT(roster.notice()->message(), HasSubstr("fs.inotify.max_user_instances"));
    tell_of_a_join_a_leave_and_a_death(roster, scene.domain());
  });
}

TEST(Roster, is_told_without_the_main_thread_too) {
  kit::without_main_thread([] {
    const kit::UniqueDomain scene;
    Roster roster = Roster::open(scene.domain()).or_throw();
    EXPECT_EQ(roster.notice(), nullptr);
  });
}

TEST(Roster, keeps_its_deadline_where_a_forked_child_holds_copies_of_what_tells_it) {  // F35
  const kit::UniqueDomain scene;
  without_inotify([&] {
    Roster roster = Roster::open(scene.domain()).or_throw();
    auto member = known_member(roster, scene.domain());
    const auto copy = tenon::spawn([] { return ::pause(); }).or_throw();
    kill(member);
    EXPECT_EQ(next_changes(roster, 1).at(member.pid()), Standing::died);
    EXPECT_TRUE(roster.wait(tenon::after(150ms)).failed_with(Errc::timed_out));
    // Silent between two ticks: an end that was told would otherwise be told for ever.
    while (tenon::wait_ready(roster.fd(), tenon::Ready::reading, tenon::immediately)) {
      EXPECT_THAT(roster.changes().or_throw(), IsEmpty());
    }
    copy.signal(SIGKILL).or_throw();
    (void)tenon::sweep(scene.domain()).or_throw();
  });
}

TEST(Roster, does_not_call_alive_who_parts) {  // F11
  const kit::UniqueDomain scene;
  without_inotify([&] {
    Roster roster = Roster::open(scene.domain()).or_throw();
    auto member = known_member(roster, scene.domain());
    std::filesystem::remove(path_of(scene, roster.members().front()));
    EXPECT_EQ(next_changes(roster, 1).at(member.pid()), Standing::absent);
    kill(member);
  });
}

TEST(Roster, knows_who_is_leaving_from_who_was_removed) {  // F11
  const kit::UniqueDomain scene;
  without_inotify([&] {
    Roster roster = Roster::open(scene.domain()).or_throw();
    auto member = known_member(roster, scene.domain());
    // As if it were stopped between saying that it leaves and closing its file.
    const tenon::LifeName leaving{.stage = tenon::LifeStage::leaving, .who = roster.members().front()};
    const std::string path = path_of(scene, leaving.who);
    {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(offsetof(tenon::LifeRecord, left)) << '\x01';
    }
    std::filesystem::rename(path, scene.path() + "/" + leaving.text());
    EXPECT_EQ(next_changes(roster, 1).at(member.pid()), Standing::left);
    kill(member);
    (void)tenon::sweep(scene.domain()).or_throw();
  });
}

TEST(Roster, loses_nothing_when_it_has_no_descriptors_for_a_while) {
  const kit::UniqueDomain scene;
  without_inotify([&] {
    Roster roster = Roster::open(scene.domain()).or_throw();
    auto first = known_member(roster, scene.domain());
    const Life second = Life::join(scene.domain()).or_throw();
    kill(first);
    (void)tenon::sleep_until(tenon::after(2 * tenon::recheck_interval));  // so that it looks in the next call
    std::map<pid_t, Standing> told;
    {
      const NoDescriptors none;
      for (int failures = 0; failures < 3;) {
        const auto changes = roster.wait(tenon::after(patience));
        failures += changes.failed_with(Errc::limit_reached);
        for (const auto& change : changes ? *changes : std::vector<tenon::Change>()) {
          told.emplace(change.who.pid, change.now);
        }
      }
    }
    told.merge(next_changes(roster, 2 - told.size()));
    EXPECT_EQ(told, (std::map<pid_t, Standing>{{first.pid(), Standing::died}, {::getpid(), Standing::alive}}));
    (void)tenon::sweep(scene.domain()).or_throw();
  });
}

TEST(Roster, keeps_who_cannot_be_asked_and_asks_again) {  // F55: nothing but its death ends a life
  const kit::UniqueDomain scene;
  kit::run_sides({{"poor", [&](kit::Stage&) {
                     Roster roster = Roster::open(scene.domain()).or_throw();
                     auto member = known_member(roster, scene.domain());
                     auto dying = known_member(roster, scene.domain());
                     for (const auto& who : roster.members()) {
                       const std::ofstream opened(path_of(scene, who), std::ios::app);  // its close looks like a death
                     }
                     kill(dying);
                     {
                       const NoDescriptors none;
                       EXPECT_TRUE(roster.wait(tenon::after(150ms)).failed_with(Errc::timed_out));
                       EXPECT_THAT(roster.members(), SizeIs(2));
                     }
                     EXPECT_EQ(next_changes(roster, 1).at(dying.pid()), Standing::died);
                     EXPECT_THAT(roster.members(), SizeIs(1));
                     kill(member);
                     EXPECT_EQ(next_changes(roster, 1).at(member.pid()), Standing::died);
                     (void)tenon::sweep(scene.domain()).or_throw();
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
  auto member = known_member(roster, scene.domain());
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
  kill(member);  // its file stays: only asking tells
  EXPECT_EQ(next_changes(roster, 2),
            (std::map<pid_t, Standing>{{::getpid(), Standing::alive}, {member.pid(), Standing::died}}));
  std::move(life).leave().or_throw();
  std::filesystem::remove(a);
  (void)tenon::sweep(scene.domain()).or_throw();
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
  kit::run_sides({{"child", [&](kit::Stage&) {
                     EXPECT_TRUE(roster.changes().failed_with(Errc::in_child));
                     EXPECT_TRUE(roster.watch(tenon::Token::random()).failed_with(Errc::in_child));
                   }}});
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

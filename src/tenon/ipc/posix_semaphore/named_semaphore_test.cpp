#include <tenon/ipc/posix_semaphore/named_semaphore.hpp>

#include <kit/leak_check.hpp>
#include <kit/named_path.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/refused_call.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <array>
#include <atomic>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uid_t stranger = 54323;

struct Named : kit::SharedName {
  Named() : SharedName("sem.") {}
};

TEST(NamedSemaphore, refuses_names_before_any_system_call) {  // F1 F2
  for (const std::string& name :
       {std::string(), std::string("/"), std::string("a/b"), std::string("/a/b"), std::string(".."), std::string("/."),
        std::string("//a"), std::string("a\0b", 3), std::string(252, 'x'), "/" + std::string(252, 'x')}) {
    EXPECT_TRUE(NamedSemaphore::create(name, 0).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(NamedSemaphore::open(name).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(NamedSemaphore::open_or_create(name, 0).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(NamedSemaphore::unlink(name).failed_with(Errc::invalid_name)) << name;
  }
  const std::string stem = "/" + kit::unique_name();
  const std::string longest = stem + std::string(252 - stem.size(), 'x');
  const UnlinkOnExit guard(NamedSemaphore::unlink, longest);
  EXPECT_TRUE(NamedSemaphore::create(longest, 0)) << "251 bytes and the slash";
  EXPECT_TRUE(NamedSemaphore::open(longest.substr(1))) << "the slash may be left out";
}

TEST(NamedSemaphore, is_created_by_exactly_one_of_many_who_race) {  // F4
  constexpr int rounds = 50;
  const std::string stem = "/" + kit::unique_name("race");
  const kit::Shared<std::atomic<int>> winners;
  const kit::Shared<std::atomic<int>> makers;
  auto race = [&](kit::Stage& stage) {
    for (int round = 0; round < rounds; ++round) {
      stage.barrier();
      const auto created = NamedSemaphore::create(stem + std::to_string(round), 7);
      *winners += created ? 1 : 0;
      EXPECT_TRUE(created || created.failed_with(Errc::already_exists));
      stage.barrier();
      const auto either = NamedSemaphore::open_or_create(stem + "-either" + std::to_string(round), 7);
      *makers += either && either->created() ? 1 : 0;
      EXPECT_TRUE(either);
      EXPECT_EQ(either->value(), 7U) << "whoever lost met it half-made";
    }
  };
  kit::run_sides({{"a", race}, {"b", race}, {"c", race}, {"d", race}});
  EXPECT_EQ(*winners, rounds);
  EXPECT_EQ(*makers, rounds);
  for (int round = 0; round < rounds; ++round) {
    EXPECT_TRUE(NamedSemaphore::unlink(stem + std::to_string(round)));
    EXPECT_TRUE(NamedSemaphore::unlink(stem + "-either" + std::to_string(round)));
  }
}

TEST(NamedSemaphore, says_whether_it_was_made_or_found_with_the_count_that_it_had) {
  const Named one;
  NamedSemaphore made = NamedSemaphore::open_or_create(one.name, 1).or_throw();
  EXPECT_TRUE(made.created());
  NamedSemaphore found = NamedSemaphore::open_or_create(one.name, 5, Permissions(0666)).or_throw();
  EXPECT_FALSE(found.created());
  EXPECT_EQ(found.value(), 1U) << "a left-over count is kept, and told";
  EXPECT_EQ(kit::mode_of(one.path), 0600U);
  EXPECT_TRUE(NamedSemaphore::create(one.name, 5).failed_with(Errc::already_exists));
  EXPECT_FALSE(NamedSemaphore::open(one.name).or_throw().created());
}

TEST(NamedSemaphore, joins_processes_that_share_only_the_name_in_either_order) {
  for (const bool poster_first : {true, false}) {
    const Named one;
    kit::run_sides({{"poster",
                     [&](kit::Stage& stage) {
                       if (!poster_first) {
                         stage.await("waiter is there");
                       }
                       NamedSemaphore own = NamedSemaphore::open_or_create(one.name, 0).or_throw();
                       EXPECT_EQ(own.created(), poster_first);
                       stage.signal("poster is there");
                       own.post().or_throw();
                     }},
                    {"waiter", [&](kit::Stage& stage) {
                       if (poster_first) {
                         stage.await("poster is there");
                       }
                       NamedSemaphore own = NamedSemaphore::open_or_create(one.name, 0).or_throw();
                       stage.signal("waiter is there");
                       EXPECT_TRUE(own.wait(after(1h)));
                     }}});
  }
}

TEST(NamedSemaphore, is_the_same_as_the_c_librarys_of_that_name) {
  const Named theirs;
  sem_t* raw = ::sem_open(theirs.name.c_str(), O_CREAT | O_EXCL, 0600, 2);
  ASSERT_NE(raw, SEM_FAILED);
  NamedSemaphore opened = NamedSemaphore::open(theirs.name).or_throw();
  EXPECT_EQ(opened.value(), 2U);
  opened.post().or_throw();
  int value = 0;
  EXPECT_EQ(::sem_getvalue(raw, &value), 0);
  EXPECT_EQ(value, 3);
  ::sem_close(raw);

  const Named ours;
  NamedSemaphore made = NamedSemaphore::create(ours.name, 1).or_throw();
  sem_t* again = ::sem_open(ours.name.c_str(), 0);
  ASSERT_NE(again, SEM_FAILED);
  EXPECT_EQ(::sem_wait(again), 0);
  EXPECT_EQ(made.value(), 0U);
  ::sem_close(again);
}

TEST(NamedSemaphore, that_is_empty_is_stale) {  // F5
  const Named one;
  ::close(::open(one.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const auto opened = NamedSemaphore::open(one.name);
  ASSERT_TRUE(opened.failed_with(Errc::stale));
  EXPECT_THAT(opened.error().message(), HasSubstr("died half-way"));
  EXPECT_TRUE(NamedSemaphore::open_or_create(one.name, 0).failed_with(Errc::stale));
  EXPECT_TRUE(NamedSemaphore::unlink(one.name));
  EXPECT_TRUE(NamedSemaphore::open_or_create(one.name, 0));
}

TEST(NamedSemaphore, opens_once_its_creator_has_completed_it) {  // F5
  const Named one;
  const Fd file = fd_from(::open(one.path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), "open").or_throw();
  std::jthread creator([&] {
    const std::array<std::byte, 32> zero{};
    EXPECT_EQ(::write(file.raw(), zero.data(), zero.size()), 32);
  });
  EXPECT_TRUE(NamedSemaphore::open(one.name));
}

TEST(NamedSemaphore, refuses_what_is_no_semaphore_and_says_what_it_is) {
  const Named target;
  ASSERT_TRUE(NamedSemaphore::create(target.name, 0));
  const Named symlink;
  ASSERT_EQ(::symlink(target.path.c_str(), symlink.path.c_str()), 0);
  const auto through = NamedSemaphore::open(symlink.name);
  ASSERT_TRUE(through.failed_with(Errc::permission_denied));
  EXPECT_THAT(through.error().message(), HasSubstr("it is a symlink"));
  EXPECT_TRUE(NamedSemaphore::unlink(symlink.name).failed_with(Errc::wrong_kind));

  const Named linked;
  ASSERT_EQ(::link(target.path.c_str(), linked.path.c_str()), 0);
  const auto twice = NamedSemaphore::open(linked.name);
  ASSERT_TRUE(twice.failed_with(Errc::permission_denied));
  EXPECT_THAT(twice.error().message(), HasSubstr("a hard link"));

  const Named larger;
  const Fd file = fd_from(::open(larger.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600), "open").or_throw();
  ASSERT_EQ(::ftruncate(file.raw(), 4096), 0);
  const auto wrong = NamedSemaphore::open(larger.name);
  ASSERT_TRUE(wrong.failed_with(Errc::wrong_kind));
  EXPECT_THAT(wrong.error().message(), HasSubstr("4096 bytes, and a semaphore has 32"));

  const Named fifo;
  ASSERT_EQ(::mkfifo(fifo.path.c_str(), 0600), 0);
  EXPECT_TRUE(NamedSemaphore::open(fifo.name).failed_with(Errc::wrong_kind));
}

TEST(NamedSemaphore, of_another_user_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's semaphore";
  }
  const Named one;
  ASSERT_TRUE(NamedSemaphore::create(one.name, 0, Permissions(0666)));
  ASSERT_EQ(::chown(one.path.c_str(), stranger, stranger), 0);
  const auto refused = NamedSemaphore::open(one.name);
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("it belongs to uid 54323, not to uid 0"));
  EXPECT_TRUE(NamedSemaphore::open(one.name, stranger)) << "whoever expects that owner may";
  kit::ReportedChild child("third user", [&] {
    ASSERT_EQ(::setresuid(stranger + 1, stranger + 1, stranger + 1), 0);
    EXPECT_TRUE(NamedSemaphore::open(one.name, stranger));
    ASSERT_TRUE(NamedSemaphore::unlink(one.name).failed_with(Errc::permission_denied));
    EXPECT_THAT(NamedSemaphore::unlink(one.name).error().message(), HasSubstr("it belongs to uid 54323"));
  });
  (void)child.finish(never);
  ASSERT_EQ(::chmod(one.path.c_str(), 0600), 0);
  kit::ReportedChild shut_out("shut out", [&] {
    ASSERT_EQ(::setresuid(stranger + 1, stranger + 1, stranger + 1), 0);
    const auto denied = NamedSemaphore::open(one.name, stranger);
    ASSERT_TRUE(denied.failed_with(Errc::permission_denied));
    EXPECT_THAT(denied.error().message(), HasSubstr("it belongs to uid 54323, who lets nobody else in"));
  });
  (void)shut_out.finish(never);
}

TEST(NamedSemaphore, goes_on_after_its_name_is_removed) {
  const Named one;
  NamedSemaphore first = NamedSemaphore::create(one.name, 0).or_throw();
  NamedSemaphore second = NamedSemaphore::open(one.name).or_throw();
  EXPECT_TRUE(NamedSemaphore::unlink(one.name));
  first.post().or_throw();
  EXPECT_TRUE(second.wait(never));
  EXPECT_TRUE(NamedSemaphore::open(one.name).failed_with(Errc::not_found));
  EXPECT_TRUE(NamedSemaphore::unlink(one.name).failed_with(Errc::not_found));
}

TEST(NamedSemaphore, keeps_its_count_when_nobody_has_it_open) {
  const Named one;
  NamedSemaphore::create(one.name, 1).or_throw().post().or_throw();
  EXPECT_EQ(NamedSemaphore::open(one.name).or_throw().value(), 2U);
}

TEST(NamedSemaphore, works_in_a_forked_child) {  // F35
  const Named one;
  NamedSemaphore semaphore = NamedSemaphore::create(one.name, 0).or_throw();
  kit::ReportedChild child("child", [&] { EXPECT_TRUE(semaphore.post()); });
  EXPECT_TRUE(semaphore.wait(never));
  (void)child.finish(never);
}

TEST(NamedSemaphore, keeps_no_descriptor_that_a_program_could_inherit) {  // F36
  const Named one;
  const kit::LeakCheck check;
  const NamedSemaphore made = NamedSemaphore::create(one.name, 0).or_throw();
  const NamedSemaphore opened = NamedSemaphore::open(one.name).or_throw();
  EXPECT_THAT(check.leaked(), IsEmpty());
}

TEST(NamedSemaphore, has_its_name_only_once_it_is_whole) {  // F6 F7
  kit::in_private_namespaces([] {
    for (const long call : {SYS_write, SYS_mmap, SYS_linkat}) {
      kit::ReportedChild creator("creator", [&] {
        ASSERT_TRUE(kit::refuse_call(call, EIO));
        const auto refused = NamedSemaphore::create("/half", 1);
        ::_exit(refused ? 1 : 0);
      });
      (void)creator.finish(never);
      EXPECT_THAT(kit::names_in("/dev/shm"), IsEmpty()) << call;
    }
  });
}

TEST(NamedSemaphore, leaves_nothing_behind_where_there_is_no_space) {  // F14 F15
  kit::in_private_namespaces([] {
    ASSERT_EQ(::mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=8k,mode=1777"), 0);
    EXPECT_TRUE(NamedSemaphore::create("/one", 1));
    EXPECT_TRUE(NamedSemaphore::create("/two", 1));
    const auto refused = NamedSemaphore::create("/three", 1);
    ASSERT_TRUE(refused.failed_with(Errc::no_space));
    EXPECT_THAT(refused.error().message(), HasSubstr("/dev/shm/sem.three"));
    EXPECT_EQ(kit::names_in("/dev/shm").size(), 2U);
    EXPECT_EQ(NamedSemaphore::open("/two").or_throw().value(), 1U);
    ASSERT_EQ(::umount("/dev/shm"), 0);
  });
}

TEST(NamedSemaphore, without_dev_shm_or_proc_is_not_supported) {
  kit::in_private_namespaces([] {
    ASSERT_EQ(::mount("tmpfs", "/proc", "tmpfs", 0, "size=4k"), 0);
    const auto no_proc = NamedSemaphore::create("/one", 1);
    ASSERT_EQ(::umount("/proc"), 0);
    ASSERT_TRUE(no_proc.failed_with(Errc::not_supported));
    EXPECT_THAT(no_proc.error().message(), HasSubstr("/proc is not mounted"));
    EXPECT_THAT(kit::names_in("/dev/shm"), IsEmpty());
  });
}

TEST(NamedSemaphore, refuses_a_count_beyond_the_maximum_and_makes_nothing) {  // F48
  const Named one;
  const auto refused = NamedSemaphore::create(one.name, PosixSemaphore::most + 1);
  ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
  EXPECT_EQ(refused.error().limit()->name, "SEM_VALUE_MAX");
  EXPECT_TRUE(NamedSemaphore::open(one.name).failed_with(Errc::not_found));
}

}  // namespace

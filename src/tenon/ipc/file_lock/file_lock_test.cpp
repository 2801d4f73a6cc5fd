#include <tenon/ipc/file_lock/file_lock.hpp>

#include <kit/asleep.hpp>
#include <kit/leak_check.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/stop.hpp>

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uid_t stranger = 54323;

/// A lock file in a directory of its own.
struct Place {
  ~Place() { ::unlink(path.c_str()); }
  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  kit::UniqueDirectory directory;
  std::string path = directory / "lock";
};

FileLock handle(const Place& place) { return FileLock::open_or_create(place.path).or_throw(); }

bool is_free(const Place& place) {
  FileLock other = handle(place);
  return other.try_lock(LockMode::exclusive).has_value();
}

TEST(FileLock, is_exclusive_between_processes) {
  const Place place;
  const kit::Shared<std::atomic<int>> inside;
  const kit::Shared<std::atomic<int>> rounds;
  auto work = [&](kit::Stage& stage) {
    FileLock lock = handle(place);
    stage.barrier();
    for (int i = 0; i < 100; ++i) {
      const auto held = lock.lock(LockMode::exclusive, i % 2 == 0 ? never : after(1h)).or_throw();
      EXPECT_EQ(++*inside, 1);
      std::this_thread::yield();
      --*inside;
      ++*rounds;
    }
  };
  kit::run_sides(std::vector<kit::Side>(4, {"worker", work}));
  EXPECT_EQ(*rounds, 400);
}

TEST(FileLock, is_exclusive_between_handles_of_one_process_and_its_threads) {
  const Place place;
  FileLock first = handle(place);
  FileLock second = handle(place);
  {
    const auto held = first.try_lock(LockMode::exclusive).or_throw();
    EXPECT_TRUE(second.try_lock(LockMode::exclusive).failed_with(Errc::would_block));
    EXPECT_TRUE(second.try_lock(LockMode::shared).failed_with(Errc::would_block));
    EXPECT_TRUE(second.lock(LockMode::shared, immediately).failed_with(Errc::timed_out));
  }
  EXPECT_TRUE(second.try_lock(LockMode::exclusive));
  std::atomic<int> inside = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      FileLock own = handle(place);
      for (int i = 0; i < 50; ++i) {
        const auto held = own.lock(LockMode::exclusive, i % 2 == 0 ? never : after(1h)).or_throw();
        EXPECT_EQ(inside.fetch_add(1), 0);
        inside.fetch_sub(1);
      }
    });
  }
}

TEST(FileLock, is_shared_by_many_and_exclusive_to_one) {
  const Place place;
  FileLock first = handle(place);
  FileLock second = FileLock::open(place.path, Access::read).or_throw();
  FileLock third = handle(place);
  auto one = first.lock(LockMode::shared, never).or_throw();
  {
    const auto two = second.lock(LockMode::shared, after(1h)).or_throw();
    EXPECT_TRUE(third.try_lock(LockMode::exclusive).failed_with(Errc::would_block));
  }
  EXPECT_TRUE(std::move(one).unlock());
  EXPECT_TRUE(third.try_lock(LockMode::exclusive));
  const auto refused = second.try_lock(LockMode::exclusive);
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("an exclusive lock needs writing"));
}

TEST(FileLock, covers_the_range_that_was_asked_for) {
  const Place place;
  FileLock first = handle(place);
  FileLock second = handle(place);
  const auto held = first.try_lock(LockMode::exclusive, {.start = 100, .length = 50}).or_throw();
  EXPECT_TRUE(second.try_lock(LockMode::exclusive, {.start = 0, .length = 100}));
  EXPECT_TRUE(second.try_lock(LockMode::exclusive, {.start = 150}));
  EXPECT_TRUE(second.try_lock(LockMode::exclusive, {.start = 149, .length = 1}).failed_with(Errc::would_block));
  EXPECT_TRUE(second.try_lock(LockMode::shared).failed_with(Errc::would_block));
  EXPECT_EQ(second.holder({.start = 0, .length = 100}).or_throw(), std::nullopt);
  EXPECT_EQ(second.holder().or_throw()->range, (FileRange{.start = 100, .length = 50}));
}

TEST(FileLock, refuses_ranges_that_no_file_has) {
  const Place place;
  FileLock lock = handle(place);
  for (const FileRange range : {FileRange{.start = UINT64_MAX, .length = 1}, FileRange{.start = 1, .length = INT64_MAX},
                                FileRange{.start = 0, .length = UINT64_MAX}}) {
    EXPECT_TRUE(lock.try_lock(LockMode::shared, range).failed_with(Errc::invalid_argument));
    EXPECT_TRUE(lock.lock(LockMode::shared, range, never).failed_with(Errc::invalid_argument));
    EXPECT_TRUE(lock.holder(range).failed_with(Errc::invalid_argument));
  }
  EXPECT_TRUE(lock.try_lock(LockMode::shared, {.start = 0, .length = INT64_MAX}));
}

TEST(FileLock, is_dropped_by_the_kernel_when_its_holder_is_killed) {
  const kit::Watchdog watchdog("the lock of a killed process is to be had");
  const Place place;
  for (const Deadline deadline : {never, after(1h)}) {
    kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                         FileLock lock = handle(place);
                         const auto held = lock.lock(LockMode::exclusive, never).or_throw();
                         stage.signal("holding");
                         kit::wait_to_be_killed();
                       }}});
    sides.stage().await("holding");
    EXPECT_FALSE(is_free(place));
    sides.side("holder").kill();
    FileLock own = handle(place);
    EXPECT_TRUE(own.lock(LockMode::exclusive, deadline));
  }
}

// A child that kept the file's open description would keep its dead parent's lock, for as long as it lives.
TEST(FileLock, is_dropped_when_its_holder_is_killed_although_a_forked_child_lives_on) {
  const kit::Watchdog watchdog("the lock of a killed parent is to be had");
  const Place place;
  const kit::Shared<std::atomic<pid_t>> orphan;
  kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                       FileLock lock = handle(place);
                       const auto held = lock.lock(LockMode::exclusive, never).or_throw();
                       Child child = spawn(
                                         [] {
                                           kit::wait_to_be_killed();
                                           return 0;
                                         },
                                         WithParent::lives_on)
                                         .or_throw();
                       *orphan = child.pid();
                       stage.signal("holding");
                       kit::wait_to_be_killed();
                     }}});
  sides.stage().await("holding");
  EXPECT_FALSE(is_free(place));
  sides.side("holder").kill();
  FileLock own = handle(place);
  EXPECT_TRUE(own.lock(LockMode::exclusive, never));
  EXPECT_EQ(::kill(*orphan, 0), 0) << "the child was to live on";
  ::kill(*orphan, SIGKILL);
}

TEST(FileLock, is_refused_in_a_forked_child_which_unlocks_nothing_of_its_parents) {  // F35
  const Place place;
  FileLock lock = handle(place);
  const auto held = lock.lock(LockMode::exclusive, never).or_throw();
  kit::ReportedChild child("child", [&] {
    EXPECT_TRUE(lock.try_lock(LockMode::exclusive).failed_with(Errc::in_child));
    EXPECT_TRUE(lock.lock(LockMode::exclusive, never).failed_with(Errc::in_child));
    EXPECT_TRUE(lock.holder().failed_with(Errc::in_child));
    EXPECT_TRUE(lock.confirm().failed_with(Errc::in_child));
    auto copy = std::move(const_cast<FileLockGuard&>(held));
    EXPECT_TRUE(std::move(copy).unlock().failed_with(Errc::in_child));
    FileLock own = handle(place);
    EXPECT_TRUE(own.try_lock(LockMode::exclusive).failed_with(Errc::would_block)) << "the child unlocked it";
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_FALSE(is_free(place));
}

TEST(FileLock, names_who_holds_it) {
  const Place place;
  FileLock own = handle(place);
  EXPECT_EQ(own.holder().or_throw(), std::nullopt);
  kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                       FileLock lock = handle(place);
                       const auto held = lock.lock(LockMode::shared, never).or_throw();
                       stage.signal("holding");
                       stage.await("seen");
                     }}});
  sides.stage().await("holding");
  const auto found = own.holder().or_throw();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->mode, LockMode::shared);
  EXPECT_EQ(found->range, FileRange{});
  EXPECT_THAT(found->processes, ElementsAre(sides.side("holder").process().pid()));
  sides.stage().signal("seen");
}

// A lock of fcntl(F_SETLK) stands in the way too, and its owner's process id is the kernel's word.
TEST(FileLock, names_who_holds_a_lock_of_the_older_kind) {  // F51
  const Place place;
  FileLock own = handle(place);
  kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                       const Fd file = fd_from(::open(place.path.c_str(), O_RDWR | O_CLOEXEC), "open").or_throw();
                       struct flock lock{};
                       lock.l_type = F_WRLCK;
                       ASSERT_EQ(::fcntl(file.raw(), F_SETLK, &lock), 0);
                       stage.signal("holding");
                       kit::wait_to_be_killed();
                     }}});
  sides.stage().await("holding");
  EXPECT_TRUE(own.try_lock(LockMode::shared).failed_with(Errc::would_block));
  const auto found = own.holder().or_throw();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->mode, LockMode::exclusive);
  EXPECT_THAT(found->processes, ElementsAre(sides.side("holder").process().pid()));
  sides.side("holder").kill();
  EXPECT_TRUE(own.lock(LockMode::exclusive, never));
  EXPECT_EQ(own.holder().or_throw(), std::nullopt) << "the dead hold nothing, whoever has their process id by now";
}

TEST(FileLock, waits_go_on_after_signals_and_keep_their_first_deadline) {  // F71
  const kit::Watchdog watchdog("locking under signals");
  const Place place;
  FileLock own = handle(place);
  kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                       FileLock lock = handle(place);
                       const auto held = lock.lock(LockMode::exclusive, never).or_throw();
                       stage.signal("holding");
                       stage.await("enough");
                     }}});
  sides.stage().await("holding");
  {
    const kit::SignalStorm storm;
    const auto begin = Deadline::Clock::now();
    EXPECT_TRUE(own.lock(LockMode::exclusive, after(60ms)).failed_with(Errc::timed_out));
    EXPECT_GE(Deadline::Clock::now() - begin, 60ms);
    std::jthread other([&] {
      storm.await(500);
      sides.stage().signal("enough");
    });
    EXPECT_TRUE(own.lock(LockMode::exclusive, never));
  }
}

TEST(FileLock, is_stopped) {
  const Place place;
  FileLock own = handle(place);
  Stop stop = Stop::create().or_throw();
  stop.request();
  EXPECT_TRUE(own.lock(LockMode::exclusive, never.or_stop(stop)).failed_with(Errc::stopped));
  EXPECT_TRUE(is_free(place)) << "who is stopped locks nothing";
}

TEST(FileLock, refuses_names_before_any_system_call) {  // F1 F2
  const kit::UniqueDirectory directory;
  for (const std::string& path : {std::string(), std::string("/"), directory / "..", directory / std::string("a\0b", 3),
                                  directory / std::string(256, 'x')}) {
    EXPECT_TRUE(FileLock::create(path).failed_with(Errc::invalid_name)) << path;
    EXPECT_TRUE(FileLock::open(path).failed_with(Errc::invalid_name)) << path;
    EXPECT_TRUE(FileLock::open_or_create(path).failed_with(Errc::invalid_name)) << path;
    EXPECT_TRUE(FileLock::unlink(path).failed_with(Errc::invalid_name)) << path;
  }
  EXPECT_TRUE(FileLock::open(directory / "nothing").failed_with(Errc::not_found));
  EXPECT_TRUE(FileLock::unlink(directory / "nothing").failed_with(Errc::not_found));
}

TEST(FileLock, refuses_what_is_no_file_and_says_what_it_is) {
  const Place place;
  ASSERT_EQ(::symlink("nowhere", place.path.c_str()), 0);
  const auto refused = FileLock::open(place.path);
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("it is a symlink"));
  EXPECT_TRUE(FileLock::unlink(place.path).failed_with(Errc::wrong_kind));
  ::unlink(place.path.c_str());
  ASSERT_EQ(::mkfifo(place.path.c_str(), 0600), 0);
  EXPECT_TRUE(FileLock::open(place.path).failed_with(Errc::wrong_kind));
}

TEST(FileLock, of_another_user_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's file";
  }
  const Place place;
  ASSERT_TRUE(FileLock::create(place.path));
  ASSERT_EQ(::chown(place.path.c_str(), stranger, stranger), 0);
  const auto refused = FileLock::open(place.path);
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("it belongs to uid 54323, not to uid 0"));
  EXPECT_TRUE(FileLock::open(place.path, stranger));
}

TEST(FileLock, tells_that_its_file_was_removed_or_replaced) {  // F10 F11
  const Place place;
  FileLock lock = handle(place);
  EXPECT_TRUE(lock.confirm());
  EXPECT_TRUE(FileLock::unlink(place.path));
  EXPECT_TRUE(lock.confirm().failed_with(Errc::stale));
  const FileLock other = FileLock::create(place.path).or_throw();
  EXPECT_TRUE(lock.confirm().failed_with(Errc::stale)) << "another file stands there by now";
  EXPECT_TRUE(other.confirm());
  EXPECT_TRUE(lock.try_lock(LockMode::exclusive)) << "those who have it open go on";
}

TEST(FileLock, takes_over_a_descriptor) {
  const Place place;
  FileLock adopted =
      FileLock::adopt(fd_from(::open(place.path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), "open").or_throw())
          .or_throw();
  {
    const auto held = adopted.try_lock(LockMode::exclusive).or_throw();
    EXPECT_FALSE(is_free(place));
  }
  EXPECT_TRUE(is_free(place));
  EXPECT_TRUE(adopted.confirm());
  ASSERT_EQ(::unlink(place.path.c_str()), 0);
  EXPECT_TRUE(adopted.confirm().failed_with(Errc::stale));
}

TEST(FileLock, moves_while_its_guard_stays) {
  const Place place;
  FileLock first = handle(place);
  {
    const auto held = first.try_lock(LockMode::exclusive).or_throw();
    const FileLock moved = std::move(first);
    first = handle(place);
    EXPECT_TRUE(first.try_lock(LockMode::exclusive).failed_with(Errc::would_block));
    first = std::move(const_cast<FileLock&>(moved));
  }
  EXPECT_TRUE(is_free(place));
  EXPECT_TRUE(std::move(first).close());
}

TEST(FileLock, is_closed_on_exec_and_holds_one_descriptor) {  // F36
  const Place place;
  const kit::LeakCheck check;
  const FileLock lock = handle(place);
  EXPECT_EQ(::fcntl(lock.fd().raw(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(check.leaked().size(), 1U);
}

TEST(FileLockDeathTest, holds_one_lock_at_a_time_and_outlives_its_guard) {
  const Place place;
  EXPECT_DEATH(
      {
        FileLock lock = handle(place);
        const auto held = lock.try_lock(LockMode::exclusive).or_throw();
        (void)lock.try_lock(LockMode::shared);
      },
      "one lock at a time");
  EXPECT_DEATH(
      {
        std::optional<FileLock> lock = handle(place);
        const auto held = lock->try_lock(LockMode::exclusive).or_throw();
        lock.reset();
      },
      "outlives its handle");
}

}  // namespace

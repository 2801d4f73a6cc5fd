// Mutexes and reader-writer locks: who takes two in an order that stands against another's is refused.
#include "fixture.hpp"

#include <kit/asleep.hpp>
#include <array>
#include <atomic>
#include <new>
#include <optional>
#include <thread>
#include <unistd.h>

namespace locks {
namespace {

// F81
TEST(LockOrder, refuses_the_first_inversion_although_nobody_holds_anything_by_then) {
  const kit::Watchdog watchdog("two processes, one after the other");
  const LockScene scene;
  const kit::Shared<TwoMutexes> locks;
  in_a_process([&] {
    const MutexGuard a = locks->a.lock(never).or_throw();
    const MutexGuard b = locks->b.lock(never).or_throw();
  });
  in_a_process([&] {
    const MutexGuard b = locks->b.lock(never).or_throw();
    const auto a = locks->a.lock(never);
    ASSERT_TRUE(a.failed_with(Errc::deadlock));
    // Who holds what, taken where, in this process and in the one that is gone.
    EXPECT_THAT(a.error().message(),
                AllOf(HasSubstr("lock(\"mutex at byte 0 of memory shared with children\"): deadlock"),
                      ContainsRegex("holds mutex at byte 40 of .*taken at .*mutexes_test.cpp:[0-9]+. and wants mutex "
                                    "at byte 0 of .* at .*mutexes_test.cpp:[0-9]+; but thread [0-9]+ of pid [0-9]+ "
                                    ".* held mutex at byte 0 of .*taken at .*mutexes_test.cpp:[0-9]+. and wanted mutex "
                                    "at byte 40 of .* at .*mutexes_test.cpp:[0-9]+")));
    EXPECT_TRUE(locks->a.try_lock());  // it was refused, not taken
  });
}

// F81
TEST(LockOrder, refuses_it_while_both_hold_one_so_that_neither_waits_for_the_other) {
  const kit::Watchdog watchdog("two processes, each with one lock");
  const LockScene scene;
  const kit::Shared<TwoMutexes> locks;
  const kit::Shared<std::atomic<int>> refused;
  auto side = [&](Mutex& first, Mutex& second) {
    return [&](kit::Stage& stage) {
      MutexGuard held = first.lock(never).or_throw();
      stage.barrier();
      const auto other = second.lock(never);
      if (!other) {
        EXPECT_EQ(other.error(), Errc::deadlock) << other.error().message();
        ++*refused;
      }
    };
  };
  kit::run_sides({{"one", side(locks->a, locks->b)}, {"other", side(locks->b, locks->a)}});
  EXPECT_GE(*refused, 1);
}

// F81
TEST(LockOrder, knows_orders_that_lead_back_over_a_third_lock) {
  const kit::Watchdog watchdog("three locks");
  const LockScene scene;
  const kit::Shared<std::array<Mutex, 3>> locks;
  auto take = [&](std::size_t first, std::size_t second) {
    in_a_process([&] {
      const MutexGuard one = (*locks)[first].lock(never).or_throw();
      const MutexGuard other = (*locks)[second].lock(never).or_throw();
    });
  };
  take(0, 1);
  take(1, 2);
  take(0, 2);
  const MutexGuard last = (*locks)[2].lock(never).or_throw();
  const auto first = (*locks)[0].lock(never);
  ASSERT_TRUE(first.failed_with(Errc::deadlock));
  EXPECT_TRUE((*locks)[1].lock(never).failed_with(Errc::deadlock));
}

TEST(LockOrder, lets_all_go_on_who_keep_one_order) {
  const kit::Watchdog watchdog("two processes in one order");
  const LockScene scene;
  const kit::Shared<TwoMutexes> locks;
  auto side = [&](kit::Stage&) {
    for (int i = 0; i < 50; ++i) {
      const MutexGuard a = locks->a.lock(never).or_throw();
      const MutexGuard b = locks->b.lock(never).or_throw();
    }
  };
  kit::run_sides({{"one", side}, {"other", side}});
}

// F81
TEST(LockOrder, refuses_a_thread_what_it_holds_already) {
  const kit::Watchdog watchdog("a thread that wants what it holds");
  const LockScene scene;
  const kit::Shared<TwoMutexes> locks;
  const MutexGuard held = locks->a.lock(never).or_throw();
  const auto again = locks->a.lock(never);
  ASSERT_TRUE(again.failed_with(Errc::deadlock));
  EXPECT_THAT(again.error().message(), HasSubstr("holds it already (taken at"));
  EXPECT_TRUE(locks->a.try_lock().failed_with(Errc::would_block));  // which waits for nobody
}

TEST(LockOrder, refuses_no_acquisition_that_does_not_wait_and_knows_that_it_is_held) {
  const LockScene scene;
  const kit::Shared<TwoMutexes> locks;
  {
    const MutexGuard a = locks->a.lock(never).or_throw();
    const MutexGuard b = locks->b.lock(never).or_throw();
  }
  {
    const MutexGuard b = locks->b.lock(never).or_throw();
    EXPECT_TRUE(locks->a.try_lock());
    EXPECT_TRUE(locks->a.lock(immediately));
  }
  const MutexGuard b = locks->b.try_lock().or_throw();
  EXPECT_TRUE(locks->a.lock(never).failed_with(Errc::deadlock));
}

TEST(LockOrder, forgets_the_orders_of_a_lock_in_whose_place_another_is_made) {
  const LockScene scene;
  const kit::Shared<TwoMutexes> locks;
  {
    const MutexGuard a = locks->a.lock(never).or_throw();
    const MutexGuard b = locks->b.lock(never).or_throw();
  }
  new (&locks->b) Mutex;
  const MutexGuard b = locks->b.lock(never).or_throw();
  EXPECT_TRUE(locks->a.lock(never));
}

// F35
TEST(LockOrder, a_forked_child_holds_nothing_of_its_parents) {
  const kit::Watchdog watchdog("a child of one who holds a lock");
  const LockScene scene;
  const kit::Shared<TwoMutexes> locks;
  {
    const MutexGuard a = locks->a.lock(never).or_throw();
    const MutexGuard b = locks->b.lock(never).or_throw();
  }
  const MutexGuard b = locks->b.lock(never).or_throw();
  in_a_process([&] { EXPECT_TRUE(locks->a.lock(never)); });
}

TEST(LockOrder, of_another_domain_is_another) {
  std::optional<LockScene> scene(std::in_place);
  const kit::Shared<TwoMutexes> locks;
  {
    const MutexGuard a = locks->a.lock(never).or_throw();
    const MutexGuard b = locks->b.lock(never).or_throw();
  }
  scene.emplace();
  const MutexGuard b = locks->b.lock(never).or_throw();
  EXPECT_TRUE(locks->a.lock(never));
}

TEST(LockOrder, that_was_removed_is_begun_anew_with_what_is_held) {
  const LockScene scene;
  const kit::Shared<TwoMutexes> locks;
  const MutexGuard a = locks->a.lock(never).or_throw();
  ASSERT_EQ(::unlink((scene.domain().path() + "/lock-order").c_str()), 0);
  {
    const MutexGuard b = locks->b.lock(never).or_throw();
  }
  in_a_process([&] {
    const MutexGuard b = locks->b.lock(never).or_throw();
    EXPECT_TRUE(locks->a.lock(never).failed_with(Errc::deadlock));
  });
}

TEST(LockOrder, of_readers_is_that_of_writers) {
  const LockScene scene;
  struct Locks {
    RwLock a;
    RwLock b;
  };
  const kit::Shared<Locks> locks;
  {
    const ReadGuard a = locks->a.read(never).or_throw();
    const ReadGuard b = locks->b.read(never).or_throw();
    EXPECT_TRUE(locks->a.read(never).failed_with(Errc::deadlock));
  }
  {
    const WriteGuard b = locks->b.write(never).or_throw();
    EXPECT_TRUE(locks->a.write(never).failed_with(Errc::deadlock));
    EXPECT_TRUE(locks->a.try_write());
  }
  EXPECT_TRUE(locks->a.write(never));  // of which nothing is held any more
}

TEST(LockOrder, is_looked_at_before_a_wait_for_a_condition_lets_go_of_its_mutex) {
  const LockScene scene;
  const kit::Shared<TwoMutexes> locks;
  const kit::Shared<Condition> condition;
  MutexGuard a = locks->a.lock(never).or_throw();
  EXPECT_TRUE(condition->wait(a, immediately).failed_with(Errc::timed_out));
  EXPECT_TRUE(a.holds());
  EXPECT_TRUE(locks->a.lock(never).failed_with(Errc::deadlock));  // it is held again
  const MutexGuard b = locks->b.lock(never).or_throw();
  EXPECT_TRUE(condition->wait(a, immediately).failed_with(Errc::deadlock));
  EXPECT_TRUE(a.holds());
}

TEST(LockOrder, of_a_process_that_was_killed_stays) {
  const kit::Watchdog watchdog("a process that is killed with two locks");
  const LockScene scene;
  const kit::Shared<TwoMutexes> locks;
  kit::Sides sides({{"victim", [&](kit::Stage& stage) {
                       const MutexGuard a = locks->a.lock(never).or_throw();
                       const MutexGuard b = locks->b.lock(never).or_throw();
                       stage.signal("locked");
                       kit::wait_to_be_killed();
                     }}});
  sides.stage().await("locked");
  sides.side("victim").kill();
  sides.finish();
  const MutexGuard b = locks->b.lock(never).or_throw();
  EXPECT_TRUE(b.owner_died());
  EXPECT_TRUE(locks->a.lock(never).failed_with(Errc::deadlock));
}

TEST(LockOrder, of_memory_that_a_process_has_for_itself_is_between_its_threads) {
  const LockScene scene;
  TwoMutexes locks;
  std::jthread([&] {
    const MutexGuard a = locks.a.lock(never).or_throw();
    const MutexGuard b = locks.b.lock(never).or_throw();
  }).join();
  const MutexGuard b = locks.b.lock(never).or_throw();
  const auto a = locks.a.lock(never);
  ASSERT_TRUE(a.failed_with(Errc::deadlock));
  EXPECT_THAT(a.error().message(), ContainsRegex("mutex at 0x[0-9a-f]+ of pid [0-9]+"));
}

// F12
TEST(LockOrder, that_cannot_be_recorded_is_told_by_name_and_nothing_is_locked) {
  const LockScene scene;
  ASSERT_EQ(::symlink("/dev/null", (scene.domain().path() + "/lock-order").c_str()), 0);
  const kit::Shared<TwoMutexes> locks;
  const auto refused = locks->a.lock(never);
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("/lock-order"));
}

}  // namespace
}  // namespace locks

#include <tenon/sync/mutex.hpp>

#include <kit/asleep.hpp>
#include <kit/memory_group.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/stop.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <new>
#include <optional>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

struct Guarded {
  Mutex mutex;
  int value = 0;
  std::atomic<int> inside = 0;
};

// Locks it in a process that is killed with it.
void die_holding(const kit::Shared<Guarded>& shared) {
  kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                       const MutexGuard guard = shared->mutex.lock(never).or_throw();
                       shared->value = -1;
                       stage.signal("held");
                       stage.await("never");
                     }}});
  sides.stage().await("held");
  sides.side("holder").kill();
}

TEST(Mutex, lets_one_process_in_at_a_time) {
  constexpr int rounds = 5000;
  const kit::Shared<Guarded> shared;
  auto count = [&](kit::Stage& stage) {
    stage.barrier();
    for (int round = 0; round < rounds; ++round) {
      const MutexGuard guard = shared->mutex.lock(never).or_throw();
      EXPECT_EQ(++shared->inside, 1);
      ++shared->value;
      --shared->inside;
    }
  };
  kit::run_sides({{"a", count}, {"b", count}, {"c", count}, {"d", count}});
  EXPECT_EQ(shared->value, 4 * rounds);
}

TEST(Mutex, lets_one_thread_in_at_a_time) {
  const kit::Shared<Guarded> shared;
  auto count = [&] {
    for (int round = 0; round < 5000; ++round) {
      const MutexGuard guard = shared->mutex.lock(never).or_throw();
      ++shared->value;
    }
  };
  std::thread one(count);
  std::thread other(count);
  one.join();
  other.join();
  EXPECT_EQ(shared->value, 10000);
}

// F37
TEST(Mutex, tells_the_next_that_the_last_owner_died) {
  const kit::Watchdog watchdog("a lock after a death");
  const kit::Shared<Guarded> shared;
  die_holding(shared);
  {
    MutexGuard guard = shared->mutex.lock(never).or_throw();
    ASSERT_TRUE(guard.owner_died());
    EXPECT_EQ(shared->value, -1) << "what it wrote before it died is seen";
    shared->value = 0;
    guard.mark_consistent();
    EXPECT_FALSE(guard.owner_died());
  }
  EXPECT_FALSE(shared->mutex.lock(never).or_throw().owner_died()) << "it is told once";
}

TEST(Mutex, tells_those_who_already_wait_for_it_and_try_lock_too) {  // F37
  const kit::Watchdog watchdog("waiting while the owner dies");
  const kit::Shared<Guarded> shared;
  kit::Sides sides({{"holder",
                     [&](kit::Stage& stage) {
                       const MutexGuard guard = shared->mutex.lock(never).or_throw();
                       stage.signal("held");
                       stage.await("never");
                     }},
                    {"waiter", [&](kit::Stage& stage) {
                       stage.await("held");
                       EXPECT_TRUE(shared->mutex.try_lock().failed_with(Errc::would_block));
                       stage.signal("waiting");
                       MutexGuard guard = shared->mutex.lock(never).or_throw();
                       EXPECT_TRUE(guard.owner_died());
                       guard.mark_consistent();
                     }}});
  sides.stage().await("waiting");
  sides.side("holder").kill();
  sides.finish();
  EXPECT_FALSE(shared->mutex.try_lock().or_throw().owner_died());
  die_holding(shared);
  EXPECT_TRUE(shared->mutex.try_lock().or_throw().owner_died());
}

TEST(Mutex, tells_of_an_owner_that_its_control_group_killed) {  // F16
  constexpr std::size_t limit = std::size_t{16} << 20;
  const kit::MemoryGroup group(limit);
  if (!group.why_not().empty()) {
    GTEST_SKIP() << group.why_not();
  }
  const kit::Watchdog watchdog("a lock after a kill for lack of memory");
  const kit::Shared<Guarded> shared;
  Child owner = spawn([&] {
                  group.join();
                  const MutexGuard guard = shared->mutex.lock(never).or_throw();
                  const Mapping much = Mapping::shared_with_children(4 * limit).or_throw();
                  std::ranges::fill(much.bytes(), std::byte{1});
                  return 0;
                }).or_throw();
  EXPECT_EQ(owner.wait(never).or_throw(), ExitStatus::killed(SIGKILL));
  EXPECT_TRUE(shared->mutex.lock(never).or_throw().owner_died());
}

TEST(Mutex, that_nobody_repaired_is_not_recoverable_for_all) {  // F38
  const kit::Watchdog watchdog("a lock that is not recoverable");
  const kit::Shared<Guarded> shared;
  die_holding(shared);
  EXPECT_TRUE(shared->mutex.lock(never).or_throw().owner_died());
  EXPECT_TRUE(shared->mutex.lock(never).failed_with(Errc::not_recoverable));
  EXPECT_TRUE(shared->mutex.try_lock().failed_with(Errc::not_recoverable));
  EXPECT_TRUE(shared->mutex.try_lock().failed_with(Errc::not_recoverable)) << "having tried has locked it";
  kit::ReportedChild child("child",
                           [&] { EXPECT_TRUE(shared->mutex.lock(after(1h)).failed_with(Errc::not_recoverable)); });
  EXPECT_TRUE(child.finish(never));
}

TEST(Mutex, whose_repairer_dies_too_is_told_again) {  // F39
  const kit::Watchdog watchdog("a lock after two deaths");
  const kit::Shared<Guarded> shared;
  die_holding(shared);
  kit::Sides sides({{"repairer", [&](kit::Stage& stage) {
                       const MutexGuard guard = shared->mutex.lock(never).or_throw();
                       EXPECT_TRUE(guard.owner_died());
                       stage.signal("repairing");
                       stage.await("never");
                     }}});
  sides.stage().await("repairing");
  sides.side("repairer").kill();
  sides.finish();
  EXPECT_TRUE(shared->mutex.lock(never).or_throw().owner_died());
}

TEST(Mutex, a_waiter_that_is_killed_leaves_it_as_it_is) {  // F43
  const kit::Shared<Guarded> shared;
  std::optional<MutexGuard> guard(shared->mutex.lock(never).or_throw());
  kit::Sides sides({{"waiter", [&](kit::Stage& stage) {
                       stage.signal("waiting");
                       const MutexGuard never_got = shared->mutex.lock(never).or_throw();
                       ADD_FAILURE() << "it got it";
                     }}});
  sides.stage().await("waiting");
  sides.side("waiter").kill();
  sides.finish();
  guard.reset();
  EXPECT_FALSE(shared->mutex.lock(never).or_throw().owner_died());
}

TEST(Mutex, keeps_its_deadline_under_signals) {  // F71
  const kit::Watchdog watchdog("a lock that nobody unlocks");
  const kit::Shared<Guarded> shared;
  const MutexGuard guard = shared->mutex.lock(never).or_throw();
  std::thread other([&] {
    const kit::SignalStorm storm;
    for (const auto wait : {30ms, 120ms}) {
      const auto begin = Deadline::Clock::now();
      EXPECT_TRUE(shared->mutex.lock(after(wait)).failed_with(Errc::timed_out));
      EXPECT_GE(Deadline::Clock::now() - begin, wait);
    }
    EXPECT_TRUE(shared->mutex.lock(immediately).failed_with(Errc::timed_out));
    EXPECT_TRUE(shared->mutex.try_lock().failed_with(Errc::would_block));
  });
  other.join();
}

TEST(Mutex, waiting_is_stopped) {
  const kit::Watchdog watchdog("a stopped lock returns");
  const kit::Shared<Guarded> shared;
  Stop stop = Stop::create().or_throw();
  std::optional<MutexGuard> guard(shared->mutex.lock(never).or_throw());
  std::jthread waiter =
      kit::thread_asleep_in([&] { EXPECT_TRUE(shared->mutex.lock(never.or_stop(stop)).failed_with(Errc::stopped)); });
  stop.request();
  waiter.join();
  guard.reset();
  EXPECT_TRUE(shared->mutex.lock(never.or_stop(stop)).failed_with(Errc::stopped)) << "although it is free";
}

TEST(Mutex, works_at_another_address_in_each_process) {  // F33
  const Fd file = fd_from(::memfd_create("mutex", MFD_CLOEXEC), "memfd_create").or_throw();
  ASSERT_EQ(::ftruncate(file.raw(), 4096), 0);
  const Mapping here = Mapping::of_file(file.view(), 4096, Access::read_write).or_throw();
  auto& own = *new (here.data()) Guarded();
  std::optional<MutexGuard> guard(own.mutex.lock(never).or_throw());
  kit::ReportedChild child("child", [&] {
    const Mapping in_the_way = Mapping::shared_with_children(4096).or_throw();
    const Mapping there = Mapping::of_file(file.view(), 4096, Access::read_write).or_throw();
    EXPECT_NE(there.data(), here.data());
    auto& same = *std::launder(reinterpret_cast<Guarded*>(there.data()));
    EXPECT_TRUE(same.mutex.try_lock().failed_with(Errc::would_block));
    same.inside = 1;
    const MutexGuard own_guard = same.mutex.lock(never).or_throw();
    ++same.value;
  });
  while (own.inside == 0) {
    std::this_thread::yield();
  }
  guard.reset();
  EXPECT_TRUE(child.finish(never));
  EXPECT_EQ(own.value, 1);
}

TEST(Mutex, a_forked_childs_copy_of_the_guard_unlocks_nothing) {  // F35
  const kit::Shared<Guarded> shared;
  MutexGuard guard = shared->mutex.lock(never).or_throw();
  kit::ReportedChild child("child", [&] {
    std::move(guard).unlock();
    EXPECT_TRUE(shared->mutex.try_lock().failed_with(Errc::would_block)) << "the parent holds it";
  });
  EXPECT_TRUE(child.finish(never));
  std::thread other([&] { EXPECT_TRUE(shared->mutex.try_lock().failed_with(Errc::would_block)); });
  other.join();
  std::move(guard).unlock();
  EXPECT_TRUE(shared->mutex.try_lock());
}

TEST(Mutex, an_old_guard_leaves_alone_what_a_forked_child_has_locked_for_itself) {  // F35 F57
  const kit::Watchdog watchdog("a child with its parent's guard");
  const kit::Shared<Guarded> shared;
  std::optional<MutexGuard> guard(shared->mutex.lock(never).or_throw());
  kit::ReportedChild child("child", [&] {
    const MutexGuard own = shared->mutex.lock(never).or_throw();
    guard.reset();
    std::thread([&] { EXPECT_TRUE(shared->mutex.try_lock().failed_with(Errc::would_block)); }).join();
  });
  guard.reset();
  EXPECT_TRUE(child.finish(never));
  EXPECT_TRUE(shared->mutex.try_lock());
}

TEST(Mutex, an_ended_threads_guard_leaves_alone_what_another_thread_has_locked_since) {  // F57
  const kit::Watchdog watchdog("a guard that outlives its thread");
  const kit::Shared<Guarded> shared;
  std::optional<MutexGuard> old;
  std::thread([&] { old.emplace(shared->mutex.lock(never).or_throw()); }).join();
  MutexGuard guard = shared->mutex.lock(never).or_throw();
  guard.mark_consistent();
  old.reset();
  std::thread([&] { EXPECT_TRUE(shared->mutex.try_lock().failed_with(Errc::would_block)); }).join();
}

TEST(Mutex, is_marked_consistent_by_the_thread_that_locked_it_alone) {  // F57
  const kit::Watchdog watchdog("a mark of another thread's");
  const kit::Shared<Guarded> shared;
  die_holding(shared);
  MutexGuard guard = shared->mutex.lock(never).or_throw();
  ASSERT_TRUE(guard.owner_died());
  std::thread([&] { guard.mark_consistent(); }).join();
  EXPECT_TRUE(guard.owner_died());
  std::move(guard).unlock();
  EXPECT_TRUE(shared->mutex.lock(never).failed_with(Errc::not_recoverable));
}

// F40
TEST(Mutex, beyond_what_a_thread_may_hold_is_refused_by_name) {
  const kit::Watchdog watchdog("a thousand locks");
  const kit::Shared<std::array<Mutex, RobustList::most + 1>> many;
  std::vector<MutexGuard> held;
  for (std::size_t i = 0; i < RobustList::most; ++i) {
    held.push_back((*many)[i].lock(never).or_throw());
  }
  Mutex& last = many->back();
  const auto refused = last.lock(never);
  ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
  EXPECT_EQ(refused.error().limit()->value, RobustList::most);
  EXPECT_EQ(refused.error().limit()->wanted, RobustList::most + 1);
  EXPECT_TRUE(last.try_lock().failed_with(Errc::limit_reached));
  std::thread([&] { EXPECT_TRUE(last.lock(never)) << "it is a thread's own limit"; }).join();
  kit::ReportedChild child("child", [&] { EXPECT_TRUE(last.lock(never)) << "it holds none of its parent's"; });
  EXPECT_TRUE(child.finish(never));
  held.pop_back();
  EXPECT_TRUE(last.lock(never));
}

TEST(Mutex, held_by_a_thread_that_ends_is_told_as_a_death) {  // F42
  const kit::Watchdog watchdog("a lock after a thread's end");
  const kit::Shared<Guarded> shared;
  alignas(MutexGuard) std::array<std::byte, sizeof(MutexGuard)> forgotten;
  std::thread([&] { new (forgotten.data()) MutexGuard(shared->mutex.lock(never).or_throw()); }).join();
  MutexGuard guard = shared->mutex.lock(never).or_throw();
  EXPECT_TRUE(guard.owner_died());
  guard.mark_consistent();
}

TEST(Mutex, is_not_unlocked_by_another_thread_than_the_one_that_locked_it) {  // F57
  const kit::Watchdog watchdog("a lock that another unlocks");
  const kit::Shared<Guarded> shared;
  MutexGuard guard = shared->mutex.lock(never).or_throw();
  std::thread([&] {
    std::move(guard).unlock();
    EXPECT_TRUE(guard.holds());
    EXPECT_TRUE(shared->mutex.try_lock().failed_with(Errc::would_block));
  }).join();
  std::move(guard).unlock();
  EXPECT_FALSE(guard.holds());
  EXPECT_TRUE(shared->mutex.try_lock()) << "its owner still can";
}

TEST(Mutex, is_unlocked_once_whatever_becomes_of_the_guard) {
  const kit::Shared<Guarded> shared;
  const kit::Shared<Guarded> second;
  {
    MutexGuard guard = shared->mutex.lock(never).or_throw();
    MutexGuard moved = std::move(guard);
    EXPECT_TRUE(shared->mutex.try_lock().failed_with(Errc::would_block));
    moved = second->mutex.lock(never).or_throw();
    EXPECT_TRUE(shared->mutex.try_lock()) << "assigned over, it lets go of its own at once";
    std::move(moved).unlock();
    EXPECT_TRUE(second->mutex.try_lock());
  }
  EXPECT_TRUE(shared->mutex.try_lock());
  EXPECT_TRUE(second->mutex.try_lock());
}

}  // namespace

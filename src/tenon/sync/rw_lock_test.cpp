#include <tenon/sync/rw_lock.hpp>

#include <kit/asleep.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/stop.hpp>

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <optional>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

struct Guarded {
  RwLock lock;
  std::atomic<int> readers = 0;
  std::atomic<int> most_readers = 0;
  std::atomic<bool> over = false;
  int a = 0;
  int b = 0;
};

// Takes it in a process that is killed with it.
template <class Take>
void die_holding(const kit::Shared<Guarded>& shared, Take take) {
  kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                       const auto guard = take(shared->lock).or_throw();
                       shared->a = -1;
                       stage.signal("held");
                       stage.await("never");
                     }}});
  sides.stage().await("held");
  sides.side("holder").kill();
}
void die_writing(const kit::Shared<Guarded>& shared) {
  die_holding(shared, [](RwLock& lock) { return lock.write(never); });
}
void die_reading(const kit::Shared<Guarded>& shared) {
  die_holding(shared, [](RwLock& lock) { return lock.read(never); });
}

TEST(RwLock, lets_readers_in_together) {
  const kit::Shared<Guarded> shared;
  auto read = [&](kit::Stage& stage) {
    const ReadGuard guard = shared->lock.read(never).or_throw();
    stage.barrier();  // they meet inside
  };
  kit::run_sides({{"a", read}, {"b", read}, {"c", read}});
}

TEST(RwLock, lets_a_writer_in_alone) {
  const kit::Shared<Guarded> shared;
  auto write = [&](kit::Stage& stage) {
    stage.barrier();
    for (int round = 0; round < 1000; ++round) {
      const WriteGuard guard = shared->lock.write(never).or_throw();
      ASSERT_EQ(shared->readers, 0);
      ++shared->a;
      ++shared->b;
    }
  };
  auto read = [&](kit::Stage& stage) {
    stage.barrier();
    for (int round = 0; round < 1000; ++round) {
      const ReadGuard guard = shared->lock.read(never).or_throw();
      ++shared->readers;
      ASSERT_EQ(shared->a, shared->b);
      --shared->readers;
    }
  };
  kit::run_sides({{"writer", write}, {"second writer", write}, {"reader", read}, {"second reader", read}});
  EXPECT_EQ(shared->a, 2000);
}

TEST(RwLock, tells_at_once_that_it_is_taken) {
  const kit::Shared<Guarded> shared;
  std::optional<ReadGuard> reading(shared->lock.read(never).or_throw());
  std::thread([&] {
    EXPECT_TRUE(shared->lock.try_write().failed_with(Errc::would_block));
    EXPECT_TRUE(shared->lock.try_read());
  }).join();
  reading.reset();
  const WriteGuard writing = shared->lock.try_write().or_throw();
  std::thread([&] {
    EXPECT_TRUE(shared->lock.try_write().failed_with(Errc::would_block));
    EXPECT_TRUE(shared->lock.try_read().failed_with(Errc::would_block));
  }).join();
}

TEST(RwLock, lets_more_readers_wait_than_it_has_places_for) {
  const kit::Watchdog watchdog("the thirty-third reader");
  const kit::Shared<Guarded> shared;
  std::vector<ReadGuard> all;
  for (std::size_t i = 0; i < RwLock::most_readers; ++i) {
    all.push_back(shared->lock.read(never).or_throw());
  }
  std::thread([&] {
    EXPECT_TRUE(shared->lock.try_read().failed_with(Errc::would_block));
    EXPECT_TRUE(shared->lock.read(after(20ms)).failed_with(Errc::timed_out));
  }).join();
  std::thread one_more([&] { EXPECT_TRUE(shared->lock.read(never)); });
  all.erase(all.begin() + 7);
  one_more.join();
}

TEST(RwLock, lets_nobody_overtake_a_reader_that_waits_for_a_place) {
  const kit::Watchdog watchdog("a reader that comes after one that waits");
  const kit::Shared<Guarded> shared;
  std::vector<ReadGuard> all;
  for (std::size_t i = 0; i < RwLock::most_readers; ++i) {
    all.push_back(shared->lock.read(never).or_throw());
  }
  std::atomic<pid_t> waiter = 0;
  std::atomic<bool> looked = false;
  std::jthread waiting = kit::thread_asleep_in([&] {
    waiter = ::gettid();
    const ReadGuard guard = shared->lock.read(never).or_throw();
    while (!looked) {
      std::this_thread::yield();
    }
  });
  // Free for all, but not the one that the waiter sleeps by: it sees it with its next look.
  const auto of_waiter = static_cast<std::size_t>(waiter) - static_cast<std::size_t>(::gettid());
  std::move(all[(of_waiter + 1) % RwLock::most_readers]).unlock();
  std::thread([&] { EXPECT_TRUE(shared->lock.try_read().failed_with(Errc::would_block)); }).join();
  looked = true;
  waiting.join();
  all.clear();
  EXPECT_TRUE(shared->lock.try_write()) << "nobody waits any more";
}

TEST(RwLock, lets_a_writer_in_however_many_readers_come) {
  const kit::Watchdog watchdog("a writer among readers");
  const kit::Shared<Guarded> shared;
  // They overlap: before the one lets go, another has begun.
  auto read = [&](kit::Stage&) {
    std::optional<ReadGuard> last;
    while (!shared->over) {
      last.emplace(shared->lock.read(never).or_throw());
      std::this_thread::yield();
      last.reset();
    }
  };
  kit::Sides sides({{"a", read}, {"b", read}, {"c", read}});
  for (int round = 0; round < 20; ++round) {
    const WriteGuard guard = shared->lock.write(never).or_throw();
    ++shared->a;
  }
  shared->over = true;
  sides.finish();
}

// F56
TEST(RwLock, a_reader_that_is_killed_is_in_nobodys_way_and_nobody_is_told) {
  const kit::Watchdog watchdog("locks after a reader's death");
  const kit::Shared<Guarded> shared;
  for (int round = 0; round < 3; ++round) {
    die_reading(shared);
    EXPECT_FALSE(shared->lock.write(never).or_throw().owner_died());
    die_reading(shared);
    EXPECT_TRUE(shared->lock.read(never));
  }
  for (std::size_t i = 0; i < RwLock::most_readers + 1; ++i) {
    die_reading(shared);
  }
  EXPECT_TRUE(shared->lock.try_read());
  EXPECT_FALSE(shared->lock.try_write().or_throw().owner_died());
}

// F37
TEST(RwLock, a_writer_that_is_killed_is_told_to_readers_until_the_next_writer_has_repaired) {
  const kit::Watchdog watchdog("locks after a writer's death");
  const kit::Shared<Guarded> shared;
  die_writing(shared);
  EXPECT_TRUE(shared->lock.read(never).failed_with(Errc::owner_died));
  EXPECT_TRUE(shared->lock.try_read().failed_with(Errc::owner_died));
  {
    WriteGuard guard = shared->lock.write(never).or_throw();
    ASSERT_TRUE(guard.owner_died());
    EXPECT_EQ(shared->a, -1);
    shared->a = 0;
    guard.mark_consistent();
  }
  EXPECT_TRUE(shared->lock.read(never));
  EXPECT_FALSE(shared->lock.write(never).or_throw().owner_died());
}

TEST(RwLock, tells_those_who_already_wait_that_the_writer_died) {  // F37
  const kit::Watchdog watchdog("waiting while the writer dies");
  const kit::Shared<Guarded> shared;
  kit::Sides sides({{"writer",
                     [&](kit::Stage& stage) {
                       const WriteGuard guard = shared->lock.write(never).or_throw();
                       stage.signal("held");
                       stage.await("never");
                     }},
                    {"reader",
                     [&](kit::Stage& stage) {
                       stage.await("held");
                       stage.signal("waiting");
                       EXPECT_TRUE(shared->lock.read(never).failed_with(Errc::owner_died));
                       stage.signal("told");
                     }},
                    {"next writer", [&](kit::Stage& stage) {
                       stage.await("told");
                       WriteGuard guard = shared->lock.write(never).or_throw();
                       EXPECT_TRUE(guard.owner_died());
                       guard.mark_consistent();
                     }}});
  sides.stage().await("waiting");
  sides.side("writer").kill();
  sides.finish();
  EXPECT_TRUE(shared->lock.read(never));
}

TEST(RwLock, whose_repairer_dies_too_is_told_again) {  // F39
  const kit::Watchdog watchdog("a lock after two deaths");
  const kit::Shared<Guarded> shared;
  die_writing(shared);
  die_writing(shared);
  EXPECT_TRUE(shared->lock.write(never).or_throw().owner_died());
}

TEST(RwLock, that_nobody_repaired_is_not_recoverable_for_all) {  // F38
  const kit::Watchdog watchdog("a lock that is not recoverable");
  const kit::Shared<Guarded> shared;
  die_writing(shared);
  EXPECT_TRUE(shared->lock.write(never).or_throw().owner_died());
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(shared->lock.write(never).failed_with(Errc::not_recoverable));
    EXPECT_TRUE(shared->lock.try_write().failed_with(Errc::not_recoverable));
    EXPECT_TRUE(shared->lock.read(never).failed_with(Errc::not_recoverable));
    EXPECT_TRUE(shared->lock.try_read().failed_with(Errc::not_recoverable));
  }
}

TEST(RwLock, a_writer_that_gives_up_leaves_it_to_the_readers) {  // F54
  const kit::Watchdog watchdog("a writer that gives up");
  const kit::Shared<Guarded> shared;
  const ReadGuard reading = shared->lock.read(never).or_throw();
  std::thread([&] {
    const auto begin = Deadline::Clock::now();
    EXPECT_TRUE(shared->lock.write(after(20ms)).failed_with(Errc::timed_out));
    EXPECT_GE(Deadline::Clock::now() - begin, 20ms);
    EXPECT_TRUE(shared->lock.write(immediately).failed_with(Errc::timed_out));
    EXPECT_TRUE(shared->lock.read(immediately));
  }).join();
}

TEST(RwLock, waiting_is_stopped) {
  const kit::Watchdog watchdog("a stopped lock returns");
  const kit::Shared<Guarded> shared;
  Stop stop = Stop::create().or_throw();
  const WriteGuard writing = shared->lock.write(never).or_throw();
  std::jthread reader =
      kit::thread_asleep_in([&] { EXPECT_TRUE(shared->lock.read(never.or_stop(stop)).failed_with(Errc::stopped)); });
  std::jthread writer =
      kit::thread_asleep_in([&] { EXPECT_TRUE(shared->lock.write(never.or_stop(stop)).failed_with(Errc::stopped)); });
  stop.request();
  reader.join();
  writer.join();
}

TEST(RwLock, reading_is_stopped_although_it_is_free) {
  const kit::Shared<Guarded> shared;
  Stop stop = Stop::create().or_throw();
  EXPECT_TRUE(shared->lock.read(never.or_stop(stop)));
  stop.request();
  EXPECT_TRUE(shared->lock.read(never.or_stop(stop)).failed_with(Errc::stopped));
}

TEST(RwLock, an_old_guard_leaves_alone_what_a_forked_child_writes_under) {  // F35 F57
  const kit::Watchdog watchdog("a child with its parent's guard");
  const kit::Shared<Guarded> shared;
  std::optional<WriteGuard> guard(shared->lock.write(never).or_throw());
  kit::Sides sides(
      {{"child", [&](kit::Stage&) {
          const WriteGuard own = shared->lock.write(never).or_throw();
          guard.reset();
          std::thread([&] { EXPECT_TRUE(shared->lock.try_write().failed_with(Errc::would_block)); }).join();
        }}});
  guard.reset();
  sides.finish();
}

TEST(RwLock, is_marked_consistent_by_the_thread_that_writes_alone) {  // F57
  const kit::Watchdog watchdog("a mark of another thread's");
  const kit::Shared<Guarded> shared;
  die_writing(shared);
  WriteGuard guard = shared->lock.write(never).or_throw();
  ASSERT_TRUE(guard.owner_died());
  std::thread([&] { guard.mark_consistent(); }).join();
  EXPECT_TRUE(guard.owner_died());
}

TEST(RwLock, is_not_unlocked_by_another_thread_or_a_forked_child) {  // F35 F57
  const kit::Watchdog watchdog("a lock that another unlocks");
  const kit::Shared<Guarded> shared;
  WriteGuard writing = shared->lock.write(never).or_throw();
  auto refused = [&] {
    std::move(writing).unlock();
    EXPECT_TRUE(writing.holds());
    EXPECT_TRUE(shared->lock.try_read().failed_with(Errc::would_block));
  };
  std::thread(refused).join();
  kit::run_sides({{"child", [&](kit::Stage&) { refused(); }}});
  std::move(writing).unlock();
  EXPECT_FALSE(writing.holds());
  EXPECT_TRUE(shared->lock.read(never));
}

TEST(RwLock, writing_counts_as_the_locks_that_it_is_made_of) {  // F40
  const kit::Shared<Guarded> shared;
  const kit::Shared<std::array<Mutex, RobustList::most - RwLock::most_readers>> many;
  std::vector<MutexGuard> held;
  for (Mutex& mutex : *many) {
    held.push_back(mutex.lock(never).or_throw());
  }
  EXPECT_TRUE(shared->lock.write(never).failed_with(Errc::limit_reached));
  EXPECT_TRUE(shared->lock.read(never));
  held.pop_back();
  EXPECT_TRUE(shared->lock.write(never));
  EXPECT_TRUE(shared->lock.write(never)) << "what was given back counts no more";
}

}  // namespace

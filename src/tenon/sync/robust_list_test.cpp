#include <tenon/sync/robust_list.hpp>

#include <kit/shared.hpp>
#include <kit/watchdog.hpp>
#include <tenon/sync/mutex.hpp>

#include <array>
#include <cerrno>
#include <gtest/gtest.h>
#include <optional>
#include <pthread.h>
#include <semaphore>
#include <thread>
#include <vector>

namespace {

using namespace tenon;

std::size_t held_in(const kit::Shared<std::array<Mutex, 3>>& mutexes) {
  return RobustList::held_in(mutexes.bytes()).or_throw();
}

// F41
TEST(RobustList, tells_what_is_held_in_memory_that_is_to_be_unmapped) {
  const kit::Shared<std::array<Mutex, 3>> here;
  const kit::Shared<std::array<Mutex, 3>> elsewhere;
  const MutexGuard other = (*elsewhere)[0].lock(never).or_throw();
  EXPECT_EQ(held_in(here), 0U);
  std::optional<MutexGuard> first((*here)[0].lock(never).or_throw());
  const MutexGuard last = (*here)[2].lock(never).or_throw();
  EXPECT_EQ(held_in(here), 2U);
  first.reset();
  EXPECT_EQ(held_in(here), 1U);
  EXPECT_EQ(RobustList::held_in(Bytes(here.bytes()).first(2 * sizeof(Mutex))).or_throw(), 0U);
}

TEST(RobustList, tells_what_other_threads_hold) {  // F41
  const kit::Watchdog watchdog("another thread's lock");
  const kit::Shared<std::array<Mutex, 3>> here;
  std::binary_semaphore locked(0);
  std::binary_semaphore seen(0);
  std::thread other([&] {
    const MutexGuard guard = (*here)[1].lock(never).or_throw();
    locked.release();
    seen.acquire();
  });
  locked.acquire();
  EXPECT_EQ(held_in(here), 1U);
  seen.release();
  other.join();
  EXPECT_EQ(held_in(here), 0U);
}

// The kernel marks its link, which stands first.
TEST(RobustList, counts_a_lock_that_hands_down_priorities) {  // F40
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  ASSERT_EQ(::pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT), 0);
  pthread_mutex_t urgent;
  ASSERT_EQ(::pthread_mutex_init(&urgent, &attributes), 0);
  const kit::Shared<std::array<Mutex, RobustList::most>> many;
  std::vector<MutexGuard> held;
  for (std::size_t i = 0; i + 1 < RobustList::most; ++i) {
    held.push_back((*many)[i].lock(never).or_throw());
  }
  Mutex& last = many->back();
  // The look is taken once the count says that there is no more room, which it does not know of the urgent one's.
  held.push_back(last.lock(never).or_throw());
  const int locked = ::pthread_mutex_lock(&urgent);
  if (locked == ENOTSUP) {
    GTEST_SKIP() << "this kernel hands down no priorities";
  }
  ASSERT_EQ(locked, 0);
  EXPECT_FALSE(RobustList::has_room());
  held.pop_back();
  EXPECT_FALSE(RobustList::has_room()) << "the urgent one counts";
  held.pop_back();
  EXPECT_TRUE(RobustList::has_room());
  ::pthread_mutex_unlock(&urgent);
}

}  // namespace

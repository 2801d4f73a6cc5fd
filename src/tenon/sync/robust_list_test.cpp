#include <tenon/sync/robust_list.hpp>

#include <kit/shared.hpp>
#include <kit/watchdog.hpp>
#include <tenon/sync/mutex.hpp>

#include <array>
#include <gtest/gtest.h>
#include <optional>
#include <semaphore>
#include <thread>

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

}  // namespace

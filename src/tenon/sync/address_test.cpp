// All that lives in shared memory, mapped at one address here and at another there.
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/sync/barrier.hpp>
#include <tenon/sync/condition.hpp>
#include <tenon/sync/event.hpp>
#include <tenon/sync/once.hpp>
#include <tenon/sync/rw_lock.hpp>
#include <tenon/sync/semaphore.hpp>

#include <gtest/gtest.h>
#include <new>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace tenon;

struct Everything {
  explicit Everything(const Holder& maker) : permits(1, maker), meeting(2, maker) {}

  Mutex mutex;
  Condition changed;
  RwLock lock;
  Once once;
  Event there{Event::Reset::automatic};
  Event back{Event::Reset::manual};
  Semaphore permits;
  Barrier meeting;
  int value = 0;

  void take_part(const Holder& who) {
    BarrierMember member = meeting.join(who).or_throw();
    member.arrive_and_wait(never).or_throw();
    {
      const Permit permit = permits.acquire(who, never).or_throw();
      const WriteGuard writing = lock.write(never).or_throw();
      ++value;
    }
    (void)once.run([]() -> Result<void> { return {}; }, never).or_throw();
    MutexGuard guard = mutex.lock(never).or_throw();
    changed.notify_all();
    changed.wait_until(guard, [&] { return value >= 2; }, never).or_throw();
    std::move(guard).unlock();
    changed.notify_all();
    member.arrive_and_wait(never).or_throw();
    EXPECT_TRUE(lock.read(never));
    EXPECT_EQ(value, 2);
  }
};

TEST(Sync, works_at_another_address_in_each_process) {  // F33
  const kit::UniqueDomain domain;
  const Life life = Life::join(domain.domain()).or_throw();
  const Holder own = Holder::of(domain.domain(), life).or_throw();
  const Fd file = fd_from(::memfd_create("everything", MFD_CLOEXEC), "memfd_create").or_throw();
  ASSERT_EQ(::ftruncate(file.raw(), sizeof(Everything)), 0);
  const auto map = [&] { return Mapping::of_file(file.view(), sizeof(Everything), Access::read_write).or_throw(); };
  const Mapping here = map();
  auto& own_view = *new (here.data()) Everything(own);
  kit::Sides sides({{"there", [&](kit::Stage&) {
                       const Life other = Life::join(domain.domain()).or_throw();
                       const Mapping there = map();
                       ASSERT_NE(there.data(), here.data());
                       auto& view = *std::launder(reinterpret_cast<Everything*>(there.data()));
                       view.take_part(Holder::of(domain.domain(), other).or_throw());
                       view.there.wait(never).or_throw();
                       view.back.set();
                     }}});
  own_view.take_part(own);
  own_view.there.set();
  own_view.back.wait(never).or_throw();
  sides.finish();
}

}  // namespace

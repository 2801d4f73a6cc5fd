// Semaphores of the kernel and of shared memory, those that are used as locks and those that signal.
#include "fixture.hpp"

#include <tenon/ipc/posix_semaphore/unnamed_semaphore.hpp>
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/sync/semaphore.hpp>
#include <tenon/sync/used_as_lock.hpp>

#include <array>
#include <thread>

namespace locks {
namespace {

class TwoInASet {
 public:
  const SysvSemaphore* operator->() const noexcept { return &set_; }
  const SysvSemaphore& operator*() const noexcept { return set_; }

 private:
  SysvSemaphore set_ = SysvSemaphore::create(SysvKey::unshared(), {1, 1}).or_throw();
  RemoveOnExit guard_{SysvSemaphore::remove, set_.id()};
};

void take_and_give(const SysvSemaphore& set, std::uint16_t first, std::uint16_t second) {
  set.wait(first, Undo::at_death, never).or_throw();
  set.wait(second, Undo::at_death, never).or_throw();
  set.post(first, Undo::at_death).or_throw();
  set.post(second, Undo::at_death).or_throw();
}

// F81
TEST(LockOrder, refuses_a_system_v_semaphore_that_is_used_as_a_lock_by_its_name) {
  const kit::Watchdog watchdog("two processes and a set");
  const LockScene scene;
  const TwoInASet set;
  used_as_lock(*set, 0, "sem1").or_throw();
  used_as_lock(*set, 1, "sem2").or_throw();
  in_a_process([&] { take_and_give(*set, 0, 1); });
  in_a_process([&] {
    set->wait(1, Undo::at_death, never).or_throw();
    const auto refused = set->wait(0, Undo::at_death, never);
    ASSERT_TRUE(refused.failed_with(Errc::deadlock));
    EXPECT_THAT(refused.error().message(), AllOf(HasSubstr("lock(\"sem1\"): deadlock"),
                                                 HasSubstr("holds sem2 (taken at"), HasSubstr("held sem1 (taken at")));
    EXPECT_TRUE(set->try_wait(0, Undo::at_death));  // which waits for nobody
  });
}

TEST(LockOrder, of_signalling_semaphores_means_nothing) {
  const LockScene scene;
  const TwoInASet locks;
  used_as_lock(*locks, 0).or_throw();  // from now on this process tells of its semaphores
  const TwoInASet set;
  take_and_give(*set, 0, 1);
  take_and_give(*set, 1, 0);
}

TEST(LockOrder, what_is_taken_in_one_operation_has_no_order) {
  const LockScene scene;
  const TwoInASet set;
  used_as_lock(*set, 0).or_throw();
  used_as_lock(*set, 1).or_throw();
  const std::array take = {SemaphoreStep::take(0), SemaphoreStep::take(1)};
  const std::array give = {SemaphoreStep::give(0), SemaphoreStep::give(1)};
  const std::array other_way = {SemaphoreStep::take(1), SemaphoreStep::take(0)};
  set->operate(take, never).or_throw();
  EXPECT_TRUE(set->wait(0, Undo::no, never).failed_with(Errc::deadlock));  // both are held
  set->operate(give, never).or_throw();
  set->operate(other_way, never).or_throw();
  set->try_operate(give).or_throw();
  set->wait(0, Undo::no, never).or_throw();
  set->wait(1, Undo::no, never).or_throw();
  set->operate(give, never).or_throw();
}

TEST(LockOrder, a_permit_that_another_thread_gives_back_is_held_no_more) {
  const LockScene scene;
  const TwoInASet set;
  used_as_lock(*set, 0).or_throw();
  used_as_lock(*set, 1).or_throw();
  take_and_give(*set, 0, 1);
  set->wait(1, Undo::no, never).or_throw();
  std::jthread([&] { set->post(1, Undo::no).or_throw(); }).join();
  EXPECT_TRUE(set->wait(0, Undo::no, never));
}

TEST(LockOrder, holds_for_posix_semaphores_and_leased_permits_too) {
  const LockScene scene;
  const kit::Shared<std::array<std::byte, 2 * UnnamedSemaphore::size>> memory;
  const std::span<std::byte> bytes(*memory);
  auto first = UnnamedSemaphore::create(bytes.first(UnnamedSemaphore::size), 1, Sharing::processes).or_throw();
  used_as_lock(first, "first").or_throw();
  const Life life = Life::join(scene.domain().domain()).or_throw();
  const Holder own = Holder::of(scene.domain().domain(), life).or_throw();
  const kit::SharedBytes place(sizeof(Semaphore));
  auto* const second = new (place.data()) Semaphore(1, own);
  used_as_lock(*second, "second").or_throw();
  first.wait(never).or_throw();
  (void)second->acquire(own, never).or_throw();
  first.post().or_throw();
  Permit held = second->try_acquire(own).or_throw();
  EXPECT_TRUE(first.wait(never).failed_with(Errc::deadlock));
  std::move(held).release().or_throw();
  first.wait(never).or_throw();
  first.post().or_throw();
}

}  // namespace
}  // namespace locks

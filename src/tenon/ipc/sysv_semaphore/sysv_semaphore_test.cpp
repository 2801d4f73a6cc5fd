#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>

#include <kit/asleep.hpp>
#include <kit/patience.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/os/token.hpp>

#include <array>
#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uid_t stranger = 54323;
constexpr int no_set = -1;

/// A key that nobody else has; the set that has it at the end is removed.
struct Keyed {
  ~Keyed() { (void)SysvSemaphore::unlink(key); }
  Keyed() = default;
  Keyed(const Keyed&) = delete;
  Keyed& operator=(const Keyed&) = delete;
  SysvKey key = kit::unique_key();
};

/// A set without a key.
struct Own {
  explicit Own(const std::vector<std::uint16_t>& values)
      : set(SysvSemaphore::create(SysvKey::unshared(), values).or_throw()), guard(SysvSemaphore::remove, set.id()) {}
  SysvSemaphore set;
  RemoveOnExit guard;
};

TEST(SysvSemaphore, counts_what_is_posted_and_taken) {
  const Own own({2, 0});
  EXPECT_THAT(own.set.values().or_throw(), ElementsAre(2, 0));
  EXPECT_TRUE(own.set.wait(0, Undo::no, never));
  EXPECT_TRUE(own.set.try_wait(0, Undo::no));
  EXPECT_EQ(own.set.value(0).or_throw(), 0U);
  EXPECT_TRUE(own.set.try_wait(0, Undo::no).failed_with(Errc::would_block));
  EXPECT_TRUE(own.set.post(1, Undo::no));
  EXPECT_EQ(own.set.value(1).or_throw(), 1U);
  EXPECT_TRUE(own.set.wait(1, Undo::no, after(1h)));
  EXPECT_TRUE(own.set.set_value(1, SysvSemaphore::most));
  EXPECT_THAT(own.set.values().or_throw(), ElementsAre(0, 32767));
}

TEST(SysvSemaphore, is_created_by_exactly_one_of_many_who_race) {  // F4 F47
  constexpr int rounds = 50;
  std::vector<SysvKey> keys;
  for (int round = 0; round < rounds; ++round) {
    keys.push_back(kit::unique_key());
  }
  const kit::Shared<std::atomic<int>> makers;
  auto race = [&](kit::Stage& stage) {
    for (const SysvKey key : keys) {
      stage.barrier();
      const SysvSemaphore set = SysvSemaphore::open_or_create(key, {7, 3}).or_throw();
      *makers += set.created() ? 1 : 0;
      EXPECT_THAT(set.values().or_throw(), ElementsAre(7, 3)) << "whoever lost met it half-made";
      EXPECT_TRUE(SysvSemaphore::create(key, {7, 3}).failed_with(Errc::already_exists));
    }
  };
  kit::run_sides({{"a", race}, {"b", race}, {"c", race}, {"d", race}});
  EXPECT_EQ(*makers, rounds);
  for (const SysvKey key : keys) {
    EXPECT_TRUE(SysvSemaphore::unlink(key));
  }
}

// F47: what a creator leaves that dies between semget(2) and its first operation.
TEST(SysvSemaphore, that_is_half_made_is_stale_and_open_or_create_replaces_it) {  // F5 F6 F47
  const Keyed one;
  const int half_made = ::semget(one.key.value(), 2, IPC_CREAT | IPC_EXCL | 0600);
  ASSERT_NE(half_made, no_set);
  const auto opened = SysvSemaphore::open(one.key);
  ASSERT_TRUE(opened.failed_with(Errc::stale));
  EXPECT_THAT(opened.error().message(), HasSubstr("open_or_create replaces it"));
  EXPECT_TRUE(SysvSemaphore::create(one.key, {1}).failed_with(Errc::already_exists));
  const SysvSemaphore set = SysvSemaphore::open_or_create(one.key, {4}).or_throw();
  EXPECT_TRUE(set.created());
  EXPECT_NE(set.id(), half_made);
  EXPECT_EQ(set.value(0).or_throw(), 4U);
  EXPECT_EQ(SysvSemaphore::open(one.key).or_throw().id(), set.id());
}

TEST(SysvSemaphore, that_is_half_made_is_replaced_by_exactly_one_of_many) {  // F6 F9 F47
  const Keyed one;
  ASSERT_NE(::semget(one.key.value(), 1, IPC_CREAT | IPC_EXCL | 0600), no_set);
  const kit::Shared<std::atomic<int>> makers;
  auto finish = [&](kit::Stage& stage) {
    stage.barrier();
    const SysvSemaphore set = SysvSemaphore::open_or_create(one.key, {5}).or_throw();
    *makers += set.created() ? 1 : 0;
    stage.barrier();
    EXPECT_EQ(set.value(0).or_throw(), 5U) << "somebody took away the new one";
  };
  kit::run_sides({{"a", finish}, {"b", finish}, {"c", finish}});
  EXPECT_EQ(*makers, 1);
}

TEST(SysvSemaphore, opens_once_its_creator_has_set_the_values) {  // F47
  const Keyed one;
  const int id = ::semget(one.key.value(), 1, IPC_CREAT | IPC_EXCL | 0600);
  ASSERT_NE(id, no_set);
  std::jthread creator([id] {
    ASSERT_EQ(::semctl(id, 0, SETVAL, 3), 0);
    sembuf first{.sem_num = 0, .sem_op = -1, .sem_flg = 0};
    EXPECT_EQ(::semop(id, &first, 1), 0);
  });
  EXPECT_EQ(SysvSemaphore::open(one.key).or_throw().value(0).or_throw(), 2U);
}

TEST(SysvSemaphore, opens_what_exists_and_says_what_does_not) {
  const Keyed one;
  EXPECT_TRUE(SysvSemaphore::open(one.key).failed_with(Errc::not_found));
  EXPECT_TRUE(SysvSemaphore::unlink(one.key).failed_with(Errc::not_found));
  const SysvSemaphore made = SysvSemaphore::create(one.key, {0, 0, 0}).or_throw();
  EXPECT_TRUE(made.created());
  const SysvSemaphore opened = SysvSemaphore::open(one.key).or_throw();
  EXPECT_EQ(opened.id(), made.id());
  EXPECT_FALSE(opened.created());
  EXPECT_EQ(opened.status().or_throw().size, 3U);
  EXPECT_TRUE(SysvSemaphore::open(SysvKey::unshared()).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(SysvSemaphore::unlink(SysvKey::unshared()).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(SysvSemaphore::create(SysvKey::unshared(), {}).failed_with(Errc::invalid_argument));
}

TEST(SysvSemaphore, of_another_user_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's set";
  }
  for (const std::uint32_t mode : {0666U, 0600U}) {
    const Keyed one;
    const SysvSemaphore set = SysvSemaphore::create(one.key, {1}, Permissions(mode)).or_throw();
    kit::ReportedChild child("stranger", [&] {
      ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
      const auto refused = SysvSemaphore::open(one.key);
      ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
      EXPECT_THAT(refused.error().message(), HasSubstr("it belongs to uid 0"));
      EXPECT_EQ(SysvSemaphore::open(one.key, 0).has_value(), mode == 0666U);
      EXPECT_TRUE(SysvSemaphore::unlink(one.key).failed_with(Errc::permission_denied));
    });
    (void)child.finish(never);
    EXPECT_TRUE(set.value(0));
  }
}

TEST(SysvSemaphore, does_several_steps_at_once_or_none) {
  const Own own({1, 0, 5});
  const std::array both = {SemaphoreStep::take(0), SemaphoreStep::take(1)};
  EXPECT_TRUE(own.set.try_operate(both).failed_with(Errc::would_block));
  EXPECT_TRUE(own.set.operate(both, after(1ms)).failed_with(Errc::timed_out));
  EXPECT_THAT(own.set.values().or_throw(), ElementsAre(1, 0, 5)) << "the first step was left done";
  own.set.post(1, Undo::no).or_throw();
  EXPECT_TRUE(own.set.operate(both, never));
  EXPECT_THAT(own.set.values().or_throw(), ElementsAre(0, 0, 5));
  const std::array change = {SemaphoreStep::until_zero(0), SemaphoreStep::give(0, 3), SemaphoreStep::take(2, 5)};
  EXPECT_TRUE(own.set.try_operate(change));
  EXPECT_THAT(own.set.values().or_throw(), ElementsAre(3, 0, 0));
}

TEST(SysvSemaphore, waits_for_zero) {
  const Own own({2});
  EXPECT_TRUE(own.set.wait_for_zero(0, immediately).failed_with(Errc::timed_out));
  kit::ReportedChild waiter("waiter", [&] { EXPECT_TRUE(own.set.wait_for_zero(0, never)); });
  while (own.set.waiting_for_zero(0).or_throw() == 0) {
    std::this_thread::yield();
  }
  own.set.wait(0, Undo::no, never).or_throw();
  EXPECT_EQ(own.set.waiting_for_zero(0).or_throw(), 1U) << "1 is not 0";
  own.set.wait(0, Undo::no, never).or_throw();
  EXPECT_TRUE(waiter.finish(never));
  EXPECT_TRUE(own.set.wait_for_zero(0, never));
}

TEST(SysvSemaphore, tells_who_was_last_and_how_many_wait) {
  const Own own({0});
  kit::Sides sides({{"first", [&](kit::Stage&) { EXPECT_TRUE(own.set.wait(0, Undo::no, never)); }},
                    {"second", [&](kit::Stage&) { EXPECT_TRUE(own.set.wait(0, Undo::no, after(1h))); }}});
  while (own.set.waiting(0).or_throw() < 2) {
    std::this_thread::yield();
  }
  own.set.post(0, Undo::no).or_throw();
  own.set.post(0, Undo::no).or_throw();
  const pid_t first = sides.side("first").process().pid();
  const pid_t second = sides.side("second").process().pid();
  sides.finish();
  EXPECT_THAT(own.set.last_process(0).or_throw(), testing::AnyOf(first, second));
  EXPECT_EQ(own.set.waiting(0).or_throw(), 0U);
  own.set.post(0, Undo::no).or_throw();
  EXPECT_EQ(own.set.last_process(0).or_throw(), ::getpid());
}

// F46: with undo, the kernel gives back what a process took, however it dies; without, nobody does.
TEST(SysvSemaphore, gives_back_what_a_killed_process_took_if_it_was_to_be_undone) {  // F45 F46
  const kit::Watchdog watchdog("what a killed process had taken");
  const Own own({1, 1});
  kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                       own.set.wait(0, Undo::at_death, never).or_throw();
                       own.set.wait(1, Undo::no, never).or_throw();
                       stage.signal("holding");
                       kit::wait_to_be_killed();
                     }}});
  sides.stage().await("holding");
  EXPECT_TRUE(own.set.wait(0, Undo::at_death, after(20ms)).failed_with(Errc::timed_out));
  sides.side("holder").kill();
  EXPECT_TRUE(own.set.wait(0, Undo::at_death, never)) << "the kernel gave it back";
  EXPECT_TRUE(own.set.wait(1, Undo::no, after(20ms)).failed_with(Errc::timed_out));
}

TEST(SysvSemaphore, undoes_nothing_that_was_given_back) {  // F46
  const Own own({1});
  kit::ReportedChild child("lender", [&] {
    own.set.wait(0, Undo::at_death, never).or_throw();
    own.set.post(0, Undo::at_death).or_throw();
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_EQ(own.set.value(0).or_throw(), 1U);
}

TEST(SysvSemaphore, a_forked_child_has_nothing_to_undo) {  // F35
  const Own own({1});
  own.set.wait(0, Undo::at_death, never).or_throw();
  kit::ReportedChild child("child", [&] { EXPECT_EQ(own.set.value(0).or_throw(), 0U); });
  EXPECT_TRUE(child.finish(never));
  EXPECT_EQ(own.set.value(0).or_throw(), 0U) << "the child's end gave back what its parent took";
  own.set.post(0, Undo::at_death).or_throw();
}

TEST(SysvSemaphore, past_its_maximum_is_a_limit_reached_and_stays_as_it_was) {  // F48
  const Own own({SysvSemaphore::most});
  const auto refused = own.set.post(0, Undo::no);
  ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
  ASSERT_NE(refused.error().limit(), nullptr);
  EXPECT_EQ(refused.error().limit()->name, "SEMVMX");
  EXPECT_EQ(refused.error().limit()->value, 32767U);
  EXPECT_EQ(own.set.value(0).or_throw(), 32767U);
  EXPECT_TRUE(own.set.set_value(0, SysvSemaphore::most + 1).failed_with(Errc::limit_reached));
  EXPECT_EQ(own.set.value(0).or_throw(), 32767U);
  EXPECT_TRUE(SysvSemaphore::create(SysvKey::unshared(), {SysvSemaphore::most + 1}).failed_with(Errc::limit_reached));
}

TEST(SysvSemaphore, tells_those_who_wait_that_it_was_removed) {
  const kit::Watchdog watchdog("a wait on a removed set ends");
  const Keyed one;
  const SysvSemaphore set = SysvSemaphore::create(one.key, {0}).or_throw();
  auto wait_for_ever = [&] {
    const auto removed = set.wait(0, Undo::at_death, never);
    ASSERT_TRUE(removed.failed_with(Errc::closed));
    EXPECT_THAT(removed.error().message(), HasSubstr("the set was removed"));
  };
  auto wait_long = [&] { EXPECT_TRUE(set.wait(0, Undo::no, after(1h)).failed_with(Errc::closed)); };
  kit::ReportedChild first("first", wait_for_ever);
  kit::ReportedChild second("second", wait_long);
  while (set.waiting(0).or_throw() < 2) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(SysvSemaphore::unlink(one.key));
  EXPECT_TRUE(first.finish(never));
  EXPECT_TRUE(second.finish(never));
  for (const auto& late : {set.post(0, Undo::no), set.try_wait(0, Undo::no), set.wait(0, Undo::no, immediately),
                           set.value(0).transform([](unsigned) {}), set.set_value(0, 1),
                           set.status().transform([](const SemaphoreSetStatus&) {})}) {
    EXPECT_TRUE(late.failed_with(Errc::closed));
  }
  EXPECT_TRUE(SysvSemaphore::remove(set.id()).failed_with(Errc::not_found));
}

TEST(SysvSemaphore, refuses_semaphores_that_the_set_does_not_have) {
  const Own own({1, 1});
  for (const auto& refused :
       {own.set.post(2, Undo::no), own.set.try_wait(2, Undo::no), own.set.wait(2, Undo::no, never),
        own.set.value(2).transform([](unsigned) {}), own.set.set_value(2, 1)}) {
    ASSERT_TRUE(refused.failed_with(Errc::invalid_argument));
    EXPECT_THAT(refused.error().message(), HasSubstr("it has no such semaphore"));
  }
  EXPECT_TRUE(own.set.operate({}, never).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(own.set.try_operate({}).failed_with(Errc::invalid_argument));
}

TEST(SysvSemaphore, a_wait_without_deadline_goes_on_after_signals) {  // F71
  if (kit::sanitizer() == kit::Sanitizer::thread) {
    GTEST_SKIP() << "ThreadSanitizer keeps signals back while a thread is in a call that it does not know";
  }
  const kit::Watchdog watchdog("a wait under signals");
  const Own own({0});
  const kit::SignalStorm storm;
  std::jthread poster([&] {
    storm.await(20);
    own.set.post(0, Undo::no).or_throw();
  });
  EXPECT_TRUE(own.set.wait(0, Undo::no, never));
}

TEST(SysvSemaphore, one_that_is_stopped_takes_nothing) {
  const Own own({1});
  Stop stop = Stop::create().or_throw();
  stop.request();
  EXPECT_TRUE(own.set.wait(0, Undo::no, never.or_stop(stop)).failed_with(Errc::stopped));
  EXPECT_EQ(own.set.value(0).or_throw(), 1U);
}

TEST(SysvSemaphore, is_adopted_by_its_number) {
  const int raw = ::semget(IPC_PRIVATE, 1, 0600);
  ASSERT_NE(raw, no_set);
  const RemoveOnExit guard(SysvSemaphore::remove, raw);
  ASSERT_EQ(::semctl(raw, 0, SETVAL, 1), 0);
  const SysvSemaphore set = SysvSemaphore::adopt(raw);
  EXPECT_EQ(set.id(), raw);
  EXPECT_TRUE(set.wait(0, Undo::no, never));
  EXPECT_GT(set.status().or_throw().last_operation, 0);
}

TEST(SysvSemaphore, may_be_used_by_many_threads_at_once) {
  const Own own({1});
  std::atomic<int> inside = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        own.set.wait(0, Undo::no, i % 2 == 0 ? never : after(1h)).or_throw();
        EXPECT_EQ(inside.fetch_add(1), 0);
        inside.fetch_sub(1);
        own.set.post(0, Undo::no).or_throw();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(own.set.value(0).or_throw(), 1U);
}

}  // namespace

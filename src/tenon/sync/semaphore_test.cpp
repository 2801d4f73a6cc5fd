#include <tenon/sync/semaphore.hpp>

#include <kit/asleep.hpp>
#include <kit/descriptor_limit.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/stop.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <gtest/gtest.h>
#include <new>
#include <optional>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

/// A domain and a semaphore in it; each process that uses it joins.
class Scene {
 public:
  explicit Scene(std::uint32_t permits) : life_(Life::join(scene_.domain()).or_throw()) {
    new (memory_.data()) Semaphore(permits, own());
  }
  // Members that were killed leave their files.
  ~Scene() { scene_.directory().allow_leftovers(); }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  Semaphore& operator*() const { return *std::launder(reinterpret_cast<Semaphore*>(memory_.data())); }
  Semaphore* operator->() const { return &**this; }
  Holder own() const { return Holder::of(scene_.domain(), life_).or_throw(); }
  const Domain& domain() const { return scene_.domain(); }

  /// Runs it in a member of its own.
  std::function<void(kit::Stage&)> as_member(std::function<void(kit::Stage&, const Holder&)> body) const {
    return [this, body](kit::Stage& stage) {
      const Life life = Life::join(domain()).or_throw();
      body(stage, Holder::of(domain(), life).or_throw());
    };
  }
  /// Takes `count` permits in a process that is killed with them.
  void die_holding(int count) const {
    kit::Sides sides({{"holder", as_member([&](kit::Stage& stage, const Holder& who) {
                         std::vector<Permit> held;
                         for (int i = 0; i < count; ++i) {
                           held.push_back((*this)->acquire(who, never).or_throw());
                         }
                         stage.signal("held");
                         stage.await("never");
                       })}});
    sides.stage().await("held");
    sides.side("holder").kill();
  }

 private:
  kit::UniqueDomain scene_;
  Life life_;
  Mapping memory_ = Mapping::shared_with_children(sizeof(Semaphore)).or_throw();
};

TEST(Semaphore, gives_as_many_permits_as_it_has) {
  const Scene scene(2);
  const Holder own = scene.own();
  EXPECT_EQ(scene->permits(), 2U);
  std::optional<Permit> one(scene->acquire(own, never).or_throw());
  const Permit other = scene->try_acquire(own).or_throw();
  EXPECT_EQ(scene->available(), 0U);
  EXPECT_TRUE(scene->try_acquire(own).failed_with(Errc::would_block));
  one.reset();
  EXPECT_EQ(scene->available(), 1U);
  EXPECT_TRUE(scene->acquire(own, immediately));
}

TEST(Semaphore, never_lets_more_in_than_it_has_permits) {
  const kit::Watchdog watchdog("four processes with two permits");
  const Scene scene(2);
  const kit::Shared<std::atomic<int>> inside;
  auto enter = scene.as_member([&](kit::Stage& stage, const Holder& who) {
    stage.barrier();
    for (int round = 0; round < 500; ++round) {
      const Permit permit = scene->acquire(who, never).or_throw();
      EXPECT_LE(++*inside, 2);
      --*inside;
    }
  });
  kit::run_sides({{"a", enter}, {"b", enter}, {"c", enter}, {"d", enter}});
  EXPECT_EQ(scene->available(), 2U);
}

TEST(Semaphore, wakes_who_waits_for_a_permit) {
  const kit::Watchdog watchdog("a permit that is given back");
  const Scene scene(1);
  std::optional<Permit> held(scene->acquire(scene.own(), never).or_throw());
  kit::Sides sides({{"waiter", scene.as_member([&](kit::Stage& stage, const Holder& who) {
                       stage.signal("waiting");
                       EXPECT_TRUE(scene->acquire(who, never));
                     })}});
  sides.stage().await("waiting");
  held.reset();
  sides.finish();
}

// F45
TEST(Semaphore, a_killed_holders_permits_come_back) {
  const kit::Watchdog watchdog("permits after a death");
  const Scene scene(3);
  const Holder own = scene.own();
  const Permit kept = scene->acquire(own, never).or_throw();
  scene.die_holding(2);
  EXPECT_EQ(scene->available(), 0U);
  const Permit one = scene->acquire(own, never).or_throw();
  const Permit other = scene->try_acquire(own).or_throw();
  EXPECT_TRUE(scene->try_acquire(own).failed_with(Errc::would_block)) << "no permit was made twice";
}

TEST(Semaphore, gives_a_dead_holders_permit_to_one_who_already_waits) {  // F45
  const kit::Watchdog watchdog("a permit after a death");
  const Scene scene(1);
  kit::Sides sides({{"holder", scene.as_member([&](kit::Stage& stage, const Holder& who) {
                       const Permit permit = scene->acquire(who, never).or_throw();
                       stage.signal("held");
                       stage.await("never");
                     })},
                    {"waiter", scene.as_member([&](kit::Stage& stage, const Holder& who) {
                       stage.await("held");
                       stage.signal("waiting");
                       EXPECT_TRUE(scene->acquire(who, never));
                     })}});
  sides.stage().await("waiting");
  sides.side("holder").kill();
  sides.finish();
  EXPECT_EQ(scene->available(), 1U);
}

TEST(Semaphore, says_so_when_no_descriptor_is_left_to_ask_by_who_is_dead) {
  const kit::Watchdog watchdog("a permit whose holder cannot be asked");
  const Scene scene(1);
  kit::Sides sides({{"holder", scene.as_member([&](kit::Stage& stage, const Holder& who) {
                       const Permit permit = scene->acquire(who, never).or_throw();
                       stage.signal("held");
                       stage.await("done");
                     })}});
  sides.stage().await("held");
  {
    const kit::DescriptorLimit none(0);
    EXPECT_TRUE(scene->acquire(scene.own(), never).failed_with(Errc::limit_reached));
    EXPECT_TRUE(scene->try_acquire(scene.own()).failed_with(Errc::limit_reached));
  }
  sides.stage().signal("done");
  sides.finish();
}

TEST(Semaphore, leaves_a_holder_that_is_stopped_its_permit) {  // F55
  const kit::Watchdog watchdog("a holder that is stopped");
  const Scene scene(1);
  kit::Sides sides({{"holder", scene.as_member([&](kit::Stage& stage, const Holder& who) {
                       Permit permit = scene->acquire(who, never).or_throw();
                       stage.signal("held");
                       stage.await("go on");
                       EXPECT_TRUE(std::move(permit).release());
                     })}});
  sides.stage().await("held");
  sides.side("holder").process().signal(SIGSTOP).or_throw();
  EXPECT_TRUE(scene->acquire(scene.own(), after(120ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(scene->try_acquire(scene.own()).failed_with(Errc::would_block));
  sides.side("holder").process().signal(SIGCONT).or_throw();
  sides.stage().signal("go on");
  sides.finish();
}

TEST(Semaphore, goes_by_tokens_and_not_by_process_ids) {  // F51 F52
  const kit::Watchdog watchdog("a holder with this process's id");
  const Scene scene(1);
  const Holder own = scene.own();
  {
    // What a process with the same id, dead or of another PID namespace, would have left: another token.
    const Life earlier = Life::join(scene.domain()).or_throw();
    static const Permit* const never_given_back =
        new Permit(scene->acquire(Holder::of(scene.domain(), earlier).or_throw(), never).or_throw());
    ASSERT_NE(never_given_back, nullptr);
    EXPECT_TRUE(scene->try_acquire(own).failed_with(Errc::would_block)) << "it is alive";
  }
  EXPECT_TRUE(scene->try_acquire(own)) << "it is a member no more, although the id is alive";
}

TEST(Semaphore, tells_who_releases_that_its_permit_was_taken_back) {  // F57
  const Scene scene(1);
  Life mistaken = Life::join(scene.domain()).or_throw();
  Permit permit = scene->acquire(Holder::of(scene.domain(), mistaken).or_throw(), never).or_throw();
  std::move(mistaken).leave().or_throw();
  const Permit next = scene->try_acquire(scene.own()).or_throw();
  EXPECT_TRUE(std::move(permit).release().failed_with(Errc::not_found));
  EXPECT_EQ(scene->available(), 0U) << "the next one's is not given back by that";
}

TEST(Semaphore, a_forked_childs_copy_of_a_permit_releases_nothing) {  // F35
  const Scene scene(1);
  const Holder own = scene.own();
  Permit permit = scene->acquire(own, never).or_throw();
  kit::run_sides({{"child", [&](kit::Stage&) {
                     EXPECT_TRUE(std::move(permit).release().failed_with(Errc::in_child));
                     EXPECT_TRUE(scene->acquire(own, never).failed_with(Errc::in_child));
                   }}});
  EXPECT_EQ(scene->available(), 0U);
  EXPECT_TRUE(std::move(permit).release());
}

TEST(Semaphore, is_released_by_another_thread_than_the_one_that_acquired) {
  const Scene scene(1);
  Permit permit = scene->acquire(scene.own(), never).or_throw();
  std::thread([&] { EXPECT_TRUE(std::move(permit).release()); }).join();
  EXPECT_TRUE(std::move(permit).release().failed_with(Errc::not_found));
  EXPECT_EQ(scene->available(), 1U);
}

TEST(Semaphore, refuses_members_of_another_domain) {
  const Scene scene(1);
  const kit::UniqueDomain elsewhere;
  const Life life = Life::join(elsewhere.domain()).or_throw();
  const Holder stranger = Holder::of(elsewhere.domain(), life).or_throw();
  EXPECT_TRUE(scene->acquire(stranger, never).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(scene->try_acquire(stranger).failed_with(Errc::invalid_argument));
}

TEST(Semaphore, refuses_one_who_has_left_the_domain) {  // F57
  const Scene scene(1);
  std::optional<Life> life(Life::join(scene.domain()).or_throw());
  const Holder former = Holder::of(scene.domain(), *life).or_throw();
  EXPECT_TRUE(scene->acquire(former, never));
  std::optional<Life> moved(std::move(*life));
  life.reset();
  EXPECT_TRUE(scene->acquire(former, never)) << "it is a member still";
  moved.reset();
  EXPECT_TRUE(scene->acquire(former, never).failed_with(Errc::not_found));
  EXPECT_TRUE(scene->try_acquire(former).failed_with(Errc::not_found));
}

TEST(Semaphore, keeps_its_deadline_and_is_stopped) {  // F54
  const kit::Watchdog watchdog("a permit that does not come");
  const Scene scene(1);
  const Holder own = scene.own();
  const Permit permit = scene->acquire(own, never).or_throw();
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(scene->acquire(own, after(120ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 120ms);
  EXPECT_TRUE(scene->acquire(own, immediately).failed_with(Errc::timed_out));
  Stop stop = Stop::create().or_throw();
  std::jthread waiter =
      kit::thread_asleep_in([&] { EXPECT_TRUE(scene->acquire(own, never.or_stop(stop)).failed_with(Errc::stopped)); });
  stop.request();
  waiter.join();
}

}  // namespace

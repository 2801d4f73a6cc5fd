#include <tenon/sync/barrier.hpp>

#include <kit/asleep.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/stop.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <gtest/gtest.h>
#include <new>
#include <optional>
#include <thread>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

/// A domain and a barrier in it.
class Scene {
 public:
  explicit Scene(std::uint32_t parties) : life_(Life::join(scene_.domain()).or_throw()) {
    new (memory_.data()) Barrier(parties, own());
  }
  // Members that were killed leave their files.
  ~Scene() { scene_.directory().allow_leftovers(); }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  Barrier* operator->() const { return std::launder(reinterpret_cast<Barrier*>(memory_.data())); }
  Holder own() const { return Holder::of(scene_.domain(), life_).or_throw(); }
  const Domain& domain() const { return scene_.domain(); }
  /// As if so many phases had passed.
  void begin_with(std::uint16_t phase) const {
    const std::uint64_t word = std::uint64_t{phase} << 48;
    std::memcpy(memory_.data(), &word, sizeof word);
  }
  /// Joins in a process of its own.
  std::function<void(kit::Stage&)> as_member(std::function<void(kit::Stage&, BarrierMember&)> body) const {
    return [this, body](kit::Stage& stage) {
      const Life life = Life::join(domain()).or_throw();
      BarrierMember member = (*this)->join(Holder::of(domain(), life).or_throw()).or_throw();
      body(stage, member);
    };
  }

 private:
  kit::UniqueDomain scene_;
  Life life_;
  Mapping memory_ = Mapping::shared_with_children(sizeof(Barrier)).or_throw();
};

TEST(Barrier, lets_nobody_through_before_all_have_arrived_phase_after_phase) {
  constexpr int phases = 300;
  const kit::Watchdog watchdog("three members");
  const Scene scene(3);
  const kit::Shared<std::atomic<int>> arrived;
  auto march = scene.as_member([&](kit::Stage&, BarrierMember& member) {
    for (int phase = 1; phase <= phases; ++phase) {
      ++*arrived;
      member.arrive_and_wait(never).or_throw();
      EXPECT_GE(*arrived, 3 * phase);
      member.arrive_and_wait(never).or_throw();
    }
  });
  kit::run_sides({{"a", march}, {"b", march}, {"c", march}});
  EXPECT_EQ(*arrived, 3 * phases);
}

TEST(Barrier, waits_for_those_who_have_not_joined_yet) {
  const kit::Watchdog watchdog("a late joiner");
  const Scene scene(2);
  BarrierMember member = scene->join(scene.own()).or_throw();
  EXPECT_TRUE(member.arrive_and_wait(after(20ms)).failed_with(Errc::timed_out));
  kit::Sides sides(
      {{"late", scene.as_member([](kit::Stage&, BarrierMember& late) { late.arrive_and_wait(never).or_throw(); })}});
  member.arrive_and_wait(never).or_throw();
  sides.finish();
}

TEST(Barrier, has_no_place_for_more_members_than_parties) {
  const Scene scene(1);
  const BarrierMember member = scene->join(scene.own()).or_throw();
  const auto refused = scene->join(scene.own());
  ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
  EXPECT_EQ(refused.error().limit()->value, 1U);
}

TEST(Barrier, waits_no_more_for_who_has_left) {
  const kit::Watchdog watchdog("a member that leaves");
  const Scene scene(2);
  BarrierMember member = scene->join(scene.own()).or_throw();
  std::optional<BarrierMember> other(scene->join(scene.own()).or_throw());
  std::thread leaver([&] { other.reset(); });
  member.arrive_and_wait(never).or_throw();
  leaver.join();
  member.arrive_and_wait(never).or_throw();
  BarrierMember third = scene->join(scene.own()).or_throw();
  EXPECT_TRUE(member.arrive_and_wait(immediately).failed_with(Errc::timed_out)) << "its place was taken";
  std::thread arriver([&] { third.arrive_and_wait(never).or_throw(); });
  member.arrive_and_wait(never).or_throw();
  arriver.join();
}

TEST(Barrier, a_member_that_gives_up_has_not_arrived) {  // F54
  const kit::Watchdog watchdog("a member that gives up");
  const Scene scene(2);
  BarrierMember hasty = scene->join(scene.own()).or_throw();
  BarrierMember patient = scene->join(scene.own()).or_throw();
  EXPECT_TRUE(hasty.arrive_and_wait(immediately).failed_with(Errc::timed_out));
  Stop stop = Stop::create().or_throw();
  std::jthread waiter = kit::thread_asleep_in(
      [&] { EXPECT_TRUE(hasty.arrive_and_wait(never.or_stop(stop)).failed_with(Errc::stopped)); });
  stop.request();
  waiter.join();
  EXPECT_TRUE(patient.arrive_and_wait(after(20ms)).failed_with(Errc::timed_out)) << "nobody else is there";
  std::thread again([&] { hasty.arrive_and_wait(never).or_throw(); });
  patient.arrive_and_wait(never).or_throw();
  again.join();
}

// F56
TEST(Barrier, tells_each_of_the_others_once_that_a_member_died_and_goes_on_without_it) {
  const kit::Watchdog watchdog("a barrier after a death");
  const Scene scene(3);
  auto survivor = scene.as_member([](kit::Stage& stage, BarrierMember& member) {
    member.arrive_and_wait(never).or_throw();
    stage.signal("through");
    EXPECT_TRUE(member.arrive_and_wait(never).failed_with(Errc::peer_died));
    member.arrive_and_wait(never).or_throw();
    member.arrive_and_wait(never).or_throw();
    // They part only together: who leaves alone would be let go, too.
    stage.signal("done");
    stage.await("done", 2);
  });
  kit::Sides sides(
      {{"a", survivor}, {"b", survivor}, {"victim", scene.as_member([](kit::Stage& stage, BarrierMember& member) {
                                            member.arrive_and_wait(never).or_throw();
                                            stage.signal("through");
                                            stage.await("never");
                                          })}});
  sides.stage().await("through", 3);
  sides.side("victim").kill();
  sides.finish();
}

TEST(Barrier, tells_of_a_member_that_died_after_it_had_arrived) {  // F56
  const kit::Watchdog watchdog("a death in the barrier");
  const Scene scene(2);
  BarrierMember member = scene->join(scene.own()).or_throw();
  kit::Sides sides({{"victim", scene.as_member([](kit::Stage& stage, BarrierMember& victim) {
                       stage.signal("arriving");
                       (void)victim.arrive_and_wait(never);
                     })}});
  sides.stage().await("arriving");
  sides.side("victim").kill();
  sides.finish();
  // It was let through if the victim was killed in time to have arrived, and the next phase is broken off then.
  auto waited = member.arrive_and_wait(never);
  if (waited) {
    waited = member.arrive_and_wait(never);
  }
  EXPECT_TRUE(waited.failed_with(Errc::peer_died));
  EXPECT_TRUE(member.arrive_and_wait(never)) << "it goes on alone";
}

TEST(Barrier, tells_of_a_death_to_one_whose_deadlines_are_short) {  // F56
  const kit::Watchdog watchdog("a death and short waits");
  const Scene scene(2);
  BarrierMember member = scene->join(scene.own()).or_throw();
  kit::Sides sides({{"victim", scene.as_member([](kit::Stage& stage, BarrierMember&) {
                       stage.signal("joined");
                       stage.await("never");
                     })}});
  sides.stage().await("joined");
  EXPECT_TRUE(member.arrive_and_wait(immediately).failed_with(Errc::timed_out)) << "it is alive";
  sides.side("victim").kill();
  sides.finish();
  EXPECT_TRUE(member.arrive_and_wait(immediately).failed_with(Errc::peer_died));
  EXPECT_TRUE(member.arrive_and_wait(immediately)) << "it goes on alone";
}

TEST(Barrier, a_place_of_the_dead_is_taken_by_the_next_who_joins) {  // F56
  const kit::Watchdog watchdog("a replacement");
  const Scene scene(1);
  kit::Sides sides({{"victim", scene.as_member([](kit::Stage& stage, BarrierMember&) {
                       stage.signal("joined");
                       stage.await("never");
                     })}});
  sides.stage().await("joined");
  EXPECT_TRUE(scene->join(scene.own()).failed_with(Errc::limit_reached));
  sides.side("victim").kill();
  sides.finish();
  BarrierMember next = scene->join(scene.own()).or_throw();
  EXPECT_TRUE(next.arrive_and_wait(never));
}

TEST(Barrier, waits_for_a_member_that_is_stopped) {  // F55
  const kit::Watchdog watchdog("a member that is stopped");
  const Scene scene(2);
  BarrierMember member = scene->join(scene.own()).or_throw();
  kit::Sides sides({{"stopped", scene.as_member([](kit::Stage& stage, BarrierMember& other) {
                       stage.signal("joined");
                       stage.await("go on");
                       other.arrive_and_wait(never).or_throw();
                     })}});
  sides.stage().await("joined");
  sides.side("stopped").process().signal(SIGSTOP).or_throw();
  EXPECT_TRUE(member.arrive_and_wait(after(120ms)).failed_with(Errc::timed_out));
  sides.side("stopped").process().signal(SIGCONT).or_throw();
  sides.stage().signal("go on");
  member.arrive_and_wait(never).or_throw();
  sides.finish();
}

TEST(Barrier, whose_phases_wrap_goes_on) {  // F49
  const kit::Watchdog watchdog("phases across the wrap");
  const Scene scene(2);
  scene.begin_with(UINT16_MAX - 2);
  auto march = scene.as_member([](kit::Stage&, BarrierMember& member) {
    for (int phase = 0; phase < 6; ++phase) {
      member.arrive_and_wait(never).or_throw();
    }
  });
  kit::run_sides({{"a", march}, {"b", march}});
}

TEST(Barrier, refuses_one_who_has_left_the_domain) {  // F57
  const Scene scene(1);
  Life life = Life::join(scene.domain()).or_throw();
  const Holder former = Holder::of(scene.domain(), life).or_throw();
  BarrierMember member = scene->join(former).or_throw();
  std::move(life).leave().or_throw();
  EXPECT_TRUE(member.arrive_and_wait(never).failed_with(Errc::not_found));
  EXPECT_TRUE(std::move(member).leave());
  EXPECT_TRUE(scene->join(former).failed_with(Errc::not_found));
}

TEST(Barrier, refuses_a_forked_childs_copy_and_members_of_another_domain) {  // F35
  const Scene scene(2);
  BarrierMember member = scene->join(scene.own()).or_throw();
  kit::run_sides({{"child", [&](kit::Stage&) {
                     EXPECT_TRUE(member.arrive_and_wait(never).failed_with(Errc::in_child));
                     EXPECT_TRUE(std::move(member).leave().failed_with(Errc::in_child));
                   }}});
  EXPECT_TRUE(member.arrive_and_wait(immediately).failed_with(Errc::timed_out)) << "it has not left";
  const kit::UniqueDomain elsewhere;
  const Life life = Life::join(elsewhere.domain()).or_throw();
  EXPECT_TRUE(scene->join(Holder::of(elsewhere.domain(), life).or_throw()).failed_with(Errc::invalid_argument));
}

}  // namespace

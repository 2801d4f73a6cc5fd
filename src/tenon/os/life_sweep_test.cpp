#include <tenon/os/life_sweep.hpp>

#include <kit/leak_check.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/life.hpp>
#include <tenon/os/process.hpp>

#include <csignal>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <vector>

namespace {

using tenon::Errc;
using tenon::Life;
using tenon::LifeName;
using tenon::LifeStage;
using testing::IsEmpty;
using testing::SizeIs;

void join_and_die(const tenon::Domain& domain) {
  auto child = tenon::spawn([&] {
                 const Life life = Life::join(domain).or_throw();
                 ::_exit(0);
                 return 0;
               }).or_throw();
  child.wait(tenon::never).or_throw();
}

std::function<void(kit::Stage&)> join_and_wait(const kit::UniqueDomain& scene) {
  return [&](kit::Stage& stage) {
    const Life life = Life::join(scene.domain()).or_throw();
    stage.signal("joined");
    ::pause();
  };
}

void leave_behind(const kit::UniqueDomain& scene, LifeStage stage, pid_t pid) {
  LifeName name{.stage = stage, .who = tenon::Member::self()};
  name.who.pid = pid;
  std::ofstream(scene.path() + "/" + name.text()) << "half";
}

TEST(Sweep, takes_the_dead_and_leaves_the_living) {
  const kit::UniqueDomain scene;
  const Life living = Life::join(scene.domain()).or_throw();
  leave_behind(scene, LifeStage::member, ::getpid() + 1);
  const auto swept = tenon::sweep(scene.domain()).or_throw();
  EXPECT_EQ(swept.dead, 1U);
  EXPECT_EQ(swept.unfinished, 0U);
  EXPECT_TRUE(living.confirm());
  EXPECT_EQ(tenon::sweep(scene.domain()).or_throw().dead, 0U);  // F8: again, and nothing more
}

TEST(Sweep, takes_what_was_left_unfinished) {  // F6
  const kit::UniqueDomain scene;
  for (const pid_t pid : {::getpid() + 1, ::getpid()}) {  // another's; and this process's own, from before an exec
    leave_behind(scene, LifeStage::joining, pid);
    leave_behind(scene, LifeStage::leaving, pid);
    EXPECT_EQ(tenon::sweep(scene.domain()).or_throw().unfinished, 2U);
  }
  EXPECT_THAT(kit::names_in(scene.path()), IsEmpty());
}

TEST(Sweep, leaves_other_files_alone) {
  kit::UniqueDomain scene;
  scene.directory().allow_leftovers();
  std::ofstream(scene.path() + "/life.of.brian") << "x";
  std::ofstream(scene.path() + "/segment") << "x";
  const auto swept = tenon::sweep(scene.domain()).or_throw();
  EXPECT_EQ(swept.dead + swept.unfinished + swept.unreadable, 0U);
  EXPECT_THAT(kit::names_in(scene.path()), SizeIs(2));
}

TEST(Sweep, removes_no_more_files_than_it_may) {
  const kit::UniqueDomain scene;
  for (int i = 0; i < 5; ++i) {
    leave_behind(scene, LifeStage::member, ::getpid() + 1);
  }
  EXPECT_EQ(tenon::sweep(scene.domain(), {.removals = 2}).or_throw().dead, 2U);
  EXPECT_EQ(tenon::sweep(scene.domain(), {.looks = 0}).or_throw().dead, 0U);
  EXPECT_EQ(tenon::sweep(scene.domain()).or_throw().dead, 3U);
}

TEST(Sweep, finds_everything_in_the_end_though_each_looks_at_few) {  // F64
  const kit::Watchdog watchdog("sweeps that look at two files each");
  const kit::UniqueDomain scene;
  std::vector<Life> living;
  for (int i = 0; i < 8; ++i) {
    living.push_back(Life::join(scene.domain()).or_throw());
  }
  for (int i = 0; i < 4; ++i) {
    leave_behind(scene, LifeStage::member, ::getpid() + 1);
  }
  for (std::size_t dead = 0; dead < 4;) {
    const auto swept = tenon::sweep(scene.domain(), {.looks = 2}).or_throw();
    EXPECT_LE(swept.dead, 2U);
    dead += swept.dead;
  }
  EXPECT_THAT(kit::names_in(scene.path()), SizeIs(8));
}

TEST(Sweep, is_done_by_whoever_joins_next) {  // F62: all are dead, and the next start is clean
  const kit::UniqueDomain scene;
  for (int i = 0; i < 5; ++i) {
    leave_behind(scene, LifeStage::member, ::getpid() + 1);
  }
  leave_behind(scene, LifeStage::joining, ::getpid() + 1);
  const Life life = Life::join(scene.domain()).or_throw();
  EXPECT_THAT(kit::names_in(scene.path()), SizeIs(1));
}

TEST(Sweep, finds_the_dead_among_many_living) {  // F64: with more of them than a join looks at, nothing would be swept
  const kit::UniqueDomain scene;
  std::vector<Life> living;
  const auto join_35 = [&] {
    for (int i = 0; i < 35; ++i) {
      living.push_back(Life::join(scene.domain()).or_throw());
    }
  };
  // Listed first, last or in the midst of the others, whatever the order of the file system: each dies only when all
  // have joined.
  kit::Sides members({{"first", join_and_wait(scene)}});
  members.stage().await("joined");
  join_35();
  kit::Sides middle({{"middle", join_and_wait(scene)}});
  middle.stage().await("joined");
  join_35();
  kit::Sides last({{"last", join_and_wait(scene)}});
  last.stage().await("joined");
  members.side("first").kill();
  middle.side("middle").kill();
  last.side("last").kill();
  for (kit::Sides* sides : {&members, &middle, &last}) {
    sides->finish();
  }
  living.push_back(Life::join(scene.domain()).or_throw());
  EXPECT_THAT(kit::names_in(scene.path()), SizeIs(living.size()));
}

TEST(Sweep, races_with_another_and_neither_takes_the_new) {  // F9
  const kit::UniqueDomain scene;
  const auto clean = [&](kit::Stage&) {
    for (int round = 0; round < 300; ++round) {
      (void)tenon::sweep(scene.domain()).or_throw();
    }
  };
  kit::run_sides({{"first cleaner", clean}, {"second cleaner", clean}, {"the living", [&](kit::Stage&) {
                                                                          for (int round = 0; round < 100; ++round) {
                                                                            join_and_die(scene.domain());
                                                                            const Life life =
                                                                                Life::join(scene.domain()).or_throw();
                                                                            EXPECT_TRUE(life.confirm());
                                                                          }
                                                                        }}});
  (void)tenon::sweep(scene.domain()).or_throw();
}

TEST(Sweep, finds_names_and_descriptors_as_before_after_many_crashes) {  // F64
  const kit::LeakCheck check;
  const kit::UniqueDomain scene;
  for (int i = 0; i < 200; ++i) {
    join_and_die(scene.domain());
  }
  (void)tenon::sweep(scene.domain()).or_throw();
  EXPECT_THAT(kit::names_in(scene.path()), IsEmpty());
}

}  // namespace

/// Chains, circles and verdicts over snapshots made by hand.
#include <tenon/inspect/why/chain.hpp>
#include <tenon/inspect/why/words.hpp>

#include <kit/scenery.hpp>

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace tenon::inspect;
using kit::Scenery;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST(Chain, leads_from_a_queue_to_a_dead_owner_of_a_lock) {
  Scenery scenery;
  scenery.process(812, "/usr/bin/python x.py").process(815, "worker");
  const auto queue = scenery.object(Kind::posix_queue, "/jobs");
  const auto lock = scenery.object(Kind::lock, "lock at byte 64 of /pool");
  scenery.edge(queue, 812, Relation::holds, true, false).edge(queue, 815, Relation::holds, false, true);
  scenery.owner(lock, 790, true);
  scenery.wait(812, "mq_timedreceive", Need::message, queue).since = 1'000'000'000;
  scenery.wait(815, "futex", Need::lock, lock).lock.owner = 790;
  const Snapshot& all = scenery.done();
  const auto chains = Chains(all).of(812);
  ASSERT_THAT(chains, SizeIs(1));
  EXPECT_EQ(chains.front().ending, Ending::dead);
  EXPECT_EQ(chains.front().last, 790);
  EXPECT_EQ(sentence(all, chains.front(), 15'000'000'000),
            "python (812) waits 14 s in mq_timedreceive on posix_queue /jobs, which is empty; it can be written by "
            "worker (815), which waits in futex on lock at byte 64 of /pool, which is locked; its owner is 790, which "
            "is dead; possibly stuck: posix_queue /jobs has a name, and whoever comes by that may end the wait");
  EXPECT_EQ(Chains(all).of(815).front().plight, Plight::stuck) << "nobody who comes has that lock";
  EXPECT_THAT(remedy(all, chains.front()), HasSubstr("nobody can unlock what 790 took"));
  EXPECT_THAT(Chains(all).stuck(), SizeIs(1)) << "the second is part of the first";
}

// Two who wait for each other at pipes.
Scenery facing(bool with_a_third) {
  Scenery scenery;
  scenery.process(1, "one").process(2, "two").process(3, "three");
  const auto there = scenery.object(Kind::pipe, "pipe:[1]");
  const auto back = scenery.object(Kind::pipe, "pipe:[2]");
  scenery.edge(there, 1, Relation::holds, false, true).edge(there, 2, Relation::holds, true, false);
  scenery.edge(back, 2, Relation::holds, false, true).edge(back, 1, Relation::holds, true, false);
  if (with_a_third) {
    scenery.edge(back, 3, Relation::holds, false, true);
  }
  scenery.wait(1, "read", Need::message, back);
  scenery.wait(2, "read", Need::message, there);
  return scenery;
}

TEST(Chain, of_two_who_wait_for_each_other_is_one_circle) {
  Scenery scenery = facing(false);
  const Snapshot& all = scenery.done();
  const auto stuck = Chains(all).stuck();
  ASSERT_THAT(stuck, SizeIs(1));
  EXPECT_EQ(stuck.front().ending, Ending::circle);
  EXPECT_EQ(stuck.front().back_to, 0U);
  EXPECT_THAT(stuck.front().links, SizeIs(2));
  EXPECT_THAT(sentence(all, stuck.front(), 0), HasSubstr("closes a circle of 2 that begins at one (1)"));
}

TEST(Chain, is_no_circle_where_a_third_who_runs_could_help) {
  Scenery scenery = facing(true);
  const Snapshot& all = scenery.done();
  EXPECT_THAT(Chains(all).stuck(), IsEmpty());
  EXPECT_FALSE(is_stuck(Chains(all).of(1).front().ending));
  EXPECT_FALSE(is_stuck(Chains(all).of(2).front().ending));
}

TEST(Chain, ends_well_where_another_thread_of_the_helper_is_not_seen_to_wait) {
  Scenery scenery = facing(false);
  scenery.all.processes[1].threads = 2;
  EXPECT_THAT(Chains(scenery.done()).stuck(), IsEmpty());
}

TEST(Chain, a_deadline_ends_a_wait_for_messages_and_not_one_for_a_lock_of_the_dead) {
  Scenery scenery = facing(false);
  scenery.all.waits.front().gives_up = true;
  EXPECT_THAT(Chains(scenery.done()).stuck(), IsEmpty());
  Scenery other;
  other.process(5, "five");
  const auto lock = other.object(Kind::lock, "lock at byte 0 of /pool");
  other.owner(lock, 4, true);
  Wait& wait = other.wait(5, "futex", Need::lock, lock);
  wait.lock.owner = 4;
  wait.gives_up = true;
  EXPECT_THAT(Chains(other.done()).stuck(), SizeIs(1));
}

// Each waits for its own semaphore, which the other could post.
Scenery at_semaphores(Kind kind, const std::string& state) {
  Scenery scenery;
  scenery.process(1, "one").process(2, "two");
  const auto first = scenery.object(kind, "first, of anonymous memory");
  const auto second = scenery.object(kind, "second, of anonymous memory");
  for (const auto semaphore : {first, second}) {
    scenery.all.objects[semaphore].state = state;
    scenery.edge(semaphore, 1, Relation::maps, true, true).edge(semaphore, 2, Relation::maps, true, true);
  }
  scenery.wait(1, "futex", Need::lock, first);
  scenery.wait(2, "futex", Need::lock, second);
  return scenery;
}

TEST(Chain, a_deadline_ends_a_wait_for_a_semaphore) {
  for (const auto& [kind, state] : {std::pair(Kind::posix_semaphore, ""), std::pair(Kind::lock, "semaphore")}) {
    Scenery scenery = at_semaphores(kind, state);
    EXPECT_THAT(Chains(scenery.done()).stuck(), SizeIs(1)) << name_of(kind);
    scenery.all.waits.front().gives_up = true;
    EXPECT_THAT(Chains(scenery.done()).stuck(), IsEmpty()) << name_of(kind);
  }
}

// Those who wait take back within milliseconds what it had.
TEST(Chain, a_dead_member_of_a_semaphore_or_barrier_of_tenons_own_keeps_nobody_back) {
  for (const char* const state : {"semaphore", "barrier", "read-write lock"}) {
    Scenery scenery;
    scenery.process(1, "one");
    const auto lock = scenery.object(Kind::lock, "lock at byte 0 of /pool");
    scenery.all.objects[lock].state = state;
    scenery.owner(lock, 9, true);
    scenery.wait(1, "futex_waitv", Need::lock, lock);
    const Snapshot& all = scenery.done();
    EXPECT_EQ(Chains(all).of(1).front().ending, state == std::string("read-write lock") ? Ending::dead : Ending::idle)
        << state;
  }
}

TEST(Chain, what_cannot_be_seen_accuses_nobody) {
  Scenery scenery = facing(false);
  scenery.all.waits.front().unseen = "which descriptors it polls";
  const Snapshot& all = scenery.done();
  EXPECT_THAT(Chains(all).stuck(), IsEmpty());
  EXPECT_EQ(Chains(all).of(1).front().ending, Ending::unseen);
  Scenery nameless;
  nameless.process(7, "seven");
  const auto pipe = nameless.object(Kind::pipe, "pipe:[7]");
  nameless.edge(pipe, 7, Relation::holds, true, false);
  nameless.wait(7, "read", Need::message, pipe);
  nameless.all.closed_processes = 1;
  EXPECT_EQ(Chains(nameless.done()).of(7).front().ending, Ending::unseen) << "one of those has the other end";
  nameless.all.closed_processes = 0;
  EXPECT_EQ(Chains(nameless.done()).of(7).front().ending, Ending::nobody);
}

TEST(Chain, of_a_process_that_a_signal_may_wake_through_its_own_pipe_is_idle) {
  Scenery scenery;
  scenery.process(7, "loop");
  const auto pipe = scenery.object(Kind::pipe, "pipe:[7]");
  scenery.edge(pipe, 7, Relation::holds, true, true);
  scenery.wait(7, "poll", Need::message, pipe);
  EXPECT_EQ(Chains(scenery.done()).of(7).front().ending, Ending::nobody);
  scenery.all.processes.front().handled = std::uint64_t{1} << (15 - 1);
  EXPECT_EQ(Chains(scenery.done()).of(7).front().ending, Ending::idle);
}

TEST(Chain, a_stopped_helper_is_told_and_how_it_goes_on) {
  Scenery scenery = facing(false);
  scenery.all.waits.pop_back();
  scenery.all.processes[1].state = 'T';
  const Snapshot& all = scenery.done();
  const auto chains = Chains(all).of(1);
  EXPECT_EQ(chains.front().ending, Ending::stopped);
  EXPECT_EQ(remedy(all, chains.front()), "let it go on: kill -CONT 2");
  scenery.all.processes[1].state = 't';
  scenery.all.processes[1].tracer = 3;
  const auto traced = Chains(all).of(1);
  EXPECT_THAT(sentence(all, traced.front(), 0), HasSubstr("which is stopped by its debugger three (3)"));
  EXPECT_THAT(remedy(all, traced.front()), testing::AllOf(HasSubstr("three (3) continue it"), Not(HasSubstr("CONT"))));
}

TEST(Chain, who_hangs_in_the_kernel_is_not_said_to_run) {
  Scenery scenery = facing(false);
  scenery.all.waits.pop_back();
  const Snapshot& all = scenery.done();
  EXPECT_THAT(sentence(all, Chains(all).of(1).front(), 0), HasSubstr("two (2), which runs"));
  scenery.all.processes[1].state = 'D';
  EXPECT_THAT(sentence(all, Chains(all).of(1).front(), 0), HasSubstr("until a device or a file system answers"));
}

// As where one's own record stands beside what the kernel shows.
TEST(Chain, of_a_thread_that_waits_twice_and_may_go_on_ends) {
  Scenery scenery;
  scenery.process(1, "one").process(2, "two").process(3, "three");
  const auto lock = scenery.object(Kind::lock, "lock at byte 0 of /pool");
  const auto pipe = scenery.object(Kind::pipe, "pipe:[1]");
  const auto other = scenery.object(Kind::pipe, "pipe:[2]");
  scenery.owner(lock, 2, false);
  scenery.edge(pipe, 3, Relation::holds, false, true).edge(pipe, 2, Relation::holds, true, false);
  scenery.edge(other, 2, Relation::holds, true, true);
  scenery.wait(1, "futex", Need::lock, lock).lock.owner = 2;
  scenery.wait(2, "read", Need::message, other);
  scenery.wait(2, "poll", Need::message, pipe);
  const Snapshot& all = scenery.done();
  const Chains chains(all);
  EXPECT_EQ(chains.of(1).front().ending, Ending::runs);
  EXPECT_EQ(chains.of(1).front().last, 3);
}

// A parent whose child is gone is told so by the kernel.
TEST(Chain, a_child_that_is_gone_accuses_nobody_and_one_that_proc_hides_lives) {
  Scenery scenery;
  scenery.process(1, "parent");
  scenery.all.waits.push_back(
      {.pid = 1, .thread = 1, .call = "wait4", .need = Need::signal, .objects = {}, .since = {}, .processes = {7}});
  EXPECT_EQ(Chains(scenery.done()).of(1).front().ending, Ending::unseen);
  scenery.all.hidden = {7};
  EXPECT_EQ(Chains(scenery.done()).of(1).front().ending, Ending::runs);
}

// A hundred times as long as any that was seen, in time that grows with it and no faster.
TEST(Chain, of_a_thousand_who_wait_for_one_another_costs_a_few_looks_at_each) {
  constexpr pid_t most = 1000;
  Scenery ring;
  for (pid_t pid = 1; pid <= most; ++pid) {
    ring.process(pid, "one");
    const auto pipe = ring.object(Kind::pipe, "pipe:[" + std::to_string(pid) + "]");
    ring.edge(pipe, pid, Relation::holds, true, false).edge(pipe, pid % most + 1, Relation::holds, false, true);
    ring.wait(pid, "read", Need::message, pipe);
  }
  const Chains chains(ring.done());
  const auto stuck = chains.stuck();
  ASSERT_THAT(stuck, SizeIs(1));
  EXPECT_THAT(stuck.front().links, SizeIs(most));
  EXPECT_EQ(stuck.front().ending, Ending::circle);
  EXPECT_LT(chains.looks(), 50U * most);
}

// Each of them could help each of the others, if it did not wait: so many pairs there are, and no more looks than that.
TEST(Chain, of_a_thousand_who_wait_for_the_same_costs_a_few_looks_at_each_pair) {
  constexpr pid_t most = 1000;
  Scenery crowd;
  const auto pipe = crowd.object(Kind::pipe, "pipe:[1]");
  for (pid_t pid = 1; pid <= most; ++pid) {
    crowd.process(pid, "one").edge(pipe, pid, Relation::holds, true, true);
    crowd.wait(pid, "read", Need::message, pipe);
  }
  const Snapshot& all = crowd.done();
  const Chains chains(all);
  const auto stuck = chains.stuck();
  ASSERT_THAT(stuck, SizeIs(most));
  EXPECT_EQ(stuck.front().ending, Ending::nobody);
  EXPECT_THAT(sentence(all, stuck.front(), 0), HasSubstr("wait for it themselves: 999 others"));
  EXPECT_LT(chains.looks(), std::size_t{20} * most * most);
}

}  // namespace

/// Chains, circles and verdicts over snapshots made by hand.
#include <tenon/inspect/why/chain.hpp>
#include <tenon/inspect/why/words.hpp>

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace tenon::inspect;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Processes of one thread, objects, and who waits.
class Scenery {
 public:
  Scenery& process(pid_t pid, const std::string& command, std::size_t threads = 1) {
    all.processes.push_back(
        {.pid = pid, .user = 0, .name = command, .command = command, .state = 'S', .threads = threads});
    return *this;
  }
  std::size_t object(Kind kind, const std::string& name) {
    all.objects.push_back({.kind = kind, .name = name});
    return all.objects.size() - 1;
  }
  Scenery& edge(std::size_t object, pid_t pid, Relation relation, bool reads, bool writes) {
    all.edges.push_back({.object = object, .pid = pid, .relation = relation, .reads = reads, .writes = writes});
    return *this;
  }
  Scenery& owner(std::size_t object, pid_t pid, bool ended) {
    all.edges.push_back({.object = object, .pid = pid, .relation = Relation::owns, .ended = ended, .thread = pid});
    return *this;
  }
  Wait& wait(pid_t pid, const char* call, Need need, std::size_t object) {
    all.waits.push_back({.pid = pid, .thread = pid, .call = call, .need = need, .objects = {object}, .since = {}});
    return all.waits.back();
  }
  const Snapshot& done() {
    std::ranges::sort(all.edges, {}, &Edge::object);
    std::ranges::sort(all.waits, {}, &Wait::pid);
    return all;
  }

  Snapshot all;
};

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
            "is dead");
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
}

}  // namespace

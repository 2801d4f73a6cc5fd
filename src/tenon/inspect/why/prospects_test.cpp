/// What counts as proof that nobody will end a wait, over snapshots made by hand.
#include <tenon/inspect/why/chain.hpp>
#include <tenon/inspect/why/words.hpp>

#include <kit/scenery.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace tenon::inspect;
using kit::Scenery;
using testing::HasSubstr;
using testing::IsEmpty;

Plight plight_of(const Snapshot& all, pid_t pid) { return Chains(all).of(pid).front().plight; }
Ending ending_of(const Snapshot& all, pid_t pid) { return Chains(all).of(pid).front().ending; }

constexpr auto holds = Relation::holds;

// Two who serve at one thing, each of which may send there too.
Scenery fellows(Kind kind, const std::string& name, Relation relation, Need need) {
  Scenery scenery;
  scenery.process(1, "one").process(2, "two");
  const auto shared = scenery.object(kind, name);
  for (const pid_t pid : {1, 2}) {
    scenery.edge(shared, pid, relation, true, true);
    scenery.wait(pid, "waits", need, shared);
  }
  return scenery;
}

TEST(Plight, of_fellows_at_a_thing_with_a_name_is_none) {
  for (const Kind kind : {Kind::posix_queue, Kind::fifo}) {
    EXPECT_THAT(Chains(fellows(kind, "/jobs", holds, Need::message).done()).stuck(), IsEmpty()) << name_of(kind);
  }
  for (const Kind kind : {Kind::posix_semaphore, Kind::lock}) {
    EXPECT_THAT(Chains(fellows(kind, "/jobs", Relation::maps, Need::signal).done()).stuck(), IsEmpty())
        << name_of(kind);
  }
}

TEST(Plight, of_fellows_is_stuck_where_nobody_can_come) {
  Scenery queue = fellows(Kind::posix_queue, "/jobs", holds, Need::message);
  queue.all.objects.front().state = "unlinked";
  EXPECT_EQ(plight_of(queue.done(), 1), Plight::stuck);
  Scenery memory = fellows(Kind::lock, "lock at byte 0 of anonymous memory [7]", Relation::maps, Need::lock);
  const Snapshot& all = memory.done();
  EXPECT_EQ(plight_of(all, 2), Plight::stuck);
  EXPECT_EQ(ending_of(all, 2), Ending::nobody);
  EXPECT_THAT(sentence(all, Chains(all).of(2).front(), 0), HasSubstr("wait for it themselves: one (1)"));
}

// A fellow may be stopped; that does not make it who sends.
TEST(Plight, of_a_worker_whose_fellow_is_stopped_is_none) {
  Scenery scenery = fellows(Kind::posix_queue, "/jobs", holds, Need::message);
  scenery.all.waits.pop_back();
  scenery.all.processes[1].state = 'T';
  EXPECT_THAT(Chains(scenery.done()).stuck(), IsEmpty());
}

// Each takes from the other's queue and sends on to its own: work comes from outside.
Scenery daemons(Kind back) {
  Scenery scenery;
  scenery.process(1, "one").process(2, "two");
  const auto there = scenery.object(Kind::posix_queue, "/there");
  const auto other = scenery.object(back, "/back");
  scenery.edge(there, 1, holds, true, false).edge(there, 2, holds, false, true);
  scenery.edge(other, 2, holds, true, false).edge(other, 1, holds, false, true);
  scenery.wait(1, "mq_timedreceive", Need::message, there);
  scenery.wait(2, "read", Need::message, other);
  return scenery;
}

TEST(Plight, of_daemons_that_feed_each_other_is_none_and_of_who_waits_for_them_neither) {
  EXPECT_THAT(Chains(daemons(Kind::posix_queue).done()).stuck(), IsEmpty());
  EXPECT_THAT(Chains(daemons(Kind::pipe).done()).stuck(), IsEmpty()) << "as a master and a worker of its own";
  Scenery scenery = daemons(Kind::posix_queue);
  scenery.process(3, "client");
  const auto pipe = scenery.object(Kind::pipe, "pipe:[3]");
  scenery.edge(pipe, 1, holds, false, true).edge(pipe, 3, holds, true, false);
  scenery.wait(3, "read", Need::message, pipe);
  EXPECT_THAT(Chains(scenery.done()).stuck(), IsEmpty());
}

// The first has the lock and waits to be sent something; the other would send it, and waits for the lock.
TEST(Plight, of_a_circle_with_a_lock_in_it_and_a_name_is_possibly_stuck) {
  Scenery scenery;
  scenery.process(1, "one").process(2, "two");
  const auto queue = scenery.object(Kind::posix_queue, "/jobs");
  const auto lock = scenery.object(Kind::lock, "lock at byte 0 of /pool");
  scenery.edge(queue, 1, holds, true, false).edge(queue, 2, holds, false, true);
  scenery.owner(lock, 1, false);
  scenery.wait(1, "mq_timedreceive", Need::message, queue);
  scenery.wait(2, "futex", Need::lock, lock).lock.owner = 1;
  const Snapshot& all = scenery.done();
  EXPECT_EQ(plight_of(all, 1), Plight::possibly);
  EXPECT_EQ(plight_of(all, 2), Plight::possibly);
  EXPECT_EQ(ending_of(all, 2), Ending::circle);
  EXPECT_THAT(sentence(all, Chains(all).of(2).front(), 0), HasSubstr("possibly stuck: posix_queue /jobs has a name"));
}

TEST(Plight, of_who_wants_room_in_each_others_full_queues_is_stuck) {
  Scenery scenery = daemons(Kind::posix_queue);
  for (Wait& wait : scenery.all.waits) {
    wait.need = Need::room;
    wait.sends = true;
    wait.objects = {1 - wait.objects.front()};
  }
  EXPECT_EQ(plight_of(scenery.done(), 1), Plight::stuck);
}

// A set of one semaphore, which another took last.
struct Set {
  explicit Set(std::uint64_t value, bool ended) {
    scenery.process(1, "one").process(2, "two");
    at = scenery.object(Kind::sysv_semaphore, "0x00000001");
    Object& set = scenery.all.objects[at];
    set.id = 5;
    set.changed = 100;
    set.times = {{.name = "operated", .at = 100}};
    set.set = {{.value = value, .waiting_for_more = 1, .waiting_for_zero = 0, .last = 2}};
    scenery.all.edges.push_back({.object = at, .pid = 2, .relation = Relation::last_operated, .ended = ended});
    scenery.wait(1, "semop", Need::lock, at).semaphore = 0;
  }
  Scenery scenery;
  std::size_t at;
};

TEST(Plight, of_who_waits_for_a_semaphore_that_a_dead_process_took_is_possibly_stuck) {
  Set taken(0, true);
  const Chain chain = Chains(taken.scenery.done()).of(1).front();
  EXPECT_EQ(chain.plight, Plight::possibly);
  EXPECT_EQ(chain.ending, Ending::dead);
  EXPECT_EQ(plight_of(Set(0, false).scenery.done(), 1), Plight::none);
  EXPECT_EQ(plight_of(Set(1, true).scenery.done(), 1), Plight::none) << "who operated last may have given";
  Set never_taken(0, true);
  never_taken.scenery.all.objects[never_taken.at].times.clear();
  EXPECT_EQ(plight_of(never_taken.scenery.done(), 1), Plight::none) << "who made it set its value";
  Set set_again(0, true);
  set_again.scenery.all.objects[set_again.at].changed = 101;
  EXPECT_EQ(plight_of(set_again.scenery.done(), 1), Plight::none);
}

TEST(Plight, of_who_sends_to_a_full_system_v_queue_is_never_sure) {
  Scenery scenery;
  scenery.process(1, "one").process(2, "two");
  const auto queue = scenery.object(Kind::sysv_queue, "0x00000002");
  scenery.edge(queue, 2, Relation::last_received, false, false);
  scenery.wait(1, "msgsnd", Need::room, queue).sends = true;
  scenery.all.processes[1].state = 'T';
  EXPECT_EQ(plight_of(scenery.done(), 1), Plight::possibly);
}

// Two read, a third wants to write.
Scenery read_lock(FileLock::Family family) {
  Scenery scenery;
  scenery.process(1, "reads").process(2, "stuck").process(3, "writes");
  const auto lock = scenery.object(Kind::file_lock, "/data");
  scenery.all.objects[lock].lock = FileLock{.family = family, .writes = false, .first = 0, .last = {}};
  for (const pid_t pid : {1, 2}) {
    scenery.all.edges.push_back({.object = lock, .pid = pid, .relation = Relation::owns});
  }
  scenery.all.processes[1].state = 'T';
  scenery.wait(3, "fcntl", Need::lock, lock);
  return scenery;
}

TEST(Plight, of_who_writes_is_stuck_if_one_of_the_readers_is) {
  Scenery posix = read_lock(FileLock::Family::posix);
  EXPECT_EQ(plight_of(posix.done(), 3), Plight::stuck);
  EXPECT_EQ(Chains(posix.done()).of(3).front().last, 2);
  posix.all.processes[1].state = 'S';
  EXPECT_EQ(plight_of(posix.done(), 3), Plight::none);
  EXPECT_EQ(plight_of(read_lock(FileLock::Family::flock).done(), 3), Plight::possibly)
      << "both may have it through one open file description";
}

// It reads through the descriptor through which it asks to write, and the other reader runs.
TEST(Plight, of_who_asks_for_more_through_a_descriptor_that_has_the_lock_is_that_of_the_others) {
  Scenery scenery = read_lock(FileLock::Family::ofd);
  scenery.all.waits.front().pid = 2;
  scenery.all.processes[1].state = 'S';
  scenery.all.waits.front().carries = true;
  const Chain chain = Chains(scenery.done()).of(2).front();
  EXPECT_EQ(chain.ending, Ending::runs);
  ASSERT_EQ(chain.links.front().helpers.size(), 1U);
  EXPECT_EQ(chain.links.front().helpers.front().pid, 1);
}

TEST(Plight, of_who_waits_at_a_barrier_is_stuck_if_one_of_those_who_are_missing_is_and_not_at_a_semaphore) {
  Scenery scenery;
  scenery.process(1, "waits").process(2, "stopped").process(3, "runs");
  const auto lock = scenery.object(Kind::lock, "lock at byte 0 of /pool");
  scenery.owner(lock, 2, false).owner(lock, 3, false);
  scenery.wait(1, "futex_waitv", Need::lock, lock);
  scenery.all.processes[1].state = 'T';
  scenery.all.objects[lock].state = "barrier";
  EXPECT_EQ(plight_of(scenery.done(), 1), Plight::stuck);
  scenery.all.objects[lock].state = "semaphore";
  EXPECT_EQ(plight_of(scenery.done(), 1), Plight::none);
}

TEST(Plight, of_who_waits_for_a_file_lock_whose_owner_has_ended_meanwhile_is_none) {
  Scenery scenery = read_lock(FileLock::Family::posix);
  scenery.all.edges = {{.object = 0, .pid = 9, .relation = Relation::owns, .ended = true}};
  EXPECT_EQ(ending_of(scenery.done(), 3), Ending::unseen);
}

// Who sends to a queue that is full, and nobody is seen to receive.
Scenery sender(mode_t mode) {
  Scenery scenery;
  scenery.process(1, "one");
  const auto queue = scenery.object(Kind::posix_queue, "/jobs");
  scenery.all.objects[queue].mode = mode;
  scenery.all.objects[queue].owner = 0;
  scenery.edge(queue, 1, holds, false, true);
  scenery.wait(1, "mq_timedsend", Need::room, queue).sends = true;
  return scenery;
}

TEST(Plight, cannot_be_told_where_a_process_that_may_not_be_looked_at_could_serve) {
  EXPECT_EQ(plight_of(sender(0622).done(), 1), Plight::stuck);
  Scenery open_to_all = sender(0622);
  open_to_all.all.closed_processes = 3;
  const Snapshot& all = open_to_all.done();
  EXPECT_EQ(ending_of(all, 1), Ending::unseen);
  EXPECT_THAT(sentence(all, Chains(all).of(1).front(), 0), HasSubstr("3 processes could not be looked at"));
  Scenery own = sender(0600);
  own.all.closed_processes = 3;
  EXPECT_EQ(plight_of(own.done(), 1), Plight::possibly) << "its own user's processes are seen, and root's are not";
  own.all.objects.front().owner = 1000;
  EXPECT_EQ(ending_of(own.done(), 1), Ending::unseen);
}

TEST(Plight, is_not_sure_where_a_process_that_may_not_be_looked_at_may_have_it_too) {
  Scenery backlog;
  backlog.process(1, "client").process(2, "server");
  const auto socket = backlog.object(Kind::unix_socket, "/run/x");
  backlog.all.objects[socket].socket = SocketEnd{.inode = 7, .type = 1, .state = SocketState::listening};
  backlog.edge(socket, 2, holds, true, true);
  backlog.wait(1, "connect", Need::peer, socket).sends = true;
  backlog.all.processes[1].state = 'T';
  EXPECT_EQ(plight_of(backlog.done(), 1), Plight::stuck);
  backlog.all.closed_processes = 1;
  EXPECT_EQ(plight_of(backlog.done(), 1), Plight::possibly);
  Scenery memory = fellows(Kind::lock, "lock at byte 0 of anonymous memory [7]", Relation::maps, Need::lock);
  memory.all.closed_processes = 1;
  EXPECT_EQ(plight_of(memory.done(), 1), Plight::possibly);
  Scenery lock;
  lock.process(1, "one");
  const auto mutex = lock.object(Kind::lock, "lock at byte 0 of /pool");
  lock.owner(mutex, 9, true);
  lock.wait(1, "futex", Need::lock, mutex).lock.owner = 9;
  lock.all.closed_processes = 1;
  EXPECT_EQ(plight_of(lock.done(), 1), Plight::stuck) << "a lock has its owner";
}

// The client sends requests and the server receives them: so each waits for the other side.
TEST(Plight, of_who_calls_a_service_is_told_by_its_server) {
  Scenery scenery;
  scenery.process(1, "client").process(2, "server");
  const auto service = scenery.object(Kind::service, "sums");
  scenery.edge(service, 1, Relation::sends_to, false, false).edge(service, 2, Relation::receives_from, false, false);
  scenery.wait(1, "call", Need::message, service);
  scenery.wait(2, "receive", Need::message, service);
  scenery.all.processes[1].state = 'T';
  scenery.all.waits.pop_back();
  const Snapshot& all = scenery.done();
  EXPECT_EQ(sentence(all, Chains(all).of(1).front(), 0),
            "client (1) waits in call on service sums, which has not answered; it is answered by server (2), which is "
            "stopped");
  EXPECT_EQ(plight_of(all, 1), Plight::stuck);
}

TEST(Plight, of_who_opens_a_stream_is_idle_until_its_other_end_comes) {
  Scenery scenery;
  scenery.process(1, "writer");
  const auto stream = scenery.object(Kind::stream, "bytes");
  scenery.edge(stream, 1, Relation::sends_to, false, false);
  scenery.wait(1, "open", Need::peer, stream);
  const Snapshot& all = scenery.done();
  EXPECT_EQ(ending_of(all, 1), Ending::idle);
  EXPECT_THAT(sentence(all, Chains(all).of(1).front(), 0), HasSubstr("which has no other end yet"));
}

}  // namespace

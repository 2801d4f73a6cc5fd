// Tenon's queues as a snapshot of the machine shows them, with real processes that have messages and sleep.
#include "fixture.hpp"

#include <tenon/messaging/queue/queue.hpp>

namespace snapshots {
namespace {

using testing::ElementsAre;

TEST_F(SnapshotOfDomain, a_queue_tells_what_it_has_and_who_took_what) {
  const Life life = Life::join(unique_.domain()).or_throw();
  const Holder self = Holder::of(unique_.domain(), life).or_throw();
  auto queue = Queue<Pose>::create(self, "jobs").or_throw();
  for (int i = 0; i < 3; ++i) {
    queue.send({.x = 1}, never).or_throw();
  }
  Child worker = start([](const Holder& holder) {
    auto jobs = Queue<Pose>::open(holder, "jobs").or_throw();
    const auto taken = jobs.take(never).or_throw();
    kit::wait_to_be_killed();
  });
  const Snapshot all = until([&](const Snapshot& now) {
    return edge(now, place(now, Kind::queue, "jobs"), worker.pid(), Relation::owns) != nullptr;
  });
  const std::size_t at = place(all, Kind::queue, "jobs");
  EXPECT_EQ(all.objects[at].figure("messages"), 2U);
  EXPECT_EQ(all.objects[at].figure("taken"), 1U);
  EXPECT_EQ(edge(all, at, worker.pid(), Relation::owns)->messages, 1U);
  EXPECT_NE(edge(all, at, ::getpid(), Relation::holds), nullptr);
  EXPECT_NE(edge(all, at, worker.pid(), Relation::holds), nullptr);
  EXPECT_FALSE(all.is_awaited(at));
  end(worker);
  const Snapshot after_death = look();
  const Edge* const dead = edge(after_death, place(after_death, Kind::queue, "jobs"), worker.pid(), Relation::owns);
  ASSERT_NE(dead, nullptr);
  EXPECT_TRUE(dead->ended);
  Queue<Pose>::remove(unique_.domain(), "jobs").or_throw();
}

TEST_F(SnapshotOfDomain, a_queue_tells_that_somebody_sleeps_for_a_message) {
  const Life life = Life::join(unique_.domain()).or_throw();
  const Holder self = Holder::of(unique_.domain(), life).or_throw();
  auto queue = Queue<Pose>::create(self, "jobs").or_throw();
  Child worker = start([](const Holder& holder) {
    auto jobs = Queue<Pose>::open(holder, "jobs").or_throw();
    (void)jobs.receive(never);
  });
  const Snapshot all = until([&](const Snapshot& now) { return now.is_awaited(place(now, Kind::queue, "jobs")); });
  EXPECT_THAT(object(all, Kind::queue, "jobs")->awaited, ElementsAre(Need::message));
  end(worker);
  Queue<Pose>::remove(unique_.domain(), "jobs").or_throw();
}

}  // namespace
}  // namespace snapshots

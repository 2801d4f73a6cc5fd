/// A topic whose publisher waits for a subscriber: the laggard is named.
#include <scenarios/snapshot/fixture.hpp>

#include <tenon/inspect/why/chain.hpp>
#include <tenon/inspect/why/words.hpp>
#include <tenon/messaging/topic/publisher.hpp>
#include <tenon/messaging/topic/subscriber.hpp>

namespace snapshots {

using inspect::Chain;
using inspect::Chains;
using inspect::Ending;

// The chain from that process, as soon as it ends so.
Chain chain_of(const std::string& domain, pid_t pid, Ending ending, Snapshot& all) {
  while (true) {
    all = inspect::snapshot({.directories = {}, .domains = {{domain}}, .waits = true});
    for (const Chain& chain : Chains(all).of(pid)) {
      if (chain.ending == ending) {
        return chain;
      }
    }
  }
}

TEST_F(SnapshotOfDomain, of_a_topic_that_is_full_the_subscriber_that_lags_is_why) {
  Child laggard = start([](const Holder& holder) {
    auto subscriber = Subscriber<Pose>::create(holder, "pose").or_throw();
    kit::wait_to_be_killed();
  });
  Child publisher = start([](const Holder& holder) {
    PublisherOptions options;
    options.depth = 2;
    auto topic = Publisher<Pose>::create(holder, "pose", options).or_throw();
    while (topic.subscribers().empty()) {
      ::sched_yield();
    }
    while (topic.publish({.x = 1}, never)) {
    }
  });
  Snapshot all;
  const Chain alive = chain_of(unique_.path(), publisher.pid(), Ending::runs, all);
  EXPECT_EQ(alive.last, laggard.pid());
  ASSERT_EQ(::kill(laggard.pid(), SIGSTOP), 0);
  const Chain stopped = chain_of(unique_.path(), publisher.pid(), Ending::stopped, all);
  EXPECT_EQ(stopped.last, laggard.pid());
  EXPECT_THAT(inspect::sentence(all, stopped, 0),
              testing::HasSubstr("on topic pose, which is full; it can be emptied by"));
  EXPECT_EQ(inspect::remedy(all, stopped), "let it go on: kill -CONT " + std::to_string(laggard.pid()));
  end(publisher);
  end(laggard);
}

}  // namespace snapshots

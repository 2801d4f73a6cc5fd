/// Tenon's own patterns and locks when one who takes part is stopped: that one is named, and how to let it go on. Then
/// the same while all are well, where nobody is stuck.
#include <scenarios/snapshot/fixture.hpp>

#include <tenon/inspect/why/chain.hpp>
#include <tenon/inspect/why/words.hpp>
#include <tenon/messaging/queue/queue.hpp>
#include <tenon/messaging/service/service.hpp>
#include <tenon/messaging/stream/stream.hpp>
#include <tenon/sync/barrier.hpp>
#include <tenon/sync/rw_lock.hpp>
#include <tenon/sync/semaphore.hpp>

#include <kit/shared.hpp>

#include <array>
#include <atomic>
#include <ostream>
#include <vector>

namespace snapshots {
namespace {

using inspect::Chain;
using inspect::Chains;
using inspect::Ending;

// Locks in memory that all processes have, and whether the one who holds others up is there.
struct Stage {
  template <class T, class... Arguments>
  T& make(std::size_t at, Arguments&&... arguments) const {
    return *new (memory.data() + at) T(std::forward<Arguments>(arguments)...);
  }
  void say_ready() const { ready->store(true); }
  void until_ready() const {
    while (!*ready) {
      ::sched_yield();
    }
  }

  kit::SharedBytes memory = kit::SharedBytes(16384);
  kit::Shared<std::atomic<bool>> ready = {};
};

// One takes part and does not go on; the other waits for it.
struct Pattern {
  const char* name;
  void (*holds_up)(const Holder&, const Stage&);
  void (*waits)(const Holder&, const Stage&);
  const char* object;  // as the waiter's sentence calls it
};

void PrintTo(const Pattern& pattern, std::ostream* out) { *out << pattern.name; }

const std::array patterns = {
    Pattern{"a_stream_whose_reader_does_not_read",
            [](const Holder& holder, const Stage& stage) {
              auto reader = StreamReader::open(holder, "bytes", never).or_throw();
              stage.say_ready();
              kit::wait_to_be_killed();
            },
            [](const Holder& holder, const Stage&) {
              auto writer = StreamWriter::open(holder, "bytes", never).or_throw();
              const std::vector<std::byte> much(std::size_t{1} << 20);
              while (writer.write(much, never)) {
              }
            },
            "stream bytes, which is full"},
    Pattern{"a_queue_all_of_whose_messages_somebody_has_taken",
            [](const Holder& holder, const Stage& stage) {
              auto jobs = Queue<Pose>::create(holder, "jobs", {.messages = 1}).or_throw();
              jobs.send({.x = 1}, never).or_throw();
              const auto taken = jobs.take(never).or_throw();
              stage.say_ready();
              kit::wait_to_be_killed();
            },
            [](const Holder& holder, const Stage& stage) {
              stage.until_ready();
              auto jobs = Queue<Pose>::open(holder, "jobs").or_throw();
              while (jobs.send({.x = 2}, never)) {
              }
            },
            "queue jobs, which is full"},
    Pattern{"a_call_whose_server_does_not_answer",
            [](const Holder& holder, const Stage& stage) {
              auto server = Server<Pose, Pose>::create(holder, "calculator").or_throw();
              stage.say_ready();
              const auto call = server.receive(never).or_throw();
              kit::wait_to_be_killed();
            },
            [](const Holder& holder, const Stage& stage) {
              stage.until_ready();
              auto client = Client<Pose, Pose>::create(holder, "calculator").or_throw();
              (void)client.call({.x = 1}, never);
            },
            "service calculator"},
    Pattern{"a_semaphore_whose_permits_somebody_has",
            [](const Holder& holder, const Stage& stage) {
              auto& semaphore = stage.make<Semaphore>(0, 2U, holder);
              const auto one = semaphore.acquire(holder, never).or_throw();
              const auto other = semaphore.acquire(holder, never).or_throw();
              stage.say_ready();
              kit::wait_to_be_killed();
            },
            [](const Holder& holder, const Stage& stage) {
              stage.until_ready();
              (void)reinterpret_cast<Semaphore*>(stage.memory.data())->acquire(holder, never);
            },
            "(semaphore), which is not high enough; its owner is"},
    Pattern{"a_barrier_at_which_one_has_not_arrived",
            [](const Holder& holder, const Stage& stage) {
              auto& barrier = stage.make<Barrier>(0, 2U, holder);
              const auto member = barrier.join(holder).or_throw();
              stage.say_ready();
              kit::wait_to_be_killed();
            },
            [](const Holder& holder, const Stage& stage) {
              stage.until_ready();
              auto member = reinterpret_cast<Barrier*>(stage.memory.data())->join(holder).or_throw();
              (void)member.arrive_and_wait(never);
            },
            "(barrier)"},
    Pattern{"a_lock_that_somebody_reads_under",
            [](const Holder&, const Stage& stage) {
              const auto guard = stage.make<RwLock>(0).read(never).or_throw();
              stage.say_ready();
              kit::wait_to_be_killed();
            },
            [](const Holder&, const Stage& stage) {
              stage.until_ready();
              (void)reinterpret_cast<RwLock*>(stage.memory.data())->write(never);
            },
            "(robust mutex), which is locked; its owner is"},
};

bool is_said_to_be_stuck(const Snapshot& all, pid_t pid) {
  return std::ranges::any_of(Chains(all).of(pid), [](const Chain& chain) { return inspect::is_stuck(chain.ending); });
}

// The test's own handlers would be taken for such as may end a wait.
void forget_handlers() {
  for (int number = 1; number < NSIG; ++number) {
    ::signal(number, SIG_DFL);
  }
}

class WhyOfPatterns : public SnapshotOfDomain, public testing::WithParamInterface<Pattern> {
 protected:
  // The first chain of that process that tells of the thing and ends at `last`, as soon as there is one.
  Chain chain_to(pid_t last, pid_t waiter, Ending ending) {
    while (true) {
      all_ = inspect::snapshot({.directories = {}, .domains = {{unique_.path()}}, .waits = true});
      for (const Chain& chain : Chains(all_).of(waiter)) {
        const bool told = inspect::sentence(all_, chain, 0).contains(GetParam().object);
        if (told && chain.last == last && chain.ending == ending) {
          return chain;
        }
      }
    }
  }

  Stage stage_;
  Snapshot all_;
};

TEST_P(WhyOfPatterns, names_who_holds_up_the_waiter_and_what_to_do) {
  Child other = start([&](const Holder& holder) { GetParam().holds_up(holder, stage_); });
  Child waiter = start([&](const Holder& holder) {
    forget_handlers();
    GetParam().waits(holder, stage_);
  });
  chain_to(other.pid(), waiter.pid(), Ending::runs);
  EXPECT_FALSE(is_said_to_be_stuck(all_, waiter.pid())) << "while all are well";
  ASSERT_EQ(::kill(other.pid(), SIGSTOP), 0);
  const Chain stopped = chain_to(other.pid(), waiter.pid(), Ending::stopped);
  EXPECT_EQ(inspect::remedy(all_, stopped), "let it go on: kill -CONT " + std::to_string(other.pid()));
  end(waiter);
  end(other);
}

INSTANTIATE_TEST_SUITE_P(Each, WhyOfPatterns, testing::ValuesIn(patterns),
                         [](const auto& row) { return std::string(row.param.name); });

// What a dead consumer had comes back to whoever waits: nobody is stuck for it.
TEST_F(SnapshotOfDomain, of_a_queue_whose_consumer_died_with_a_message_nobody_is_stuck) {
  const Stage stage;
  Child dead = start([&](const Holder& holder) { patterns[1].holds_up(holder, stage); });
  stage.until_ready();
  Child sender = start([&](const Holder& holder) { patterns[1].waits(holder, stage); });
  end(dead);
  while (true) {
    const Snapshot all = inspect::snapshot({.directories = {}, .domains = {{unique_.path()}}, .waits = true});
    const Wait* const wait = wait_of(all, sender.pid(), Kind::queue);
    if (wait != nullptr && wait->need == Need::room) {
      EXPECT_FALSE(is_said_to_be_stuck(all, sender.pid()));
      break;
    }
  }
  end(sender);
}

}  // namespace
}  // namespace snapshots

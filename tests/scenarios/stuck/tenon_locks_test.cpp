/// Tenon's own locks in shared memory: who waits is seen with those who hold it back.
#include <scenarios/snapshot/fixture.hpp>

#include <tenon/messaging/topic/publisher.hpp>
#include <tenon/messaging/topic/subscriber.hpp>
#include <tenon/sync/barrier.hpp>
#include <tenon/sync/event.hpp>
#include <tenon/sync/mutex.hpp>
#include <tenon/sync/rw_lock.hpp>
#include <tenon/sync/semaphore.hpp>

#include <kit/shared.hpp>

#include <thread>

namespace snapshots {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// Room for one of them where all processes have it.
template <class T>
class Placed {
 public:
  template <class... Arguments>
  explicit Placed(Arguments&&... arguments)
      : memory_(sizeof(T)), object_(new(memory_.data()) T(std::forward<Arguments>(arguments)...)) {}
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }

 private:
  kit::SharedBytes memory_;
  T* object_;
};

class WaitsOfTenonsLocks : public SnapshotOfDomain {
 protected:
  // The wait of that process for a lock in such a state, as soon as it is seen.
  std::pair<Snapshot, Wait> waiting(pid_t pid, const std::string& state) const {
    while (true) {
      Snapshot all = inspect::snapshot({.directories = {}, .domains = {{unique_.path()}}, .waits = true});
      for (const Wait& wait : all.waits) {
        if (wait.pid == pid && !wait.objects.empty() && all.objects[wait.objects.front()].state == state) {
          return {all, wait};
        }
      }
    }
  }
  Holder self() { return Holder::of(unique_.domain(), life_).or_throw(); }

 private:
  const Life life_ = Life::join(unique_.domain()).or_throw();
};

std::vector<pid_t> owners(const std::pair<Snapshot, Wait>& seen) {
  std::vector<pid_t> pids;
  for (const Edge& edge : seen.first.edges_of(seen.second.objects.front())) {
    if (edge.relation == Relation::owns && !edge.ended) {
      pids.push_back(edge.pid);
    }
  }
  return pids;
}

TEST_F(WaitsOfTenonsLocks, a_semaphore_names_each_who_has_a_permit) {
  const Placed<Semaphore> semaphore(3U, self());
  const auto take = [&](int permits) {
    return [&semaphore, permits](const Holder& holder) {
      std::vector<Permit> taken;
      for (int i = 0; i < permits; ++i) {
        taken.push_back(semaphore->acquire(holder, never).or_throw());
      }
      kit::wait_to_be_killed();
    };
  };
  Child two = start(take(2));
  Child one = start(take(1));
  while (semaphore->available() != 0) {
    ::sched_yield();
  }
  Child waiter = start(take(1));
  const auto seen = waiting(waiter.pid(), "semaphore");
  EXPECT_EQ(seen.second.need, Need::lock);
  EXPECT_THAT(owners(seen), UnorderedElementsAre(two.pid(), one.pid()));
  const Edge* const of_two = edge(seen.first, seen.second.objects.front(), two.pid(), Relation::owns);
  EXPECT_EQ(of_two->messages, 2U) << "as many permits";
  end(waiter);
  end(one);
  end(two);
}

TEST_F(WaitsOfTenonsLocks, a_barrier_names_who_has_not_arrived) {
  const Placed<Barrier> barrier(3U, self());
  const auto arrive = [&](const Holder& holder) {
    auto member = barrier->join(holder).or_throw();
    (void)member.arrive_and_wait(never);
  };
  const kit::Shared<std::atomic<bool>> joined;
  Child late = start([&](const Holder& holder) {
    const auto member = barrier->join(holder).or_throw();
    *joined = true;
    kit::wait_to_be_killed();
  });
  while (!*joined) {
    ::sched_yield();
  }
  Child first = start(arrive);
  Child second = start(arrive);
  for (Child* const child : {&first, &second}) {
    auto seen = waiting(child->pid(), "barrier");
    while (owners(seen) != std::vector{late.pid()}) {  // the other may be on its way
      seen = waiting(child->pid(), "barrier");
    }
    EXPECT_EQ(seen.second.need, Need::lock);
  }
  end(second);
  end(first);
  end(late);
}

TEST_F(WaitsOfTenonsLocks, a_barrier_that_somebody_has_yet_to_join_is_held_up_by_nobody_here) {
  const Placed<Barrier> barrier(2U, self());
  Child first = start([&](const Holder& holder) {
    auto member = barrier->join(holder).or_throw();
    (void)member.arrive_and_wait(never);
  });
  EXPECT_THAT(owners(waiting(first.pid(), "barrier")), IsEmpty());
  end(first);
}

TEST_F(WaitsOfTenonsLocks, a_writer_is_held_back_by_the_reader_it_waits_for_and_a_reader_by_the_writer) {
  const Placed<RwLock> lock;
  const kit::Shared<std::atomic<bool>> reading;
  Child reader = start([&](const Holder&) {
    const auto guard = lock->read(never).or_throw();
    *reading = true;
    kit::wait_to_be_killed();
  });
  while (!*reading) {
    ::sched_yield();
  }
  Child writer = start([&](const Holder&) { (void)lock->write(never); });
  EXPECT_THAT(owners(waiting(writer.pid(), "robust mutex")), UnorderedElementsAre(reader.pid()));
  Child second = start([&](const Holder&) { (void)lock->read(never); });
  EXPECT_THAT(owners(waiting(second.pid(), "robust mutex")), UnorderedElementsAre(writer.pid()));
  end(second);
  end(writer);
  end(reader);
}

// It says itself since when it waits for a message, but not which of its threads does.
TEST_F(WaitsOfTenonsLocks, of_a_subscribers_sibling_that_waits_for_a_lock_both_waits_are_told) {
  const Placed<Mutex> mutex;
  const kit::Shared<std::atomic<bool>> held;
  Child owner = start([&](const Holder&) {
    const auto guard = mutex->lock(never).or_throw();
    *held = true;
    kit::wait_to_be_killed();
  });
  while (!*held) {
    ::sched_yield();
  }
  Child both = start([&](const Holder& holder) {
    std::jthread other([&] {
      auto subscriber = Subscriber<Pose>::create(holder, "pose").or_throw();
      (void)subscriber.receive(never);
    });
    (void)mutex->lock(never);
  });
  while (true) {
    const auto seen = waiting(both.pid(), "robust mutex");
    const Wait* const record = wait_of(seen.first, both.pid(), Kind::topic);
    if (record != nullptr && record->thread != 0) {
      EXPECT_THAT(owners(seen), UnorderedElementsAre(owner.pid()));
      EXPECT_NE(record->thread, both.pid());
      EXPECT_EQ(seen.second.thread, both.pid()) << "its main thread";
      EXPECT_TRUE(record->since) << "by its own record";
      const auto of_both = std::ranges::count(seen.first.waits, both.pid(), &Wait::pid);
      EXPECT_EQ(of_both, 2) << "each once";
      break;
    }
  }
  end(both);
  end(owner);
}

}  // namespace
}  // namespace snapshots

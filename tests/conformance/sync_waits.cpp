// The waits of what coordinates processes inside shared memory, each on something that another process keeps.
#include "waits.hpp"

#include <kit/shared.hpp>
#include <kit/unique.hpp>
#include <tenon/os/process.hpp>
#include <tenon/sync/barrier.hpp>
#include <tenon/sync/condition.hpp>
#include <tenon/sync/event.hpp>
#include <tenon/sync/once.hpp>
#include <tenon/sync/rw_lock.hpp>
#include <tenon/sync/semaphore.hpp>

#include <csignal>
#include <memory>
#include <new>
#include <sched.h>
#include <unistd.h>

namespace conformance {

namespace {

using namespace tenon;

Result<void> nothing_of(Result<void> result) { return result; }
template <class T>
Result<void> nothing_of(Result<T> result) {
  return std::move(result).transform([](T&&) {});
}

/// A subject in shared memory and a process that keeps it busy until nobody refers to it any more.
template <class Subject>
class Kept {
 public:
  Kept() {
    while (!subject_->is_kept()) {
      ::sched_yield();
    }
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  ~Kept() {
    (void)keeper_.signal(SIGKILL);
    (void)keeper_.wait(never);
  }
  Subject& operator*() { return *subject_; }

 private:
  kit::Shared<Subject> subject_;
  Child keeper_ = spawn([this] {
                    subject_->keep();
                    return 0;
                  }).or_throw();
};

[[noreturn]] void stay() {
  while (true) {
    ::pause();
  }
}

struct Written {
  RwLock lock;
  bool is_kept() { return lock.try_read().failed_with(Errc::would_block); }
  void keep() {
    const WriteGuard guard = lock.write(never).or_throw();
    stay();
  }
};

struct Run {
  Once once;
  std::atomic<bool> running = false;
  bool is_kept() const { return running; }
  void keep() {
    (void)once.run(
        [this]() -> Result<void> {
          running = true;
          stay();
        },
        never);
  }
};

struct Changing {
  Mutex mutex;
  Condition condition;
};

struct Automatic {
  Event event{Event::Reset::automatic};
};

/// A member of a domain of its own, and memory for what its members share.
template <class Subject>
class Membership {
 public:
  Membership()
      : life_(Life::join(domain_.domain()).or_throw()), holder_(Holder::of(domain_.domain(), life_).or_throw()) {
    // What it waits for is kept by itself: a copy of it in a forked child lets go of nothing.
    new (memory_.data()) Subject(count, holder_);
  }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  ~Membership() = default;

  Subject& subject() { return *std::launder(reinterpret_cast<Subject*>(memory_.data())); }
  const Holder& holder() const { return holder_; }

 private:
  static constexpr std::uint32_t count = std::same_as<Subject, Barrier> ? 2 : 1;

  kit::UniqueDomain domain_;
  Life life_;
  Holder holder_;
  Mapping memory_ = Mapping::shared_with_children(sizeof(Subject)).or_throw();
};

struct Taken : Membership<Semaphore> {
  Permit permit = subject().acquire(holder(), never).or_throw();
};
struct Lonely : Membership<Barrier> {
  BarrierMember member = subject().join(holder()).or_throw();
};

template <class Subject, class Method>
std::function<Waiting()> on(Method method) {
  return [=] {
    return [subject = std::make_shared<Subject>(), method](Deadline deadline) {
      return nothing_of(method(*subject, deadline));
    };
  };
}

Result<void> wait_in_vain(const kit::Shared<Changing>& shared, Deadline deadline) {
  return shared->mutex.lock(never).and_then(
      [&](MutexGuard guard) { return shared->condition.wait_until(guard, [] { return false; }, deadline); });
}

}  // namespace

std::vector<Wait> sync_waits() {
  return {
      {"RwLock_read", on<Kept<Written>>([](auto& kept, Deadline d) { return (*kept).lock.read(d); })},
      {"RwLock_write", on<Kept<Written>>([](auto& kept, Deadline d) { return (*kept).lock.write(d); })},
      {"Once_run",
       on<Kept<Run>>([](auto& kept, Deadline d) { return (*kept).once.run([]() -> Result<void> { return {}; }, d); })},
      {"Condition_wait", on<kit::Shared<Changing>>([](auto& shared, Deadline d) { return wait_in_vain(shared, d); })},
      {"Event_wait", on<kit::Shared<Automatic>>([](auto& shared, Deadline d) { return shared->event.wait(d); })},
      {"Semaphore_acquire",
       on<Taken>([](Taken& taken, Deadline d) { return taken.subject().acquire(taken.holder(), d); })},
      {"Barrier_arrive_and_wait",
       on<Lonely>([](Lonely& lonely, Deadline d) { return lonely.member.arrive_and_wait(d); })},
  };
}

}  // namespace conformance

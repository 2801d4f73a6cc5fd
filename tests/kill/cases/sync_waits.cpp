// Who waits for a Condition, an Event, or Once, and who wakes them, is killed; the others' waits end. A wait of the C
// library's condition variable, in condition_variable.cpp, is their control.
#include "../cases.hpp"
#include "../must.hpp"
#include "../sleeper.hpp"

#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/sync/condition.hpp>
#include <tenon/sync/event.hpp>
#include <tenon/sync/once.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <sched.h>
#include <thread>

namespace kill_cases {

namespace {

using namespace std::chrono_literals;
using tenon::after;
using tenon::Errc;
using tenon::MutexGuard;
using tenon::never;
using tenon::Result;

struct Rounds {
  tenon::Mutex mutex;
  tenon::Condition changed;
  volatile int rounds = 0;

  MutexGuard lock() {
    MutexGuard guard = mutex.lock(never).or_throw();
    guard.mark_consistent();  // one store is all there is: it was made or not
    return guard;
  }
  void wait(tenon::Deadline deadline) {
    MutexGuard guard = lock();
    const int seen = rounds;
    Result<void> waited;
    do {
      waited = changed.wait_until(guard, [&] { return rounds != seen; }, deadline);
      guard.mark_consistent();
    } while (waited.failed_with(Errc::owner_died));
  }
  void ring() {
    {
      const MutexGuard guard = lock();
      rounds = rounds + 1;
    }
    changed.notify_all();
  }
  bool happened() const { return rounds != 0; }
};

// Some readings of a steady clock; by the real one it is over when the waiter is about to sleep.
constexpr auto a_moment = 3us;

/// Waits in vain for a moment; the survivor wakes a waiter of its own, twice.
class Wait : public kit::KillTrial {
 public:
  void operation() override { rounds_->wait(after(a_moment)); }
  bool wants_steady_clock() const override { return true; }
  void survive() override {
    for (int round = 0; round < 2; ++round) {
      std::atomic<bool> woken = false;
      std::thread waiter([&] {
        rounds_->wait(never);
        woken = true;
      });
      while (!woken) {
        rounds_->ring();
        std::this_thread::yield();
      }
      waiter.join();
    }
  }
  std::uint64_t state() override { return kit::hash_of(rounds_.bytes()); }

 private:
  kit::Shared<Rounds> rounds_;
};

/// A sleeper, a process of its own, sleeps before the operation begins; once what it waits for has happened, it wakes.
template <class Subject>
class Wake : public kit::KillTrial {
 public:
  Wake() : sleeper_(tenon::spawn([this] { return sleep(); }).or_throw()) {
    while (!*begun_ || tenon::procfs::process(sleeper_.pid()).or_throw().state != 'S') {
      ::sched_yield();
    }
  }
  ~Wake() override {
    (void)sleeper_.signal(SIGKILL);
    (void)sleeper_.wait(never);
  }
  void operation() override { subject_->ring(); }
  void survive() override {
    tell_until([this] { return !subject_->happened() || *woken_; }, sleeper_.pid());
  }
  std::uint64_t state() override { return kit::hash_of(subject_.bytes()); }

 private:
  int sleep() {
    look_again_when_told();
    *begun_ = true;
    subject_->wait(never);
    *woken_ = true;
    return 0;
  }

  kit::Shared<Subject> subject_;
  kit::Shared<std::atomic<bool>> begun_;
  kit::Shared<std::atomic<bool>> woken_;
  tenon::Child sleeper_;
};

struct SetOnce {
  tenon::Event event{tenon::Event::Reset::manual};
  void ring() { event.set(); }
  void wait(tenon::Deadline deadline) { event.wait(deadline).or_throw(); }
  bool happened() const { return event.is_set(); }
};

/// One that resets itself is set, waited for, and waited for in vain: killed anywhere, it is set and taken again.
class TakeEvent : public kit::KillTrial {
 public:
  void before() override { shared_->event.set(); }
  void operation() override {
    shared_->event.wait(never).or_throw();
    (void)shared_->event.wait(after(a_moment));
  }
  bool wants_steady_clock() const override { return true; }
  void survive() override {
    (void)shared_->event.try_wait();
    must(shared_->event.try_wait().failed_with(Errc::would_block), "set once, it was taken twice");
    shared_->event.set();
    shared_->event.wait(never).or_throw();
    must(!shared_->event.is_set(), "it did not reset itself");
  }
  std::uint64_t state() override { return kit::hash_of(shared_.bytes()); }

 private:
  struct Automatic {
    tenon::Event event{tenon::Event::Reset::automatic};
  };
  kit::Shared<Automatic> shared_;
};

class RunOnce : public kit::KillTrial {
 public:
  void operation() override {
    (void)shared_->once.run([this] { return initialise(); }, never).or_throw();
  }
  void survive() override {
    operation();
    must(shared_->once.is_done() && shared_->a == 17 && shared_->b == 17, "it is done, and not initialised");
    must(!shared_->once.run([this] { return initialise(); }, never).or_throw(), "it was run after it was done");
  }
  bool rival_may_wait() const override { return true; }
  std::uint64_t state() override { return kit::hash_of(shared_.bytes()); }

 private:
  struct Initialised {
    tenon::Once once;
    volatile int a = 0;
    volatile int b = 0;
  };
  Result<void> initialise() {
    must(!shared_->once.is_done(), "it was begun after it was done");
    shared_->a = 17;
    shared_->b = 17;
    return {};
  }
  kit::Shared<Initialised> shared_;
};

}  // namespace

kit::KillCase sync_condition_wait() { return case_of<Wait>("sync: condition, wait"); }
kit::KillCase sync_condition_notify() { return case_of<Wake<Rounds>>("sync: condition, notify"); }
kit::KillCase sync_event_set() { return case_of<Wake<SetOnce>>("sync: event, set"); }
kit::KillCase sync_event_wait() { return case_of<TakeEvent>("sync: event, wait"); }
kit::KillCase sync_once() { return case_of<RunOnce>("sync: once"); }

}  // namespace kill_cases

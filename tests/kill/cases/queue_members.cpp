// A process is killed while it makes a queue, opens, closes or removes one, waits at it, or takes back what another had
// that died. Who comes next has a queue that works, and loses nothing of what was in it.
#include "../cases.hpp"
#include "../queue_trial.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <sched.h>
#include <thread>

namespace kill_cases {

namespace {

using namespace std::chrono_literals;
using tenon::after;
using tenon::Errc;
using tenon::never;
using tenon::QueuePort;

template <class M>
std::unique_ptr<QueuePort> port_of(const tenon::Holder& holder) {
  return QueuePort::open(holder, "q", tenon::QueueShape<M>::type()).or_throw();
}

class Open : public QueueTrial<ShortJob> {
 public:
  void before() override { enter(); }
  void operation() override { open_queue(); }
};

/// With a message that it has taken, and room that it was lent.
class Close : public QueueTrial<LongJob> {
 public:
  void before() override {
    enter();
    port_ = port_of<LongJob>(holder());
    static_cast<void>(port_->take(never).or_throw());
    static_cast<void>(port_->claim(Jobs<LongJob>::words * 8, never).or_throw());
  }
  void operation() override { port_.reset(); }
  bool rival_may_wait() const override { return true; }

 private:
  std::unique_ptr<QueuePort> port_;
};

/// Another queue, which is there whole or not at all.
class Make : public QueueTrial<ShortJob> {
 public:
  void operation() override { static_cast<void>(Queue::open_or_create(holder(), "made", {.messages = 2}).or_throw()); }
  void survive() override {
    QueueTrial::survive();
    join();
    {
      auto made = Queue::open_or_create(holder(), "made", {.messages = 2}).or_throw();
      made.try_send(Jobs<ShortJob>::of(1)).or_throw();
      must(made.try_receive().or_throw().value.number == 1, "what was made is no queue");
    }
    Queue::remove(domain(), "made").or_throw();
    leave();
  }
  bool changes_without_calls() const override { return false; }
};

/// It is gone, or there, and whoever comes next makes another.
class Remove : public QueueTrial<ShortJob> {
 public:
  void before() override { enter(); }
  void operation() override {
    const auto removed = Queue::remove(domain(), "q");
    must(removed || removed.failed_with(Errc::not_found), "a queue cannot be removed");
  }
  void survive() override {
    enter();
    operation();
    {
      auto made = Queue::create(holder(), "q", {.messages = 2}).or_throw();
      made.try_send(Jobs<ShortJob>::of(1)).or_throw();
      must(made.try_receive().or_throw().value.number == 1, "what was made is no queue");
    }
    Queue::remove(domain(), "q").or_throw();
    leave();
    static_cast<void>(tenon::sweep(domain()).or_throw());
  }
  void rival() override {
    operation();
    leave();
  }
};

/// The whole of what one that died had: a message, room, and one that is ready and not hinted at.
class TakeBack : public QueueTrial<LongJob> {
 public:
  TakeBack() {
    let_die([this] {
      auto other = port_of<LongJob>(holder());
      static_cast<void>(other->take(never).or_throw());
      static_cast<void>(other->claim(Jobs<LongJob>::words * 8, never).or_throw());
    });
  }
  void before() override { enter(); }
  void operation() override { open_queue(); }
};

/// Its order of messages, which one died in the midst of changing.
class OrderAnew : public QueueTrial<ShortJob> {
 public:
  OrderAnew() {
    let_die([this] {
      auto port = port_of<ShortJob>(holder());
      static_cast<void>(port->look_at_first([](const tenon::QueueSlot&) { return 0; }));
      const auto guard = port->memory().taking().lock(never).or_throw();
      port->memory().heap().clear();
      port->memory().state().drains.fetch_or(1);
      ::raise(SIGKILL);
    });
  }
  void operation() override { has_come(queue().receive(never).or_throw().value); }

 protected:
  bool may_be_gone(std::uint64_t number) const override { return number == 2; }
};

/// Its map of blocks, likewise.
class MapAnew : public QueueTrial<LongJob> {
 public:
  MapAnew() {
    let_die([this] {
      auto port = port_of<LongJob>(holder());
      const auto guard = port->memory().allocating().lock(never).or_throw();
      port->memory().blocks().clear();
      ::raise(SIGKILL);
    });
  }
  void operation() override { queue().send(Jobs<LongJob>::of(job()), urgent, never).or_throw(); }

 protected:
  bool may_be_new(std::uint64_t number) const override { return number == 4 || number == 5; }
};

// Some readings of a steady clock; by the real one it is over when the waiter is about to sleep.
constexpr auto a_moment = 3us;

/// Waits in vain for a moment; the survivor wakes a waiter of its own.
class Wait : public QueueTrial<ShortJob> {
 public:
  void before() override {
    join();
    for (std::uint64_t i = 1; i <= jobs_before; ++i) {
      has_come(queue().try_receive().or_throw().value);
    }
    queue().wait_by(tenon::Waiting::sleep);
  }
  void operation() override {
    must(queue().receive(after(a_moment)).failed_with(Errc::timed_out), "a message came from nowhere");
  }
  void survive() override {
    QueueTrial::survive();
    join();
    std::atomic<bool> woken = false;
    queue().wait_by(tenon::Waiting::sleep);
    std::thread waiter([&] { woken = queue().receive(never).has_value(); });
    while (!woken) {
      static_cast<void>(queue().try_send(Jobs<ShortJob>::of(survivors_jobs)));
      ::sched_yield();
    }
    waiter.join();
    while (queue().try_receive()) {
    }
    leave();
  }
};

/// Likewise for room.
class WaitForRoom : public QueueTrial<ShortJob> {
 public:
  void before() override {
    join();
    for (std::uint64_t i = 0; i < jobs_before; ++i) {
      queue().try_send(Jobs<ShortJob>::of(survivors_jobs + i)).or_throw();
    }
    queue().wait_by(tenon::Waiting::sleep);
  }
  void operation() override {
    must(queue().send(Jobs<ShortJob>::of(4), after(a_moment)).failed_with(Errc::timed_out), "room came from nowhere");
  }
};

}  // namespace

kit::KillCase queue_open() { return case_of<Open>("queue: open"); }
kit::KillCase queue_close() { return case_of<Close>("queue: close with a message taken"); }
kit::KillCase queue_make() { return case_of<Make>("queue: make one"); }
kit::KillCase queue_remove() { return case_of<Remove>("queue: remove"); }
kit::KillCase queue_take_back() { return case_of<TakeBack>("queue: take back what a dead one had"); }
kit::KillCase queue_order_anew() { return case_of<OrderAnew>("queue: order anew after a death"); }
kit::KillCase queue_map_anew() { return case_of<MapAnew>("queue: count blocks anew after a death"); }
kit::KillCase queue_wait() { return case_of<Wait>("queue: wait for a message"); }
kit::KillCase queue_wait_for_room() { return case_of<WaitForRoom>("queue: wait for room"); }

}  // namespace kill_cases

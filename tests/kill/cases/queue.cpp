// A process is killed while it sends, receives, takes or looks. Who comes next finds each message wholly there or
// wholly not, each that was not delivered once and at its place, and all the room there was. The controls deliver a
// message before they have it, and say that one is there before its bytes are.
#include "../cases.hpp"
#include "../queue_trial.hpp"

#include <cstring>
#include <memory>

namespace kill_cases {

namespace {

using tenon::never;
using tenon::Taken;

template <class M>
class Send : public QueueTrial<M> {
 public:
  using QueueTrial<M>::QueueTrial;
  void operation() override { this->queue().send(Jobs<M>::of(this->job()), urgent, never).or_throw(); }

 protected:
  bool may_be_new(std::uint64_t number) const override { return number == 4 || number == 5; }
};

/// Of so many slots that their hints have two levels.
class SendAmongMany : public Send<ShortJob> {
 public:
  SendAmongMany() : Send(514) {}
};

/// The victim may have the first, and a rival the one after it.
template <class M>
class Receive : public QueueTrial<M> {
 public:
  using QueueTrial<M>::QueueTrial;
  void operation() override {
    const auto got = this->queue().receive(never).or_throw();
    this->has_come(got.value);
  }

 protected:
  bool may_be_gone(std::uint64_t number) const override { return number == 2; }
};

/// Of 513 slots, all taken, whose hints have two levels: the last one's alone is in a word of its own. Nobody's turn
/// leads there, so it is found by its hint or not at all.
class FreeAmongMany : public Receive<ShortJob> {
 public:
  FreeAmongMany() : Receive(slots) {
    enter();
    open_queue();
    while (queue().try_receive()) {
    }
    for (std::uint64_t i = 0; i + 1 < slots; ++i) {
      queue().try_send(Jobs<ShortJob>::of(survivors_jobs)).or_throw();
    }
    queue().try_send(Jobs<ShortJob>::of(2), urgent).or_throw();
    must(queue().try_send(Jobs<ShortJob>::of(4)).failed_with(tenon::Errc::would_block), "there is room for more");
    leave();
  }
  void survive() override {
    join();
    {
      auto other = Queue::open(holder(), "q").or_throw();
      if (queue().fill().waiting < slots) {
        must(queue().try_send(Jobs<ShortJob>::of(survivors_jobs)).has_value(), "a free slot is not found");
      }
    }
    leave();
    Receive::survive();
  }

 protected:
  bool may_be_gone(std::uint64_t) const override { return true; }

 private:
  static constexpr std::uint32_t slots = 513;
};

/// It knows what it has before it says so: then the message is gone only if it is known.
template <class M>
class Acknowledge : public QueueTrial<M> {
 public:
  void operation() override {
    auto taken = this->queue().take(never).or_throw();
    const std::uint64_t number = number_of(taken);
    known_->fetch_or(std::uint64_t{1} << number);
    std::move(taken).acknowledge().or_throw();
  }

 protected:
  bool may_be_gone(std::uint64_t number) const override { return (known_->load() >> number & 1U) != 0; }
  std::atomic<std::uint64_t>& known() { return *known_; }
  static std::uint64_t number_of(const Taken<M>& taken) {
    must(Jobs<M>::is_whole(*taken), "a message is torn");
    return Jobs<M>::number(*taken);
  }

 private:
  kit::Shared<std::atomic<std::uint64_t>> known_;
};

template <class M>
class GiveBack : public QueueTrial<M> {
 public:
  void operation() override {
    auto taken = this->queue().take(never).or_throw();
    must(Jobs<M>::is_whole(*taken), "a message is torn");
    std::move(taken).give_back().or_throw();
  }
};

template <class M>
class Peek : public QueueTrial<M> {
 public:
  void operation() override { must(Jobs<M>::is_whole(this->queue().peek().or_throw().value), "a message is torn"); }
};

/// Room that is lent and not used.
template <class M>
class Abandon : public QueueTrial<M> {
 public:
  void operation() override {
    if constexpr (tenon::SlicedMessage<M>) {
      static_cast<void>(this->queue().loan(Jobs<M>::words, never).or_throw());
    } else {
      static_cast<void>(this->queue().loan(never).or_throw());
    }
  }
};

/// The control: it says that it has the message before it has it.
class AcknowledgedFirst : public Acknowledge<ShortJob> {
 public:
  void operation() override {
    auto taken = queue().take(never).or_throw();
    const std::uint64_t number = number_of(taken);
    std::move(taken).acknowledge().or_throw();
    known().fetch_or(std::uint64_t{1} << number);
  }
};

/// The control: a message is there before its bytes are.
class CommittedFirst : public Send<ShortJob> {
 public:
  void before() override {
    enter();
    port_ = tenon::QueuePort::open(holder(), "q", tenon::QueueShape<ShortJob>::type()).or_throw();
  }
  void operation() override {
    const auto held = port_->claim(sizeof(ShortJob), never).or_throw();
    port_->commit(held, sizeof(ShortJob), urgent).or_throw();
    const auto bytes = Jobs<ShortJob>::of(4);
    std::memcpy(port_->bytes_of(held), &bytes, sizeof bytes);
  }

 private:
  std::unique_ptr<tenon::QueuePort> port_;
};

}  // namespace

kit::KillCase queue_send_short() { return case_of<Send<ShortJob>>("queue: send in a slot"); }
kit::KillCase queue_send_long() { return case_of<Send<LongJob>>("queue: send in blocks"); }
kit::KillCase queue_send_among_many() { return case_of<SendAmongMany>("queue: send, of 514 slots"); }
kit::KillCase queue_free_among_many() { return case_of<FreeAmongMany>("queue: receive, of 513 slots"); }
kit::KillCase queue_receive_short() { return case_of<Receive<ShortJob>>("queue: receive from a slot"); }
kit::KillCase queue_receive_long() { return case_of<Receive<LongJob>>("queue: receive from blocks"); }
kit::KillCase queue_acknowledge_short() { return case_of<Acknowledge<ShortJob>>("queue: take and acknowledge"); }
kit::KillCase queue_acknowledge_long() { return case_of<Acknowledge<LongJob>>("queue: take and acknowledge blocks"); }
kit::KillCase queue_give_back() { return case_of<GiveBack<ShortJob>>("queue: take and give back"); }
kit::KillCase queue_peek() { return case_of<Peek<LongJob>>("queue: peek"); }
kit::KillCase queue_abandon() { return case_of<Abandon<LongJob>>("queue: a loan that is not sent"); }
kit::KillCase queue_acknowledged_first() {
  return case_of<AcknowledgedFirst>("a queue's message gone before it is known", true);
}
kit::KillCase queue_committed_first() {
  return case_of<CommittedFirst>("a queue's message there before its bytes", true);
}

}  // namespace kill_cases

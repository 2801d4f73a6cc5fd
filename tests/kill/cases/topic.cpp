// A process is killed while it publishes, receives and holds, or while it comes to a topic or leaves it. A bystander at
// the other end finds each message wholly there or wholly not, is told of the death, has back what the dead one held,
// and loses nothing; nothing is left. The control stores an entry's number before its words.
#include "../cases.hpp"
#include "../topic_trial.hpp"

#include <kit/shared.hpp>
#include <kit/state_hash.hpp>

#include <array>
#include <optional>

namespace kill_cases {

namespace {

using kit::numbered;
using tenon::Errc;
using tenon::never;
using tenon::Publisher;
using tenon::Sample;
using tenon::Subscriber;

/// The victim publishes; the bystander subscribes, and finds either all of the message or nothing of it.
template <class T>
class Publish : public TopicTrial {
 public:
  Publish() {
    start_bystander([this] {
      auto subscriber = Subscriber<T>::create(holder(), "t").or_throw();
      ready_and_wait();
      const std::uint64_t received = received_until_death(subscriber);
      must(received == before_the_kill || received == before_the_kill + 1, "a committed message was lost");
    });
  }
  void before() override {
    TopicTrial::before();
    publisher_.emplace(Publisher<T>::create(holder(), "t", small).or_throw());
    for (std::uint64_t i = 1; i <= before_the_kill; ++i) {
      publisher_->publish(numbered<T>(i), never).or_throw();
    }
  }
  void operation() override {
    auto loan = publisher_->loan().or_throw();
    *loan = numbered<T>(before_the_kill + 1);
    publisher_->publish(std::move(loan), never).or_throw();
  }

 private:
  std::optional<Publisher<T>> publisher_;
};

/// The victim receives and holds; the bystander publishes, and is not held back for longer than the victim lives.
template <class T>
class Receive : public TopicTrial {
 public:
  Receive() {
    start_bystander([this] {
      auto publisher = Publisher<T>::create(holder(), "t", small).or_throw();
      once_joined([&] {
        for (std::uint64_t i = 1; i <= before_the_kill; ++i) {
          publisher.publish(numbered<T>(i), never).or_throw();
        }
      });
      ready_and_wait();
      auto other = Subscriber<T>::create(holder(), "t").or_throw();
      for (std::uint64_t i = 1; i <= 30; ++i) {
        must(publisher.try_publish(numbered<T>(i)).has_value(), "a dead subscriber holds something back");
        must_be(*other.try_receive().or_throw(), i);
      }
      must(publisher.subscribers().size() == 1, "a dead subscriber is still there");
    });
  }
  void before() override {
    TopicTrial::before();
    subscriber_.emplace(Subscriber<T>::create(holder(), "t").or_throw());
    say_joined();
    held_.emplace(subscriber_->try_receive().or_throw());
  }
  void operation() override {
    must_be(**held_, 1);
    auto second = subscriber_->try_receive().or_throw();
    held_.reset();
    must_be(*second, 2);
  }

 private:
  std::optional<Subscriber<T>> subscriber_;
  std::optional<Sample<T>> held_;
};

/// The victim comes to a topic, or leaves it; the bystander is there as the other kind.
class Come : public TopicTrial {
 public:
  explicit Come(bool publishes) : publishes_(publishes) {
    start_bystander([this] {
      auto publisher = Publisher<Short>::create(holder(), "t", small).or_throw();
      auto subscriber = Subscriber<Short>::create(holder(), "t").or_throw();
      ready_and_wait();
      for (std::uint64_t i = 1; i <= 10; ++i) {
        must(publisher.try_publish(numbered<Short>(i)).has_value(), "one who died while it came holds something back");
        auto sample = subscriber.receive(never);
        while (sample.failed_with(Errc::peer_died) || sample.failed_with(Errc::closed)) {
          sample = subscriber.receive(never);
        }
        must(sample.has_value(), "nothing can be received beside one who died while it came");
        must_be(**sample, i);
      }
    });
  }
  void operation() override {
    if (publishes_) {
      publisher_.emplace(Publisher<Short>::create(holder(), "t", small).or_throw());
    } else {
      subscriber_.emplace(Subscriber<Short>::create(holder(), "t").or_throw());
    }
  }
  bool changes_without_calls() const override { return false; }

 protected:
  bool publishes_;
  std::optional<Publisher<Short>> publisher_;
  std::optional<Subscriber<Short>> subscriber_;
};

class Go : public Come {
 public:
  using Come::Come;
  void before() override {
    Come::before();
    Come::operation();
  }
  void operation() override {
    if (publishes_) {
      std::move(*publisher_).close().or_throw();
    } else {
      std::move(*subscriber_).close().or_throw();
    }
  }
};

/// The control: the number says that the message is there before its words are.
class NumberedFirst : public kit::KillTrial {
 public:
  using Entry = tenon::MessageEntry<5>;
  using Ring = tenon::MessageRing<Entry>;
  NumberedFirst() { ring().initialise(0); }

  void operation() override {
    Entry& entry = memory_->entries[0];
    entry.number.store(1);
    for (std::size_t i = 0; i < 4; ++i) {
      entry.word[i].store(1 + i);
    }
  }
  void survive() override {
    Ring::Copy<4> copy;
    const auto seen = Ring::Reader(ring(), 0).look(copy);
    must(seen != Ring::Seen::message || copy.word == std::array<std::uint64_t, 4>{1, 2, 3, 4}, "a message is torn");
  }
  std::uint64_t state() override { return kit::hash_of(memory_.bytes()); }

 private:
  struct Memory {
    std::array<Entry, 2> entries;
  };
  Ring ring() { return Ring(memory_->entries); }
  kit::Shared<Memory> memory_;
};

}  // namespace

kit::KillCase topic_publish_short() {
  return {.name = "topic: publish in an entry", .make = [] { return std::make_unique<Publish<Short>>(); }};
}
kit::KillCase topic_publish_long() {
  return {.name = "topic: publish in a chunk", .make = [] { return std::make_unique<Publish<Long>>(); }};
}
kit::KillCase topic_receive_short() {
  return {.name = "topic: receive from an entry", .make = [] { return std::make_unique<Receive<Short>>(); }};
}
kit::KillCase topic_receive_long() {
  return {.name = "topic: receive, hold and release a chunk", .make = [] { return std::make_unique<Receive<Long>>(); }};
}
kit::KillCase topic_join_publisher() {
  return {.name = "topic: create a publisher", .make = [] { return std::make_unique<Come>(true); }};
}
kit::KillCase topic_join_subscriber() {
  return {.name = "topic: subscribe", .make = [] { return std::make_unique<Come>(false); }};
}
kit::KillCase topic_leave_publisher() {
  return {.name = "topic: close a publisher", .make = [] { return std::make_unique<Go>(true); }};
}
kit::KillCase topic_leave_subscriber() {
  return {.name = "topic: unsubscribe", .make = [] { return std::make_unique<Go>(false); }};
}
kit::KillCase topic_numbered_first() {
  return {.name = "topic: an entry numbered before it is written",
          .make = [] { return std::make_unique<NumberedFirst>(); },
          .control = true};
}

}  // namespace kill_cases

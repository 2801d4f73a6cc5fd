// A process is killed while it rings a subscriber that polls, or while it begins to poll itself. Who polls has what was
// committed, rung or not, and no socket is left.
#include "../cases.hpp"
#include "../topic_trial.hpp"

#include <tenon/os/poll.hpp>

namespace kill_cases {

namespace {

using tenon::Errc;
using tenon::never;
using tenon::Publisher;
using tenon::Subscriber;

class RingWhoPolls : public TopicTrial {
 public:
  RingWhoPolls() {
    start_bystander([this] {
      auto subscriber = Subscriber<Short>::create(holder(), "t").or_throw();
      const tenon::FdView fd = subscriber.fd().or_throw();
      // Until it knows the publisher, whose coming rang: from then on it is rung by a message alone.
      once_joined([&] {
        while (subscriber.publishers() == 0 || tenon::wait_ready(fd, tenon::Ready::reading, tenon::immediately)) {
          must(subscriber.try_receive().failed_with(Errc::would_block), "there is a message that nobody has sent");
        }
      });
      ready_and_wait();
      std::uint64_t received = 0;
      auto sample = subscriber.try_receive();
      while (sample || sample.failed_with(Errc::would_block)) {
        if (sample) {
          must_be(**sample, ++received);
        } else {
          tenon::wait_ready(fd, tenon::Ready::reading, never).or_throw();
        }
        sample = subscriber.try_receive();
      }
      must(sample.failed_with(Errc::peer_died), "a publisher's death was not told");
      must(received >= *committed_ && received <= 1, "a committed message was lost");
    });
  }
  void before() override {
    TopicTrial::before();
    publisher_.emplace(Publisher<Short>::create(holder(), "t", small).or_throw());
    say_joined();
  }
  void operation() override {
    publisher_->publish(kit::numbered<Short>(1), never).or_throw();
    *committed_ = 1;
  }

 private:
  kit::Shared<std::atomic<std::uint64_t>> committed_;
  std::optional<Publisher<Short>> publisher_;
};

/// The bystander publishes, and is not held back by who died as it began to listen.
class BeginToPoll : public TopicTrial {
 public:
  BeginToPoll() {
    start_bystander([this] {
      auto publisher = Publisher<Short>::create(holder(), "t", small).or_throw();
      ready_and_wait();
      for (std::uint64_t i = 1; i <= 10; ++i) {
        must(publisher.try_publish(kit::numbered<Short>(i)).has_value(), "a dead subscriber holds something back");
      }
    });
  }
  void before() override {
    TopicTrial::before();
    subscriber_.emplace(Subscriber<Short>::create(holder(), "t").or_throw());
  }
  void operation() override {
    subscriber_->fd().or_throw();
    must(subscriber_->try_receive().failed_with(Errc::would_block), "there is a message that nobody has sent");
  }

 private:
  std::optional<Subscriber<Short>> subscriber_;
};

}  // namespace

kit::KillCase topic_ring_who_polls() { return case_of<RingWhoPolls>("topic: ring who polls"); }
kit::KillCase topic_begin_to_poll() { return case_of<BeginToPoll>("topic: begin to poll"); }

}  // namespace kill_cases

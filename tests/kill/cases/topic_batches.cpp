// A process is killed while it publishes slices, in an entry where a chunk was, in a chunk, and in the chunk of a
// message that it takes back for it, or publishes and receives batches. A bystander at the other end finds each message
// wholly there or wholly not, in their order, and loses nothing that was committed.
#include "../cases.hpp"
#include "../topic_trial.hpp"

#include <algorithm>
#include <vector>

namespace kill_cases {

namespace {

using tenon::Errc;
using tenon::never;
using tenon::Publisher;
using tenon::Subscriber;
using Words = tenon::Slice<std::uint64_t>;

/// In one line, in two, and in a chunk: in a ring of four a short one comes where a long one was, and the other way
/// round.
struct OfAnyLength {
  static constexpr tenon::PublisherOptions options = small;
  static std::vector<std::uint64_t> row(std::uint64_t number) {
    return std::vector<std::uint64_t>(number % 3 == 0 ? 20 : number % 3 == 1 ? 5 : 9, number);
  }
  static void publish(Publisher<Words>& publisher, std::uint64_t number) {
    publisher.publish(row(number), never).or_throw();
  }
  static bool is(std::span<const std::uint64_t> slice, std::uint64_t number) {
    return std::ranges::equal(slice, row(number));
  }
};

/// So long that each is written where the last one was, which is taken back.
struct WrittenAgain {
  static constexpr std::size_t words = (512 << 10) / sizeof(std::uint64_t);
  static constexpr tenon::PublisherOptions options{
      .depth = 1, .longest = words, .max_loans = 1, .held = 1, .timestamps = tenon::Timestamps::none};
  static void publish(Publisher<Words>& publisher, std::uint64_t number) {
    auto loan = publisher.loan(words).or_throw();
    loan[0] = loan[words / 2] = loan[words - 1] = number;
    publisher.publish(std::move(loan), never).or_throw();
  }
  static bool is(std::span<const std::uint64_t> slice, std::uint64_t number) {
    return slice.size() == words && slice[0] == number && slice[words / 2] == number && slice[words - 1] == number;
  }
};

/// The bystander does not keep up, and is overtaken: what it finds is whole, and what it misses is counted.
template <class Slices>
class PublishSlices : public TopicTrial {
 public:
  PublishSlices() {
    start_bystander([this] {
      auto subscriber = Subscriber<Words>::create(holder(), "t", {.reliable = false}).or_throw();
      ready_and_wait();
      std::uint64_t received = 0;
      auto sample = subscriber.receive(never);
      for (; sample; sample = subscriber.receive(never)) {
        ++received;
        must(Slices::is(*sample.value(), sample->number() + 1), "a slice is torn, or another than was sent");
      }
      must(sample.failed_with(Errc::peer_died), "a publisher's death was not told");
      const std::uint64_t published = received + subscriber.lost();
      must(published >= in_ring + *committed_ && published <= in_ring + more,
           "a message was neither received nor counted as lost");
    });
  }
  void before() override {
    TopicTrial::before();
    publisher_.emplace(Publisher<Words>::create(holder(), "t", Slices::options).or_throw());
    for (std::uint64_t i = 1; i <= in_ring; ++i) {
      Slices::publish(*publisher_, i);
    }
  }
  void operation() override {
    for (std::uint64_t i = 1; i <= more; ++i) {
      Slices::publish(*publisher_, in_ring + i);
      *committed_ = i;
    }
  }

 private:
  static constexpr std::uint64_t in_ring = Slices::options.depth;
  static constexpr std::uint64_t more = 3;
  kit::Shared<std::atomic<std::uint64_t>> committed_;
  std::optional<Publisher<Words>> publisher_;
};

constexpr std::size_t batch = 3;

std::vector<Short> messages(std::uint64_t first, std::size_t count) {
  std::vector<Short> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(kit::numbered<Short>(first + i));
  }
  return all;
}

class PublishBatch : public TopicTrial {
 public:
  PublishBatch() {
    start_bystander([this] {
      auto subscriber = Subscriber<Short>::create(holder(), "t").or_throw();
      ready_and_wait();
      const std::uint64_t received = received_until_death(subscriber);
      must(received >= 1 + *committed_ && received <= 1 + batch, "a committed message was lost");
    });
  }
  void before() override {
    TopicTrial::before();
    publisher_.emplace(Publisher<Short>::create(holder(), "t", small).or_throw());
    publisher_->publish(kit::numbered<Short>(1), never).or_throw();
    more_ = messages(2, batch);
  }
  void operation() override { *committed_ = publisher_->publish_batch(more_, never).or_throw(); }

 private:
  kit::Shared<std::atomic<std::uint64_t>> committed_;
  std::optional<Publisher<Short>> publisher_;
  std::vector<Short> more_;
};

/// The bystander publishes, and is not held back by who died with a batch in its hands.
class ReceiveBatch : public TopicTrial {
 public:
  ReceiveBatch() {
    start_bystander([this] {
      auto publisher = Publisher<Short>::create(holder(), "t", small).or_throw();
      once_joined([&] { publisher.publish_batch(messages(1, batch), never).or_throw(); });
      ready_and_wait();
      for (std::uint64_t i = 1; i <= 10; ++i) {
        must(publisher.try_publish(kit::numbered<Short>(i)).has_value(), "a dead subscriber holds something back");
      }
    });
  }
  void before() override {
    TopicTrial::before();
    subscriber_.emplace(Subscriber<Short>::create(holder(), "t").or_throw());
    say_joined();
  }
  void operation() override {
    std::array<Short, batch> received;
    must(subscriber_->receive_batch(received, never).or_throw() == batch, "a committed message was lost");
    for (std::size_t i = 0; i < batch; ++i) {
      must_be(received[i], i + 1);
    }
  }

 private:
  std::optional<Subscriber<Short>> subscriber_;
};

}  // namespace

kit::KillCase topic_publish_slices() { return case_of<PublishSlices<OfAnyLength>>("topic: publish slices"); }
kit::KillCase topic_write_again() {
  return case_of<PublishSlices<WrittenAgain>>("topic: write where the last one was");
}
kit::KillCase topic_publish_batch() { return case_of<PublishBatch>("topic: publish a batch"); }
kit::KillCase topic_receive_batch() { return case_of<ReceiveBatch>("topic: receive a batch"); }

}  // namespace kill_cases

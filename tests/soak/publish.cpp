// A publisher of a soak: it publishes as fast as its subscribers let it, in one of four ways, until its round is over.
#include "membership.hpp"
#include "message.hpp"
#include "random.hpp"
#include "role.hpp"

#include <kit/patience.hpp>
#include <tenon/messaging/topic/topic.hpp>

#include <cstdio>
#include <optional>
#include <sched.h>
#include <vector>

namespace soak {

namespace {

using tenon::Deadline;
using tenon::Publisher;
using tenon::Result;
using tenon::Slice;

constexpr std::size_t batch = 64;
// More than all subscribers of a topic may hold, those that were just killed included.
constexpr std::uint32_t held = 128;

class Publishing {
 public:
  Publishing(const Task& task, std::uint32_t place)
      : task_(task),
        random_(task.seed),
        progress_(task.topic().progress[place]),
        name_(std::uint64_t{task.ledger.round()} << 32 | place) {}

  template <class T, class PublishSome>
  void run(const tenon::Holder& holder, std::initializer_list<std::uint32_t> depths, PublishSome publish_some) {
    const tenon::PublisherOptions options{.depth = depths.begin()[random_.below(depths.size())],
                                          .longest = longest_slice,
                                          .held = held,
                                          .timestamps = static_cast<tenon::Timestamps>(random_.below(3)),
                                          .waiting = waiting()};
    auto publisher = Publisher<T>::create(holder, task_.topic_name(), options).or_throw();
    Deadline deadline = tenon::after(patience());
    for (std::uint64_t turn = 0; task_.ledger.phase() == Phase::work; ++turn) {
      if (turn % 1024 == 0) {
        deadline = tenon::after(patience());
        skip_a_number();
      }
      const Result<std::size_t> sent = publish_some(*this, publisher, deadline);
      if (sent) [[likely]] {
        next_ += *sent;
        progress_.sent.store(next_, std::memory_order_release);
      } else if (sent.error().code() != tenon::Errc::limit_reached || deadline.passed()) {
        task_.complain(sent.error().message());
        return;
      } else {
        ::sched_yield();  // all chunks are held, also by those who were just killed
      }
    }
    std::move(publisher).close().or_throw();
  }

  static Result<std::size_t> one(Publishing& self, Publisher<Short>& publisher, Deadline deadline) {
    self.begin(1);
    Short message;
    self.write_next(message.words);
    return publisher.publish(message, deadline).transform([] { return std::size_t{1}; });
  }
  static Result<std::size_t> several(Publishing& self, Publisher<Short>& publisher, Deadline deadline) {
    std::array<Short, batch> messages;
    const std::size_t count = 1 + self.random_.below(batch);
    self.begin(count);
    for (std::size_t i = 0; i < count; ++i) {
      self.write_next(messages[i].words, i);
    }
    return publisher.publish_batch(std::span(messages).first(count), deadline);
  }
  static Result<std::size_t> frame(Publishing& self, Publisher<Frame>& publisher, Deadline deadline) {
    self.begin(1);
    if (self.random_.rarely(2)) {
      Frame message;
      self.write_next(message.words);
      return publisher.publish(message, deadline).transform([] { return std::size_t{1}; });
    }
    return publisher.loan().and_then([&](tenon::Loan<Frame> loan) {
      self.write_next(loan->words);
      return publisher.publish(std::move(loan), deadline).transform([] { return std::size_t{1}; });
    });
  }
  static Result<std::size_t> slice(Publishing& self, Publisher<Slice<std::uint64_t>>& publisher, Deadline deadline) {
    self.begin(1);
    // Most of them short enough for an entry.
    const std::size_t most = self.random_.rarely(6) ? longest_slice : self.random_.rarely(2) ? 128 : 13;
    const std::size_t length = shortest_slice + self.random_.below(most - shortest_slice + 1);
    if (self.random_.rarely(1)) {
      std::array<std::uint64_t, longest_slice> room;
      const std::span words = std::span(room).first(length);
      self.write_next(words);
      return publisher.publish(words, deadline).transform([] { return std::size_t{1}; });
    }
    return publisher.loan(longest_slice).and_then([&](tenon::Loan<Slice<std::uint64_t>> loan) {
      loan.shorten(length);
      self.write_next(*loan);
      return publisher.publish(std::move(loan), deadline).transform([] { return std::size_t{1}; });
    });
  }

 private:
  static kit::Duration patience() { return kit::patient(std::chrono::seconds(60)); }
  tenon::Waiting waiting() { return random_.rarely(1) ? tenon::Waiting::sleep : tenon::Waiting::adaptive; }

  // The number stands in the ledger before anybody can have the message.
  void begin(std::size_t messages) {
    if (next_ + messages > progress_.begun.load(std::memory_order_relaxed)) {
      progress_.begun.store(next_ + messages, std::memory_order_release);
    }
  }
  void write_next(std::span<std::uint64_t> words, std::size_t ahead = 0) {
    write(words, name_, next_ + ahead);
    if (task_.fault == Fault::torn && random_.rarely(12)) [[unlikely]] {
      words.back() += 1;
    }
  }
  void skip_a_number() {
    if (task_.fault == Fault::skipped && next_ != 0) {
      ++next_;
    }
  }

  const Task& task_;
  Random random_;
  Progress& progress_;
  std::uint64_t name_;
  std::uint64_t next_ = 0;
};

void publish_as(const Task& task, const tenon::Holder& holder, Publishing& publishing) {
  switch (task.role.kind) {
    case Kind::entries:
      return publishing.run<Short>(holder, {4, 64, 1024}, Publishing::one);
    case Kind::batches:
      return publishing.run<Short>(holder, {256, 4096}, Publishing::several);
    case Kind::chunks:
      return publishing.run<Frame>(holder, {4, 64, 256}, Publishing::frame);
    case Kind::slices:
      return publishing.run<Slice<std::uint64_t>>(holder, {4, 64, 256}, Publishing::slice);
  }
}

}  // namespace

int publish(const Task& task) {
  const std::size_t descriptors = open_descriptors();
  const std::uint32_t place = task.topic().publishers.fetch_add(1);
  if (place >= most_publishers) {
    return 0;
  }
  {
    const Membership self(task.domain);
    Publishing publishing(task, place);
    publish_as(task, self.holder, publishing);
  }
  if (open_descriptors() != descriptors) {
    task.complain("it has left descriptors open");
  }
  return 0;
}

}  // namespace soak

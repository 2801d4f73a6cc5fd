// Many topics, many processes, and many at one topic.
#include "crowd.hpp"

#include "membership.hpp"
#include "message.hpp"
#include <kit/scratch_domain.hpp>

#include <kit/patience.hpp>
#include <kit/shared.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/process.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <unistd.h>
#include <vector>

namespace soak {

namespace {

using Clock = std::chrono::steady_clock;
using tenon::Publisher;
using tenon::Subscriber;

constexpr std::size_t steps = 7;
constexpr std::array<const char*, steps> step_names = {
    "joins the domain",       "a publisher of one more topic", "a subscriber of it", "the first message",
    "a publisher of a topic", "a subscriber of a topic",       "all of it",
};

/// What parent and children share.
struct Board {
  std::atomic<std::uint32_t> ready = 0;
  std::atomic<std::uint64_t> received = 0;
  std::atomic<bool> go = false;
  std::atomic<bool> stop = false;
  std::array<double, steps> elapsed{};    // milliseconds
  std::array<double, steps> processor{};  // of which it had a processor
};

tenon::Deadline patience() { return tenon::after(kit::patient(std::chrono::seconds(120))); }

void wait_until(const std::function<bool()>& there) {
  const tenon::Deadline deadline = patience();
  while (!there() && !deadline.passed()) {
    ::usleep(1000);
  }
}

class Crowd {
 public:
  explicit Crowd(const kit::Shared<Board>& board) : board_(board) {}
  // Those that wait for it to stop end; the others have ended.
  ~Crowd() {
    board_->stop = true;
    for (tenon::Child& child : children_) {
      [[maybe_unused]] const auto ended = child.wait(patience());  // who failed has sent or received too little
    }
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void add(const std::function<void()>& body) {
    children_.push_back(tenon::spawn([&body] {
                          body();
                          return 0;
                        }).or_throw());
  }
  /// All have said that they are ready.
  bool assemble() {
    wait_until([this] { return board_->ready.load() == children_.size(); });
    return board_->ready.load() == children_.size();
  }

 private:
  const kit::Shared<Board>& board_;
  std::vector<tenon::Child> children_;
};

std::string topic_name(std::uint32_t number) { return "topic-" + std::to_string(number); }

// Publishes on its part of the topics, and hears those of the next process.
void be_one_of(const CrowdSize& size, std::uint32_t process, const tenon::Domain& domain, Board& board) {
  const Membership self(domain);
  std::vector<Publisher<Short>> publishers;
  std::vector<Subscriber<Short>> subscribers;
  for (std::uint32_t topic = process; topic < size.topics; topic += size.processes) {
    publishers.push_back(Publisher<Short>::create(self.holder, topic_name(topic), {.depth = 16}).or_throw());
  }
  for (std::uint32_t topic = (process + 1) % size.processes; topic < size.topics; topic += size.processes) {
    subscribers.push_back(Subscriber<Short>::create(self.holder, topic_name(topic)).or_throw());
  }
  ++board.ready;
  while (!board.stop) {  // asleep, as whoever has nothing to do
    [[maybe_unused]] const auto nothing = subscribers.front().receive(tenon::after(std::chrono::milliseconds(500)));
  }
}

double now_ms(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// One more process, timed step by step.
void be_one_more(const tenon::Domain& domain, Board& board) {
  const double began = now_ms(CLOCK_MONOTONIC);
  const double began_processor = now_ms(CLOCK_PROCESS_CPUTIME_ID);
  std::size_t step = 0;
  double last = began;
  double last_processor = began_processor;
  const auto is_done = [&] {
    const double now = now_ms(CLOCK_MONOTONIC);
    const double now_processor = now_ms(CLOCK_PROCESS_CPUTIME_ID);
    board.elapsed.at(step) = now - std::exchange(last, now);
    board.processor.at(step) = now_processor - std::exchange(last_processor, now_processor);
    ++step;
  };
  const Membership self(domain);
  is_done();
  auto publisher = Publisher<Short>::create(self.holder, "one more", {.depth = 16}).or_throw();
  is_done();
  auto subscriber = Subscriber<Short>::create(self.holder, "one more").or_throw();
  is_done();
  Short message;
  write(message.words, 1, 1);
  publisher.publish(message, patience()).or_throw();
  board.received += is_whole(subscriber.receive(patience()).or_throw()->words) ? 1 : 0;
  is_done();
  const auto other_publisher = Publisher<Short>::create(self.holder, topic_name(0), {.depth = 16}).or_throw();
  is_done();
  const auto other_subscriber = Subscriber<Short>::create(self.holder, topic_name(1)).or_throw();
  is_done();
  board.elapsed.back() = last - began;
  board.processor.back() = last_processor - began_processor;
}

bool run_many_topics(const CrowdSize& size) {
  constexpr std::size_t trials = 21;
  const kit::ScratchDomain domain("soak");
  const kit::Shared<Board> board;
  Crowd crowd(board);
  const Clock::time_point began = Clock::now();
  for (std::uint32_t process = 0; process < size.processes; ++process) {
    crowd.add([&] { be_one_of(size, process, *domain, *board); });
  }
  if (!crowd.assemble()) {
    std::printf("only %u of %u processes have come\n", board->ready.load(), size.processes);
    return false;
  }
  std::printf("%u topics with a publisher and a subscriber each, in %u processes: there in %.2f s. One more:\n",
              size.topics, size.processes, std::chrono::duration<double>(Clock::now() - began).count());
  std::array<std::vector<double>, steps> elapsed;
  std::array<std::vector<double>, steps> processor;
  for (std::size_t trial = 0; trial < trials; ++trial) {
    tenon::Child child = tenon::spawn([&] {
                           be_one_more(*domain, *board);
                           return 0;
                         }).or_throw();
    if (!child.wait(patience()).or_throw().success()) {
      return false;
    }
    for (std::size_t step = 0; step < steps; ++step) {
      elapsed[step].push_back(board->elapsed[step]);
      processor[step].push_back(board->processor[step]);
    }
  }
  for (std::size_t step = 0; step < steps; ++step) {
    std::ranges::sort(elapsed[step]);
    std::ranges::sort(processor[step]);
    std::printf("  %-32s %8.3f ms, at best %8.3f; on a processor %8.3f ms\n", step_names[step],
                elapsed[step][trials / 2], elapsed[step].front(), processor[step][trials / 2]);
  }
  return board->received.load() == trials;
}

constexpr std::uint32_t of_one_process = 100;
constexpr std::uint64_t messages_to_each = 10;

void subscribe_many(const tenon::Domain& domain, Board& board, std::uint32_t count) {
  const Membership self(domain);
  std::vector<Subscriber<Short>> subscribers;
  for (std::uint32_t i = 0; i < count; ++i) {
    subscribers.push_back(
        Subscriber<Short>::create(self.holder, "full", {.waiting = tenon::Waiting::sleep}).or_throw());
  }
  ++board.ready;
  for (std::uint64_t i = 0; i < messages_to_each; ++i) {  // all of them in turn: the publisher waits for the slowest
    for (Subscriber<Short>& subscriber : subscribers) {
      const auto sample = subscriber.receive(patience()).or_throw();
      board.received += is_whole(sample->words) && sample->words[1] == i ? 1 : 0;
    }
  }
}

bool run_many_subscribers(std::uint32_t count) {
  const kit::ScratchDomain domain("soak");
  const kit::Shared<Board> board;
  Crowd crowd(board);
  const Membership self(*domain);
  auto publisher = Publisher<Short>::create(self.holder, "full", {.depth = 4}).or_throw();
  const Clock::time_point began = Clock::now();
  for (std::uint32_t left = count; left > 0; left -= std::min(left, of_one_process)) {
    crowd.add([&] { subscribe_many(*domain, *board, std::min(left, of_one_process)); });
  }
  if (!crowd.assemble()) {
    return false;
  }
  const Clock::time_point there = Clock::now();
  for (std::uint64_t i = 0; i < messages_to_each; ++i) {
    Short message;
    write(message.words, 1, i);
    publisher.publish(message, patience()).or_throw();
  }
  wait_until([&] { return board->received.load() == count * messages_to_each; });
  std::printf("%u subscribers of one topic: there in %.2f s, %llu messages in %.3f s\n", count,
              std::chrono::duration<double>(there - began).count(),
              static_cast<unsigned long long>(board->received.load()),
              std::chrono::duration<double>(Clock::now() - there).count());
  return board->received.load() == count * messages_to_each;
}

void publish_many(const tenon::Domain& domain, Board& board, std::uint32_t count) {
  const Membership self(domain);
  std::vector<Publisher<Short>> publishers;
  for (std::uint32_t i = 0; i < count; ++i) {
    publishers.push_back(Publisher<Short>::create(self.holder, "full", {.depth = 16}).or_throw());
  }
  ++board.ready;
  wait_until([&] { return board.go.load(); });
  for (Publisher<Short>& publisher : publishers) {
    for (std::uint64_t i = 0; i < messages_to_each; ++i) {
      Short message;
      write(message.words, 1, i);
      publisher.publish(message, patience()).or_throw();
    }
  }
}

bool run_many_publishers(std::uint32_t count) {
  const kit::ScratchDomain domain("soak");
  const kit::Shared<Board> board;
  Crowd crowd(board);
  const Membership self(*domain);
  auto subscriber = Subscriber<Short>::create(self.holder, "full").or_throw();
  const Clock::time_point began = Clock::now();
  for (std::uint32_t left = count; left > 0; left -= std::min(left, of_one_process)) {
    crowd.add([&] { publish_many(*domain, *board, std::min(left, of_one_process)); });
  }
  if (!crowd.assemble()) {
    return false;
  }
  const Clock::time_point there = Clock::now();
  board->go = true;
  std::uint64_t received = 0;
  std::uint32_t ends = 0;
  const tenon::Deadline deadline = patience();
  while (ends < count && !deadline.passed()) {
    const auto sample = subscriber.receive(deadline);
    received += sample && is_whole((*sample)->words) ? 1 : 0;
    ends += sample.failed_with(tenon::Errc::closed) ? 1 : 0;
  }
  std::printf("%u publishers of one topic: there in %.2f s, %llu messages and %u ends in %.3f s\n", count,
              std::chrono::duration<double>(there - began).count(), static_cast<unsigned long long>(received), ends,
              std::chrono::duration<double>(Clock::now() - there).count());
  return received == count * messages_to_each && ends == count;
}

}  // namespace

bool run_crowd(const CrowdSize& size) {
  return run_many_topics(size) && run_many_subscribers(size.endpoints) && run_many_publishers(size.endpoints);
}

}  // namespace soak

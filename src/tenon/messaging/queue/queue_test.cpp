#include <tenon/messaging/dispatcher/dispatcher.hpp>
#include <tenon/messaging/dispatcher/task.hpp>
#include <tenon/messaging/queue/queue.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/process.hpp>

#include <kit/patience.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <csignal>
#include <optional>
#include <string>
#include <thread>

namespace tenon {
namespace {

using std::chrono::milliseconds;

struct Job {
  std::uint64_t number;
  std::array<std::uint64_t, 7> rest;
};
TENON_FIELDS(Job, number, rest);

Job job(std::uint64_t number) { return {.number = number, .rest = {}}; }

class QueueTest : public testing::Test {
 protected:
  ~QueueTest() override {
    static_cast<void>(Queue<Job>::remove(domain_, "jobs"));
    static_cast<void>(Queue<Bytes>::remove(domain_, "texts"));
    static_cast<void>(sweep(domain_));
  }
  static Deadline soon() { return after(kit::patient(std::chrono::seconds(10))); }

  const kit::Watchdog watchdog_{"a queue", std::chrono::seconds(60)};
  kit::UniqueDomain scratch_;
  const Domain& domain_ = scratch_.domain();
  const Life life_ = Life::join(domain_).or_throw();
  const Holder self_ = Holder::of(domain_, life_).or_throw();
};

TEST_F(QueueTest, the_first_sent_is_the_first_received) {
  auto jobs = Queue<Job>::create(self_, "jobs").or_throw();
  for (std::uint64_t i = 0; i < 10; ++i) {
    jobs.send(job(i), soon()).or_throw();
  }
  for (std::uint64_t i = 0; i < 10; ++i) {
    const auto got = jobs.receive(soon()).or_throw();
    EXPECT_EQ(got.value.number, i);
    EXPECT_EQ(got.deliveries, 1U);
    EXPECT_EQ(got.from, life_.token());
  }
  EXPECT_TRUE(jobs.try_receive().failed_with(Errc::would_block));
}

TEST_F(QueueTest, the_highest_priority_comes_first_and_within_it_the_first_sent) {
  auto jobs = Queue<Job>::create(self_, "jobs").or_throw();
  for (std::uint64_t i = 0; i < 9; ++i) {
    jobs.send(job(i), Priority(static_cast<std::uint32_t>(i % 3) * 16384), soon()).or_throw();
  }
  std::vector<std::uint64_t> order;
  for (int i = 0; i < 9; ++i) {
    order.push_back(jobs.receive(soon()).or_throw().value.number);
  }
  EXPECT_THAT(order, testing::ElementsAre(2, 5, 8, 1, 4, 7, 0, 3, 6));
}

TEST_F(QueueTest, a_full_queue_takes_no_more_until_one_was_received) {
  auto jobs = Queue<Job>::create(self_, "jobs", {.messages = 3}).or_throw();
  for (std::uint64_t i = 0; i < 3; ++i) {
    jobs.try_send(job(i)).or_throw();
  }
  EXPECT_TRUE(jobs.try_send(job(3)).failed_with(Errc::would_block));
  EXPECT_TRUE(jobs.send(job(3), after(milliseconds(1))).failed_with(Errc::timed_out));
  EXPECT_EQ(jobs.receive(soon()).or_throw().value.number, 0U);
  jobs.try_send(job(3)).or_throw();
  for (std::uint64_t i = 1; i < 4; ++i) {
    EXPECT_EQ(jobs.receive(soon()).or_throw().value.number, i);
  }
}

TEST_F(QueueTest, what_is_taken_is_nobody_elses_until_it_is_given_back) {
  auto jobs = Queue<Job>::create(self_, "jobs").or_throw();
  auto others = Queue<Job>::open(self_, "jobs").or_throw();
  jobs.send(job(1), soon()).or_throw();
  jobs.send(job(2), soon()).or_throw();
  auto taken = jobs.take(soon()).or_throw();
  EXPECT_EQ(taken->number, 1U);
  EXPECT_EQ(others.receive(soon()).or_throw().value.number, 2U);
  EXPECT_TRUE(others.try_receive().failed_with(Errc::would_block));
  std::move(taken).give_back().or_throw();
  auto again = others.take(soon()).or_throw();
  EXPECT_EQ(again->number, 1U);
  EXPECT_EQ(again.stamp().deliveries, 2U);
  std::move(again).acknowledge().or_throw();
  EXPECT_EQ(jobs.fill().waiting + jobs.fill().taken, 0U);
}

TEST_F(QueueTest, messages_of_any_length_come_back_as_they_were) {
  auto texts = Queue<Bytes>::create(self_, "texts", {.messages = 64, .bytes = 1 << 20}).or_throw();
  for (const std::size_t size : {0UL, 1UL, 64UL, 65UL, 4096UL, 100'000UL, 1UL << 20}) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<std::byte>(i * 7 + size);
    }
    texts.send(bytes, soon()).or_throw();
    EXPECT_EQ(texts.peek().or_throw().value, bytes);
    EXPECT_EQ(texts.receive(soon()).or_throw().value, bytes);
  }
  const std::vector<std::byte> longer((1 << 20) + 1);
  EXPECT_TRUE(texts.send(longer, soon()).failed_with(Errc::message_too_long));
}

TEST_F(QueueTest, fd_is_readable_when_a_message_comes_and_not_before) {
  auto jobs = Queue<Job>::create(self_, "jobs").or_throw();
  auto others = Queue<Job>::open(self_, "jobs").or_throw();
  const FdView fd = jobs.fd().or_throw();
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(jobs.try_receive().failed_with(Errc::would_block));
    others.send(job(i), soon()).or_throw();
    wait_ready(fd, Ready::reading, soon()).or_throw();
    EXPECT_EQ(jobs.try_receive().or_throw().value.number, i);
  }
}

TEST_F(QueueTest, fd_for_room_is_readable_when_a_slot_is_freed) {
  auto jobs = Queue<Job>::create(self_, "jobs", {.messages = 1}).or_throw();
  auto others = Queue<Job>::open(self_, "jobs").or_throw();
  jobs.try_send(job(0)).or_throw();
  const FdView fd = jobs.fd_for_room().or_throw();
  EXPECT_TRUE(jobs.try_send(job(1)).failed_with(Errc::would_block));
  EXPECT_EQ(others.receive(soon()).or_throw().value.number, 0U);
  wait_ready(fd, Ready::reading, soon()).or_throw();
  jobs.try_send(job(1)).or_throw();
}

TEST_F(QueueTest, a_coroutine_awaits_the_next_message) {
  auto jobs = Queue<Job>::create(self_, "jobs").or_throw();
  auto dispatcher = Dispatcher::create().or_throw();
  std::vector<std::uint64_t> got;
  const auto work = [&]() -> Task {
    for (int i = 0; i < 2; ++i) {
      auto next = co_await dispatcher.next(jobs);
      got.push_back(std::move(next).or_throw().value.number);
    }
    dispatcher.finish();
  };
  const Task working = work();
  jobs.send(job(5), soon()).or_throw();
  jobs.send(job(6), soon()).or_throw();
  dispatcher.run(soon()).or_throw();
  EXPECT_THAT(got, testing::ElementsAre(5, 6));
}

TEST_F(QueueTest, one_may_stand_in_any_memory_that_is_shared) {
  const std::uint64_t bytes = Queue<Job>::memory_needed({.messages = 8}).or_throw();
  const Mapping memory = Mapping::shared_with_children(bytes).or_throw();
  auto jobs = Queue<Job>::create_in(self_, memory.bytes(), {.messages = 8}).or_throw();
  Child child = spawn([&] {
                  const Life life = Life::join(domain_).or_throw();
                  const Holder self = Holder::of(domain_, life).or_throw();
                  auto own = Queue<Job>::open_in(self, memory.bytes()).or_throw();
                  own.send(job(7), soon()).or_throw();
                  return 0;
                }).or_throw();
  EXPECT_EQ(jobs.receive(soon()).or_throw().value.number, 7U);
  EXPECT_EQ(child.wait(soon()).or_throw().code(), 0);
}

TEST_F(QueueTest, may_stand_in_more_memory_than_it_takes_and_not_in_less) {
  const std::uint64_t bytes = Queue<Job>::memory_needed({.messages = 8}).or_throw();
  const Mapping memory = Mapping::shared_with_children(bytes + 4096).or_throw();
  EXPECT_TRUE(
      Queue<Job>::create_in(self_, memory.bytes().first(bytes - 64), {.messages = 8}).failed_with(Errc::no_space));
  auto jobs = Queue<Job>::create_in(self_, memory.bytes(), {.messages = 8}).or_throw();
  auto others = Queue<Job>::open_in(self_, memory.bytes()).or_throw();
  jobs.send(job(7), soon()).or_throw();
  EXPECT_EQ(others.receive(soon()).or_throw().value.number, 7U);
  EXPECT_TRUE(Queue<Job>::open_in(self_, memory.bytes().first(bytes - 64)).failed_with(Errc::corrupt));
}

TEST_F(QueueTest, a_loan_that_is_dropped_takes_no_room_from_one_that_is_open) {
  auto texts = Queue<Bytes>::create(self_, "texts", {.messages = 2, .bytes = 8 * 64, .short_bytes = 0}).or_throw();
  for (int i = 0; i < 2; ++i) {  // both slots have been long messages' before
    texts.send(std::vector<std::byte>(8 * 64), soon()).or_throw();
    EXPECT_EQ(texts.receive(soon()).or_throw().value.size(), 8U * 64);
  }
  auto dropped = std::make_optional(texts.loan(2 * 64, soon()).or_throw());
  const auto open = texts.loan(2 * 64, soon()).or_throw();
  dropped.reset();
  EXPECT_TRUE(texts.loan(5 * 64, after(milliseconds(1))).failed_with(Errc::timed_out));  // the open one is in the way
  EXPECT_TRUE(texts.loan(4 * 64, soon()));
}

TEST_F(QueueTest, what_a_dead_receiver_had_comes_back_to_who_is_slow_and_never_waits) {
  auto jobs = Queue<Job>::create(self_, "jobs").or_throw();
  for (std::uint64_t i = 0; i < 40; ++i) {
    jobs.send(job(i), soon()).or_throw();
  }
  Child child = spawn([&] {
                  const Life life = Life::join(domain_).or_throw();
                  const Holder self = Holder::of(domain_, life).or_throw();
                  auto own = Queue<Job>::open(self, "jobs").or_throw();
                  const auto taken = own.take(soon()).or_throw();
                  return ::raise(SIGKILL);
                }).or_throw();
  EXPECT_EQ(child.wait(soon()).or_throw(), ExitStatus::killed(SIGKILL));
  int others = 0;
  while (jobs.receive(soon()).or_throw().value.number != 0) {
    ++others;
    ASSERT_LT(others, 39);
    static_cast<void>(sleep_until(after(milliseconds(30))));  // it works at each
  }
  EXPECT_LT(others, 20);
}

TEST(HintSetTest, a_hint_whose_way_from_the_root_is_missing_is_not_there_and_is_found_once_it_is_set) {
  std::atomic<std::uint64_t> root = 0;
  std::array<std::atomic<std::uint64_t>, 2> words{};
  HintSet<> hints(root, words.data(), 128);
  words[1] = 1;  // as whoever took the word's last bit left it when it died, and another had set this one meanwhile
  EXPECT_FALSE(hints.has(64));
  EXPECT_EQ(hints.take_one(), std::nullopt);
  hints.set(64);
  EXPECT_TRUE(hints.has(64));
  EXPECT_EQ(hints.take_one(), 64U);
}

}  // namespace
}  // namespace tenon

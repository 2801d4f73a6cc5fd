// Who sleeps at a queue is woken, each by one message or one free slot; and a handle that many threads use.
#include <tenon/messaging/queue/queue.hpp>

#include <kit/asleep.hpp>
#include <kit/numbers.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <new>
#include <thread>
#include <vector>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

using kit::numbered;
using Job = kit::Numbers<7>;
using Jobs = Queue<Job>;
using Clock = std::chrono::steady_clock;

class QueueWake : public testing::Test {
 protected:
  ~QueueWake() override { static_cast<void>(Jobs::remove(unique_.domain(), "q")); }
  Jobs made(std::uint32_t messages) {
    auto jobs = Jobs::create(holder_, "q", {.messages = messages}).or_throw();
    jobs.wait_by(Waiting::sleep);
    return jobs;
  }
  // The shortest of some rounds: one that had to look again by itself takes a recheck interval.
  template <class Round>
  static void expect_woken(Round round) {
    Clock::duration shortest = 1h;
    for (int i = 0; i < 20; ++i) {
      shortest = std::min(shortest, round());
    }
    EXPECT_LT(shortest, recheck_interval / 2);
  }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"sleepers at a queue", 60s};
};

// F43 F44
TEST_F(QueueWake, a_message_wakes_a_receiver) {
  auto jobs = made(4);
  expect_woken([&] {
    auto receiver = kit::thread_asleep_in([&] { jobs.receive(never).or_throw(); });
    const auto begun = Clock::now();
    jobs.try_send(numbered<Job>(1)).or_throw();
    receiver.join();
    return Clock::now() - begun;
  });
}

TEST_F(QueueWake, a_free_slot_wakes_a_sender) {
  auto jobs = made(1);
  jobs.try_send(numbered<Job>(1)).or_throw();
  expect_woken([&] {
    auto sender = kit::thread_asleep_in([&] { jobs.send(numbered<Job>(2), never).or_throw(); });
    const auto begun = Clock::now();
    jobs.try_receive().or_throw();
    sender.join();
    return Clock::now() - begun;
  });
}

TEST_F(QueueWake, what_is_given_back_wakes_a_receiver) {
  auto jobs = made(1);
  expect_woken([&] {
    jobs.try_send(numbered<Job>(1)).or_throw();
    auto taken = jobs.try_take().or_throw();
    auto receiver = kit::thread_asleep_in([&] { jobs.receive(never).or_throw(); });
    const auto begun = Clock::now();
    std::move(taken).give_back().or_throw();
    receiver.join();
    return Clock::now() - begun;
  });
}

TEST_F(QueueWake, a_loan_that_is_dropped_wakes_a_sender) {
  auto jobs = made(1);
  expect_woken([&] {
    auto loan = std::optional(jobs.loan(never).or_throw());
    auto sender = kit::thread_asleep_in([&] { jobs.send(numbered<Job>(2), never).or_throw(); });
    const auto begun = Clock::now();
    loan.reset();
    sender.join();
    const auto took = Clock::now() - begun;
    jobs.try_receive().or_throw();
    return took;
  });
}

TEST_F(QueueWake, as_many_messages_wake_as_many_of_those_who_sleep) {
  constexpr std::uint64_t sleepers = 8;
  auto jobs = made(sleepers);
  expect_woken([&] {
    std::vector<std::jthread> receivers;
    for (std::uint64_t i = 0; i < sleepers; ++i) {
      receivers.push_back(kit::thread_asleep_in([&] { jobs.receive(never).or_throw(); }));
    }
    const auto begun = Clock::now();
    for (std::uint64_t i = 0; i < sleepers; ++i) {
      jobs.try_send(numbered<Job>(i)).or_throw();
    }
    receivers.clear();
    return Clock::now() - begun;
  });
}

TEST_F(QueueWake, who_slept_and_had_enough_of_it_leaves_its_wake_to_another) {
  auto jobs = made(4);
  for (int round = 0; round < 50; ++round) {
    auto patient = kit::thread_asleep_in([&] { jobs.receive(never).or_throw(); });
    auto impatient = std::jthread([&] { static_cast<void>(jobs.receive(after(100us))); });
    jobs.try_send(numbered<Job>(1)).or_throw();
    impatient.join();
    static_cast<void>(jobs.try_send(numbered<Job>(2)));
    patient.join();
    while (jobs.try_receive()) {
    }
  }
}

TEST_F(QueueWake, many_threads_may_use_one_handle) {
  constexpr std::uint64_t threads = 3;
  constexpr std::uint64_t each = 3000;
  auto jobs = Jobs::create(holder_, "q", {.messages = 70}).or_throw();
  std::vector<std::atomic<std::uint32_t>> received(threads * each);
  {
    std::vector<std::jthread> running;
    for (std::uint64_t i = 0; i < threads; ++i) {
      running.emplace_back([&, i] {
        for (std::uint64_t n = 0; n < each; ++n) {
          jobs.send(numbered<Job>(i * each + n), Priority(n % 3), never).or_throw();
        }
      });
      running.emplace_back([&] {
        for (std::uint64_t n = 0; n < each; ++n) {
          const auto got = jobs.receive(never).or_throw();
          EXPECT_TRUE(kit::is_whole(got.value));
          ++received[got.value.number];
        }
      });
    }
  }
  EXPECT_TRUE(std::ranges::all_of(received, [](const auto& count) { return count == 1; }));
}

TEST_F(QueueWake, what_is_given_back_comes_before_what_is_in_order) {
  auto jobs = made(4);
  for (std::uint64_t i = 0; i < 3; ++i) {
    jobs.try_send(numbered<Job>(i)).or_throw();
  }
  auto first = jobs.try_take().or_throw();
  EXPECT_EQ(jobs.peek().or_throw().value.number, 1U);
  std::move(first).give_back().or_throw();
  EXPECT_EQ(jobs.peek().or_throw().value.number, 0U);
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(jobs.try_receive().or_throw().value.number, i);
  }
}

// F50
TEST_F(QueueWake, numbers_wrap_and_keep_their_order) {
  auto jobs = made(8);
  const auto port = QueuePort::open(holder_, "q", QueueShape<Job>::type()).or_throw();
  port->memory().state().next_seq.store(~std::uint64_t{0} - 2);
  for (std::uint64_t i = 0; i < 8; ++i) {
    jobs.try_send(numbered<Job>(i)).or_throw();
  }
  auto first = std::optional(jobs.try_take().or_throw());
  EXPECT_EQ((*first)->number, 0U);
  EXPECT_EQ(jobs.try_receive().or_throw().value.number, 1U);
  first.reset();
  for (const std::uint64_t next : {0U, 2U, 3U, 4U, 5U, 6U, 7U}) {
    EXPECT_EQ(jobs.try_receive().or_throw().value.number, next);
  }
  EXPECT_TRUE(jobs.try_receive().failed_with(Errc::would_block));
}

// F49
TEST_F(QueueWake, the_bells_word_wraps_while_somebody_sleeps) {
  auto jobs = made(1);
  const auto port = QueuePort::open(holder_, "q", QueueShape<Job>::type()).or_throw();
  ::new (port->memory().state().arrived.data()) QueueBell(UINT32_MAX - 2);
  ::new (port->memory().state().freed.data()) QueueBell(UINT32_MAX - 2);
  for (std::uint64_t i = 0; i < 6; ++i) {
    auto receiver = kit::thread_asleep_in([&] { EXPECT_EQ(jobs.receive(never).or_throw().value.number, i); });
    jobs.try_send(numbered<Job>(i)).or_throw();
    receiver.join();
    jobs.try_send(numbered<Job>(0)).or_throw();
    auto sender = kit::thread_asleep_in([&] { jobs.send(numbered<Job>(9), never).or_throw(); });
    jobs.try_receive().or_throw();
    sender.join();
    jobs.try_receive().or_throw();
  }
  EXPECT_LT(port->memory().arrived().word().load(), 1000U);
}

// F44 F49
TEST_F(QueueWake, a_ring_for_one_is_not_missed_by_another_who_is_about_to_sleep) {
  QueueBell bell(UINT32_MAX - 2);
  for (int round = 0; round < 4; ++round) {
    auto sleeper =
        kit::thread_asleep_in([&, told = bell.announce()] { static_cast<void>(futex_wait(bell.word(), told, never)); });
    const std::uint32_t told = bell.announce();
    bell.ring_one();
    EXPECT_NE(bell.word().load(), told);
  }
}

// How often a slot was used, which wraps as well.
// F50
TEST_F(QueueWake, how_often_a_slot_was_used_wraps) {
  auto jobs = made(1);
  const auto port = QueuePort::open(holder_, "q", QueueShape<Job>::type()).or_throw();
  port->memory().slot(0).state.store(SlotState{.phase = SlotPhase::free, .member = 0, .use = UINT32_MAX - 1}.word());
  for (std::uint64_t i = 0; i < 4; ++i) {
    jobs.try_send(numbered<Job>(i)).or_throw();
    auto taken = jobs.try_take().or_throw();
    EXPECT_EQ(taken->number, i);
    std::move(taken).acknowledge().or_throw();
  }
}

}  // namespace

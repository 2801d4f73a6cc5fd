#include <tenon/ipc/posix_queue/posix_queue.hpp>

#include <kit/patience.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::AllOf;
using testing::HasSubstr;

constexpr PosixQueue::Limits small{.messages = 2, .message_bytes = 16};

// A queue whose name goes with it.
struct Named {
  explicit Named(PosixQueue::Limits limits = small)
      : name("/" + kit::unique_name()), queue(PosixQueue::create(name, limits).or_throw()) {}
  std::string name;
  PosixQueue queue;
  UnlinkOnExit guard{PosixQueue::unlink, name};
};

std::string received(PosixQueue& queue, Deadline deadline = never) {
  std::array<std::byte, 8192> into;
  const auto got = queue.receive(into, deadline).or_throw();
  return std::string(text_of(Bytes(into).first(got.bytes))) + "/" + std::to_string(got.priority);
}

void fill(PosixQueue& queue) {
  while (queue.try_send(bytes_of("x"), 0)) {
  }
}

std::array<std::byte, 8192> ignored;

TEST(PosixQueue, keeps_boundaries_and_takes_the_highest_priority_first_and_the_oldest_within) {
  Named one({.messages = 5, .message_bytes = 16});
  const std::vector<std::pair<std::string, std::uint32_t>> sent = {
      {"low", 0}, {"high", 9}, {"middle", 5}, {"high too", 9}, {"", PosixQueue::most_priority}};
  for (const auto& [text, priority] : sent) {
    one.queue.send(bytes_of(text), priority, never).or_throw();
  }
  for (const char* expected : {"/32767", "high/9", "high too/9", "middle/5", "low/0"}) {
    EXPECT_EQ(received(one.queue), expected);
  }
  const auto beyond = one.queue.send(bytes_of("x"), PosixQueue::most_priority + 1, never);
  ASSERT_TRUE(beyond.failed_with(Errc::invalid_argument));
  EXPECT_THAT(beyond.error().message(), HasSubstr("from 0 to 32767"));
}

TEST(PosixQueue, tells_its_four_attributes_and_keeps_those_it_was_made_with) {
  const Named one;
  auto again = PosixQueue::open_or_create(one.name, {.messages = 7, .message_bytes = 70}).or_throw();
  again.send(bytes_of("x"), 1, never).or_throw();
  again.send(bytes_of("yz"), 0, never).or_throw();
  const auto attributes = one.queue.attributes().or_throw();
  EXPECT_EQ(attributes.messages, small.messages) << "what another asks for later does not change it";
  EXPECT_EQ(attributes.message_bytes, small.message_bytes);
  EXPECT_EQ(attributes.waiting, 2U);
  EXPECT_FALSE(attributes.non_blocking);
  EXPECT_EQ(one.queue.buffered().or_throw(), 3U);
  const auto sending = PosixQueue::open(one.name, PosixQueue::Use::sending).or_throw();
  EXPECT_TRUE(sending.buffered().failed_with(Errc::permission_denied));
}

TEST(PosixQueue, full_oversize_and_removed_are_three_outcomes) {  // F69
  const kit::Watchdog watchdog("a full queue");
  Named one;
  fill(one.queue);
  EXPECT_TRUE(one.queue.try_send(bytes_of("x"), 0).failed_with(Errc::would_block));
  EXPECT_TRUE(one.queue.send(bytes_of("x"), 0, after(20ms)).failed_with(Errc::timed_out));
  const auto oversize = one.queue.try_send(bytes_of(std::string(17, 'x')), 0);
  ASSERT_TRUE(oversize.failed_with(Errc::message_too_long));
  ASSERT_NE(oversize.error().limit(), nullptr);
  EXPECT_EQ(oversize.error().limit()->value, 16U);
  EXPECT_EQ(oversize.error().limit()->wanted, 17U);
  // Removed while somebody waits: those who have it go on, and can tell.
  EXPECT_FALSE(one.queue.is_unlinked().or_throw());
  std::jthread sender([&] { EXPECT_TRUE(one.queue.send(bytes_of("late"), 0, never)); });
  EXPECT_TRUE(PosixQueue::unlink(one.name));
  EXPECT_TRUE(one.queue.is_unlinked().or_throw());
  EXPECT_TRUE(PosixQueue::open(one.name).failed_with(Errc::not_found));
  EXPECT_TRUE(PosixQueue::unlink(one.name).failed_with(Errc::not_found));
  EXPECT_EQ(received(one.queue), "x/0");
  EXPECT_EQ(received(one.queue), "x/0");
  EXPECT_EQ(received(one.queue), "late/0");
}

TEST(PosixQueue, whose_receive_buffer_is_too_small_keeps_the_message) {  // F68
  Named one;
  one.queue.send(bytes_of("kept"), 3, never).or_throw();
  std::array<std::byte, 15> room;
  for (const Deadline deadline : {never, immediately, after(1h)}) {
    const auto refused = one.queue.receive(room, deadline);
    ASSERT_TRUE(refused.failed_with(Errc::message_too_long)) << "although the message itself would fit";
    EXPECT_THAT(refused.error().message(),
                AllOf(HasSubstr("16 bytes"), HasSubstr("has 15"), HasSubstr("nothing was taken")));
  }
  EXPECT_TRUE(one.queue.try_receive(room).failed_with(Errc::message_too_long));
  EXPECT_EQ(received(one.queue), "kept/3");
}

TEST(PosixQueue, says_for_what_it_was_opened) {
  const Named one;
  auto sending = PosixQueue::open(one.name, PosixQueue::Use::sending).or_throw();
  auto receiving = PosixQueue::open(one.name, PosixQueue::Use::receiving).or_throw();
  EXPECT_TRUE(sending.try_receive(ignored).failed_with(Errc::permission_denied));
  EXPECT_TRUE(receiving.try_send(bytes_of("x"), 0).failed_with(Errc::permission_denied));
  sending.send(bytes_of("x"), 0, never).or_throw();
  EXPECT_EQ(received(receiving), "x/0");
}

TEST(PosixQueue, is_readable_when_a_message_is_there_and_writable_when_there_is_room) {
  Named one;
  EXPECT_TRUE(wait_ready(one.queue.fd(), Ready::reading, immediately).failed_with(Errc::timed_out));
  EXPECT_TRUE(wait_ready(one.queue.fd(), Ready::writing, immediately));
  fill(one.queue);
  EXPECT_TRUE(wait_ready(one.queue.fd(), Ready::reading, immediately));
  EXPECT_TRUE(wait_ready(one.queue.fd(), Ready::writing, immediately).failed_with(Errc::timed_out));
}

TEST(PosixQueue, keeps_what_a_killed_sender_had_sent) {
  Named one;
  kit::Sides sides({{"sender", [&](kit::Stage& stage) {
                       auto queue = PosixQueue::open(one.name, PosixQueue::Use::sending).or_throw();
                       queue.send(bytes_of("last words"), 2, never).or_throw();
                       stage.signal("sent");
                       stage.await("nothing that ever comes");
                     }}});
  sides.stage().await("sent");
  sides.side("sender").kill();
  sides.finish();
  EXPECT_EQ(received(one.queue, after(1h)), "last words/2");
}

TEST(PosixQueue, gives_each_message_to_one_of_many_receivers) {
  constexpr int receivers = 3;
  constexpr int messages = 300;
  Named one({.messages = 4, .message_bytes = 16});
  const kit::Shared<std::array<std::atomic<int>, messages>> taken;
  auto receive = [&](kit::Stage&) {
    PosixQueue queue = PosixQueue::open(one.name, PosixQueue::Use::receiving).or_throw();
    for (std::string text = received(queue, after(1h)); text != "end/0"; text = received(queue, after(1h))) {
      ++(*taken).at(static_cast<std::size_t>(std::stoi(text)));
    }
  };
  auto send = [&](kit::Stage&) {
    for (int i = 0; i < messages + receivers; ++i) {
      one.queue.send(bytes_of(i < messages ? std::to_string(i) : "end"), 0, after(1h)).or_throw();
    }
  };
  kit::run_sides({{"a", receive}, {"b", receive}, {"c", receive}, {"sender", send}});
  for (const auto& times : *taken) {
    EXPECT_EQ(times, 1);
  }
}

TEST(PosixQueue, works_in_a_forked_child_and_is_closed_on_exec) {  // F36
  Named one;
  EXPECT_EQ(::fcntl(one.queue.fd().raw(), F_GETFD), FD_CLOEXEC);
  kit::ReportedChild child("child", [&] { one.queue.send(bytes_of("from the child"), 1, never).or_throw(); });
  EXPECT_EQ(received(one.queue, after(1h)), "from the child/1");
  (void)child.finish(never);
}

TEST(PosixQueue, several_threads_send_and_receive_at_once) {
  Named one;
  constexpr int each = 200;
  std::atomic<int> got = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < each; ++n) {
          EXPECT_TRUE(one.queue.send(bytes_of("x"), 0, n % 2 == 0 ? never : after(1h)));
        }
      });
      threads.emplace_back([&] {
        std::array<std::byte, 16> into;
        for (int n = 0; n < each; ++n) {
          got += one.queue.receive(into, n % 2 == 0 ? never : after(1h)) ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(got, 2 * each);
}

TEST(PosixQueue, adopted_non_blocking_waits_all_the_same) {
  const kit::Watchdog watchdog("an adopted queue");
  const Named one;
  PosixQueue adopted = PosixQueue::adopt(Fd::adopt(::mq_open(one.name.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)));
  EXPECT_TRUE(adopted.attributes().or_throw().non_blocking);
  EXPECT_TRUE(adopted.try_receive(ignored).failed_with(Errc::would_block));
  EXPECT_TRUE(adopted.receive(ignored, after(5ms)).failed_with(Errc::timed_out));
  fill(adopted);
  EXPECT_TRUE(adopted.send(bytes_of("x"), 0, after(5ms)).failed_with(Errc::timed_out));
  std::jthread receiver([&] {
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(adopted.receive(ignored, never));
    }
  });
  EXPECT_TRUE(adopted.send(bytes_of("x"), 0, never));
}

TEST(PosixQueue, keeps_its_first_deadline_in_a_storm_of_signals) {  // F71
  const kit::Watchdog watchdog("a queue under signals");
  Named one;
  const kit::SignalStorm storm;
  const Deadline first = after(60ms);
  EXPECT_TRUE(one.queue.receive(ignored, first).failed_with(Errc::timed_out));
  EXPECT_TRUE(first.passed());
  fill(one.queue);
  const Deadline second = after(60ms);
  EXPECT_TRUE(one.queue.send(bytes_of("x"), 0, second).failed_with(Errc::timed_out));
  EXPECT_TRUE(second.passed());
  EXPECT_GT(storm.count(), 0U);
}

TEST(PosixQueue, without_deadline_goes_on_after_signals) {  // F71
  if (kit::sanitizer() == kit::Sanitizer::thread) {
    GTEST_SKIP() << "ThreadSanitizer keeps signals back while a thread is in a call that it does not know";
  }
  const kit::Watchdog watchdog("a blocking queue under signals");
  Named one;
  fill(one.queue);
  const kit::SignalStorm storm;
  std::atomic<bool> emptied = false;
  std::jthread other([&] {
    storm.await(20);
    EXPECT_TRUE(one.queue.receive(ignored, never));
    while (!emptied) {
      std::this_thread::yield();
    }
    storm.await(storm.count() + 20);
    EXPECT_TRUE(one.queue.send(bytes_of("x"), 0, never));
  });
  EXPECT_TRUE(one.queue.send(bytes_of("x"), 0, never));
  while (one.queue.try_receive(ignored)) {
  }
  emptied = true;
  EXPECT_TRUE(one.queue.receive(ignored, never));
}

}  // namespace

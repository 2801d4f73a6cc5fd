#include <tenon/ipc/sysv_queue/sysv_queue.hpp>

#include <kit/asleep.hpp>
#include <kit/own_queue.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/refused_call.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/procfs.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using kit::OwnQueue;
using kit::received;
using Types = SysvQueue::Types;
using testing::AllOf;
using testing::HasSubstr;

std::array<std::byte, 8192> ignored;

void fill(SysvQueue& queue) {
  static constexpr std::array<std::byte, 8192> filler{};
  while (queue.try_send(filler, 1)) {
  }
  while (queue.try_send(bytes_of(std::string(64, 'x')), 1)) {
  }
}

TEST(SysvQueue, lets_the_receiver_choose_by_type) {
  OwnQueue one;
  const auto send_all = [&] {
    for (const auto& [text, type] : {std::pair("a", 5), {"b", 2}, {"c", 5}, {"d", 9}, {"e", 2}}) {
      one.queue.send(bytes_of(text), type, never).or_throw();
    }
  };
  send_all();
  EXPECT_EQ(received(one.queue, Types::any()), "a/5");
  EXPECT_EQ(received(one.queue, Types::exactly(5)), "c/5");
  EXPECT_EQ(received(one.queue, Types::except(2)), "d/9");
  EXPECT_EQ(received(one.queue, Types::lowest_up_to(4)), "b/2");
  EXPECT_EQ(received(one.queue, Types::lowest_up_to(2)), "e/2");
  EXPECT_TRUE(one.queue.try_receive(ignored, Types::any()).failed_with(Errc::would_block));
  send_all();
  std::string all;
  for (int i = 0; i < 5; ++i) {
    all += received(one.queue, Types::lowest_up_to(9)) + " ";
  }
  EXPECT_EQ(all, "b/2 e/2 a/5 c/5 d/9 ") << "the lowest first, and the oldest within";
  one.queue.send(bytes_of("x"), 7, never).or_throw();
  EXPECT_TRUE(one.queue.try_receive(ignored, Types::exactly(6)).failed_with(Errc::would_block));
  EXPECT_TRUE(one.queue.try_receive(ignored, Types::lowest_up_to(6)).failed_with(Errc::would_block));
  EXPECT_TRUE(one.queue.try_receive(ignored, Types::except(7)).failed_with(Errc::would_block));
  EXPECT_EQ(received(one.queue, Types::exactly(7)), "x/7");
  for (const long type : {0L, -1L}) {
    const auto refused = one.queue.send(bytes_of("x"), type, never);
    ASSERT_TRUE(refused.failed_with(Errc::invalid_argument));
    EXPECT_THAT(refused.error().message(), HasSubstr("at least 1"));
  }
}

TEST(SysvQueue, is_peeked_into_without_taking) {
  OwnQueue one;
  one.queue.send(bytes_of("first"), 3, never).or_throw();
  one.queue.send(bytes_of("second"), 1, never).or_throw();
  std::array<std::byte, 16> into;
  const auto second = one.queue.peek(into, 1);
  if (second.failed_with(Errc::not_supported)) {
    GTEST_SKIP() << second.error().message();
  }
  EXPECT_EQ(text_of(Bytes(into).first(second->bytes)), "second");
  EXPECT_EQ(second->type, 1);
  EXPECT_EQ(one.queue.peek(into, 0).or_throw().type, 3);
  EXPECT_TRUE(one.queue.peek(into, 2).failed_with(Errc::would_block));
  EXPECT_TRUE(one.queue.peek(MutableBytes(into).first(2), 0).failed_with(Errc::message_too_long));
  EXPECT_EQ(one.queue.status().or_throw().messages, 2U);
  EXPECT_EQ(received(one.queue, Types::any()), "first/3");
}

TEST(SysvQueue, peeking_where_the_kernel_cannot_says_what_it_lacks) {
  kit::ReportedChild child("on another kernel", [] {
    const OwnQueue one;
    if (!kit::refuse_call(SYS_msgrcv, ENOSYS)) {
      GTEST_SKIP() << "this kernel has no seccomp filters";
    }
    const auto peeked = one.queue.peek(ignored, 0);
    ASSERT_TRUE(peeked.failed_with(Errc::not_supported));
    EXPECT_THAT(peeked.error().message(), HasSubstr("CONFIG_CHECKPOINT_RESTORE"));
  });
  (void)child.finish(never);
}

TEST(SysvQueue, full_oversize_and_removed_are_three_outcomes) {  // F69
  const kit::Watchdog watchdog("a full queue");
  OwnQueue one;
  fill(one.queue);
  EXPECT_TRUE(one.queue.try_send(ignored, 1).failed_with(Errc::would_block));
  EXPECT_TRUE(one.queue.send(ignored, 1, after(20ms)).failed_with(Errc::timed_out));
  const auto msgmax = procfs::number("/proc/sys/kernel/msgmax").or_throw();
  const std::vector<std::byte> oversize(msgmax + 1);
  for (const auto& sent : {one.queue.try_send(oversize, 1), one.queue.send(oversize, 1, never)}) {
    ASSERT_TRUE(sent.failed_with(Errc::message_too_long));
    EXPECT_THAT(sent.error().message(),
                AllOf(HasSubstr("kernel.msgmax is " + std::to_string(msgmax)), HasSubstr("sysctl -w kernel.msgmax=N")));
  }
  // Asleep in the kernel, which tells those who wait otherwise than those who come later.
  std::jthread waiting = kit::thread_asleep_in([&] {
    const auto sent = one.queue.send(ignored, 1, never);
    EXPECT_TRUE(sent.failed_with(Errc::closed));
    EXPECT_THAT(sent.error().message(), HasSubstr("removed"));
  });
  std::jthread waiting_by_looks([&] { EXPECT_TRUE(one.queue.send(ignored, 1, after(1h)).failed_with(Errc::closed)); });
  std::jthread receiving = kit::thread_asleep_in(
      [&] { EXPECT_TRUE(one.queue.receive(ignored, Types::exactly(77), never).failed_with(Errc::closed)); });
  EXPECT_TRUE(SysvQueue::remove(one.queue.id()));
  waiting.join();
  waiting_by_looks.join();
  receiving.join();
  EXPECT_TRUE(one.queue.try_send(ignored, 1).failed_with(Errc::closed));
  EXPECT_TRUE(one.queue.try_receive(ignored, Types::any()).failed_with(Errc::closed));
  EXPECT_TRUE(one.queue.status().failed_with(Errc::closed));
  EXPECT_TRUE(SysvQueue::remove(one.queue.id()).failed_with(Errc::not_found));
}

TEST(SysvQueue, whose_receive_buffer_is_too_small_keeps_the_message) {  // F68
  OwnQueue one;
  one.queue.send(bytes_of("kept"), 3, never).or_throw();
  std::array<std::byte, 3> room;
  for (const Deadline deadline : {never, immediately, after(1h)}) {
    const auto refused = one.queue.receive(room, Types::any(), deadline);
    ASSERT_TRUE(refused.failed_with(Errc::message_too_long));
    EXPECT_THAT(refused.error().message(), AllOf(HasSubstr("buffer of 3 bytes"), HasSubstr("was not taken")));
  }
  EXPECT_EQ(received(one.queue, Types::any()), "kept/3");
}

// The kernel would let its sender wait for ever: no receiver can make enough room.
TEST(SysvQueue, a_message_longer_than_the_queue_holds_is_refused_instead_of_waited_for) {
  const kit::Watchdog watchdog("a queue that is too small");
  OwnQueue one;
  one.queue.set_capacity(100).or_throw();
  EXPECT_EQ(one.queue.status().or_throw().capacity, 100U);
  for (const Deadline deadline : {never, after(1h)}) {
    const auto sent = one.queue.send(Bytes(ignored).first(101), 1, deadline);
    ASSERT_TRUE(sent.failed_with(Errc::message_too_long));
    ASSERT_NE(sent.error().limit(), nullptr);
    EXPECT_EQ(sent.error().limit()->value, 100U);
    EXPECT_EQ(sent.error().limit()->wanted, 101U);
  }
  EXPECT_TRUE(one.queue.send(Bytes(ignored).first(100), 1, never));
}

TEST(SysvQueue, messages_beyond_the_buffer_on_the_stack_arrive_whole) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to raise kernel.msgmax in a namespace of its own";
  }
  kit::in_private_namespaces([] {
    std::ofstream("/proc/sys/kernel/msgmax") << 100000;
    std::ofstream("/proc/sys/kernel/msgmnb") << 200000;
    OwnQueue one;
    std::vector<std::byte> sent(100000);
    for (std::size_t i = 0; i < sent.size(); ++i) {
      sent[i] = static_cast<std::byte>(i * 7);
    }
    one.queue.send(sent, 4, never).or_throw();
    std::vector<std::byte> into(200000);
    const auto peeked = one.queue.peek(into, 0);
    EXPECT_TRUE(peeked.failed_with(Errc::not_supported) || peeked->bytes == sent.size());
    EXPECT_TRUE(
        one.queue.receive(MutableBytes(into).first(99999), Types::any(), never).failed_with(Errc::message_too_long));
    const auto got = one.queue.receive(into, Types::any(), never).or_throw();
    EXPECT_EQ(got.type, 4);
    into.resize(got.bytes);
    EXPECT_EQ(into, sent);
  });
}

TEST(SysvQueue, tells_who_was_last_and_how_full_it_is) {
  OwnQueue one;
  auto before = one.queue.status().or_throw();
  EXPECT_EQ(before.last_sender, 0);
  EXPECT_EQ(before.messages, 0U);
  kit::ReportedChild child("sender", [&] { one.queue.send(bytes_of("12345"), 1, never).or_throw(); });
  const pid_t sender = child.process().pid();
  (void)child.finish(never);
  const auto full = one.queue.status().or_throw();
  EXPECT_EQ(full.last_sender, sender);
  EXPECT_EQ(full.messages, 1U);
  EXPECT_EQ(full.bytes, 5U);
  EXPECT_EQ(full.owner, ::geteuid());
  EXPECT_EQ(full.creator, ::geteuid());
  EXPECT_GT(full.last_send, 0);
  EXPECT_EQ(received(one.queue, Types::any()), "12345/1");
  EXPECT_EQ(one.queue.status().or_throw().last_receiver, ::getpid());
}

TEST(SysvQueue, keeps_its_first_deadline_in_a_storm_of_signals) {  // F71
  const kit::Watchdog watchdog("a queue under signals");
  OwnQueue one;
  const kit::SignalStorm storm;
  const Deadline first = after(60ms);
  EXPECT_TRUE(one.queue.receive(ignored, Types::any(), first).failed_with(Errc::timed_out));
  EXPECT_TRUE(first.passed());
  fill(one.queue);
  const Deadline second = after(60ms);
  EXPECT_TRUE(one.queue.send(ignored, 1, second).failed_with(Errc::timed_out));
  EXPECT_TRUE(second.passed());
  EXPECT_GT(storm.count(), 0U);
}

TEST(SysvQueue, without_deadline_goes_on_after_signals) {  // F71
  const kit::Watchdog watchdog("a blocking queue under signals");
  OwnQueue one;
  const kit::SignalStorm storm;
  std::jthread other([&] {
    storm.await(20);
    EXPECT_TRUE(one.queue.send(bytes_of("x"), 1, never));
    fill(one.queue);
    EXPECT_TRUE(one.queue.send(bytes_of("go on"), 2, never));
  });
  EXPECT_TRUE(one.queue.receive(ignored, Types::any(), never));
  const auto room_is_asked_for = [&] { return one.queue.status().or_throw().bytes > 16000; };
  while (!room_is_asked_for()) {
    std::this_thread::yield();
  }
  while (!one.queue.try_receive(ignored, Types::exactly(2))) {
    [[maybe_unused]] const auto room = one.queue.try_receive(ignored, Types::exactly(1));
  }
}

TEST(SysvQueue, waits_until_somebody_sends_what_it_wants) {
  const kit::Watchdog watchdog("a queue with a deadline");
  OwnQueue one;
  kit::run_sides({{"receiver",
                   [&](kit::Stage& stage) {
                     stage.signal("receiving");
                     EXPECT_EQ(received(one.queue, Types::exactly(2), after(1h)), "wanted/2");
                     EXPECT_EQ(received(one.queue, Types::exactly(3), never), "wanted too/3");
                   }},
                  {"sender", [&](kit::Stage& stage) {
                     stage.await("receiving");
                     one.queue.send(bytes_of("not wanted"), 1, after(1h)).or_throw();
                     one.queue.send(bytes_of("wanted"), 2, after(1h)).or_throw();
                     one.queue.send(bytes_of("wanted too"), 3, after(1h)).or_throw();
                   }}});
  EXPECT_EQ(received(one.queue, Types::any()), "not wanted/1");
}

TEST(SysvQueue, gives_each_message_to_one_of_many_receivers) {
  constexpr int receivers = 3;
  constexpr int messages = 300;
  OwnQueue one;
  const kit::Shared<std::array<std::atomic<int>, messages>> taken;
  auto receive = [&](kit::Stage&) {
    for (std::string text = received(one.queue, Types::any(), after(1h)); text != "end/1";
         text = received(one.queue, Types::any(), after(1h))) {
      ++(*taken).at(static_cast<std::size_t>(std::stoi(text)));
    }
  };
  auto send = [&](kit::Stage&) {
    for (int i = 0; i < messages + receivers; ++i) {
      one.queue.send(bytes_of(i < messages ? std::to_string(i) : "end"), 1, after(1h)).or_throw();
    }
  };
  kit::run_sides({{"a", receive}, {"b", receive}, {"c", receive}, {"sender", send}});
  for (const auto& times : *taken) {
    EXPECT_EQ(times, 1);
  }
}

TEST(SysvQueue, keeps_what_a_killed_sender_had_sent) {
  OwnQueue one;
  kit::Sides sides({{"sender", [&](kit::Stage& stage) {
                       one.queue.send(bytes_of("last words"), 2, never).or_throw();
                       stage.signal("sent");
                       stage.await("nothing that ever comes");
                     }}});
  sides.stage().await("sent");
  sides.side("sender").kill();
  sides.finish();
  EXPECT_EQ(received(one.queue, Types::any()), "last words/2");
}

TEST(SysvQueue, several_threads_send_and_receive_at_once) {
  OwnQueue one;
  constexpr int each = 200;
  std::atomic<int> got = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < each; ++n) {
          EXPECT_TRUE(one.queue.send(bytes_of("x"), 1, n % 2 == 0 ? never : after(1h)));
        }
      });
      threads.emplace_back([&] {
        std::array<std::byte, 16> into;
        for (int n = 0; n < each; ++n) {
          got += one.queue.receive(into, Types::any(), n % 2 == 0 ? never : after(1h)) ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(got, 2 * each);
}

}  // namespace

/// Messages over every channel that two processes can open by name, and over an inherited pipe.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/channel/sender.hpp>
#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/ipc/pipe/pipe.hpp>
#include <tenon/ipc/posix_queue/posix_queue.hpp>
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>
#include <tenon/messaging/queue/queue.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/os/token.hpp>
#include <tenon/os/unlink_on_exit.hpp>
#include <tenon/sync/membership.hpp>

#include <kit/leak_check.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <unistd.h>

namespace tenon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::size_t most = 64U << 20;
Deadline soon() { return after(seconds(10)); }

std::vector<std::byte> pattern(std::size_t size, unsigned seed) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>((i * 31 + (i >> 8) + seed) & 0xff);
  }
  return bytes;
}

// Stands still until the test kills it, so that it dies at a known point.
void wait_for_death(kit::Stage& stage) {
  stage.signal("ready to die");
  stage.await("nothing that ever comes");
}

void kill_when_ready(kit::Sides& sides, const char* victim) {
  sides.stage().await("ready to die");
  sides.side(victim).kill();
  sides.finish();
}

class FifoChannel : public testing::Test {
 protected:
  std::string uri() { return "fifo:" + (directory_ / "channel"); }
  Sender sender() { return open_sender(uri(), soon()).or_throw(); }
  Receiver receiver() { return open_receiver(uri(), soon()).or_throw(); }

  const kit::Watchdog watchdog_{"a channel over a FIFO"};
  kit::UniqueDomain domain_;
  kit::UniqueDirectory directory_;
};

TEST_F(FifoChannel, carries_messages_of_any_size_whole_and_in_order) {
  const std::vector<std::size_t> sizes = {0, 1, 47, 4047, 4048, 4049, 4096, 65536, 1000000};
  kit::run_sides({{"sender",
                   [&](kit::Stage&) {
                     Sender out = sender();
                     for (const std::size_t size : sizes) {
                       out.send(pattern(size, 1), soon()).or_throw();
                     }
                     std::move(out).finish(soon()).or_throw();
                   }},
                  {"receiver", [&](kit::Stage&) {
                     Receiver in = receiver();
                     for (const std::size_t size : sizes) {
                       EXPECT_EQ(in.receive(most, soon()).or_throw(), pattern(size, 1)) << size;
                     }
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

// F73
TEST_F(FifoChannel, keeps_the_messages_of_two_senders_apart) {
  constexpr int messages = 50;
  constexpr std::size_t size = 100000;
  const auto send_all = [&](kit::Stage& stage, unsigned seed) {
    Sender out = sender();
    stage.signal("opened");
    stage.await("opened", 2);
    for (int i = 0; i < messages; ++i) {
      out.send(pattern(size, seed), soon()).or_throw();
    }
    std::move(out).finish(soon()).or_throw();
  };
  kit::run_sides({{"one", [&](kit::Stage& stage) { send_all(stage, 1); }},
                  {"two", [&](kit::Stage& stage) { send_all(stage, 2); }},
                  {"receiver", [&](kit::Stage&) {
                     Receiver in = receiver();
                     int ones = 0;
                     for (int i = 0; i < 2 * messages; ++i) {
                       const auto message = in.receive(most, soon()).or_throw();
                       ones += message == pattern(size, 1) ? 1 : 0;
                       EXPECT_TRUE(message == pattern(size, 1) || message == pattern(size, 2));
                     }
                     EXPECT_EQ(ones, messages);
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

TEST_F(FifoChannel, tells_the_receiver_that_a_sender_died_in_the_middle_of_a_message) {
  kit::Sides sides({{"sender",
                     [&](kit::Stage& stage) {
                       Sender out = sender();
                       out.send_part(pattern(9000, 1), Sender::More::yes, soon()).or_throw();
                       wait_for_death(stage);
                     }},
                    {"receiver", [&](kit::Stage&) {
                       Receiver in = receiver();
                       std::size_t got = 0;
                       auto part = in.receive_part(soon());
                       for (; part; part = in.receive_part(soon())) {
                         got += part->data.size();
                         EXPECT_FALSE(part->last);
                       }
                       EXPECT_EQ(got, 9000U);
                       EXPECT_EQ(part.error().code(), Errc::peer_died) << part.error().message();
                       EXPECT_THAT(part.error().message(), HasSubstr("died"));
                       std::move(in).abandon();
                     }}});
  kill_when_ready(sides, "sender");
}

TEST_F(FifoChannel, tells_the_receiver_that_a_sender_died_although_another_process_holds_its_end_open) {
  kit::Sides sides({{"sender",
                     [&](kit::Stage& stage) {
                       Sender out = sender();
                       out.send_part(pattern(10, 1), Sender::More::yes, soon()).or_throw();
                       stage.await("held");
                       wait_for_death(stage);
                     }},
                    {"holder",
                     [&](kit::Stage& stage) {
                       const WriteEnd held =
                           Fifo::open_or_create(directory_ / "channel").or_throw().open_for_writing(soon()).or_throw();
                       stage.signal("held");
                       stage.await("told");
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = receiver();
                       EXPECT_EQ(in.receive_part(soon()).or_throw().data.size(), 10U);
                       EXPECT_TRUE(in.receive_part(soon()).failed_with(Errc::peer_died));
                       stage.signal("told");
                       std::move(in).abandon();
                     }}});
  kill_when_ready(sides, "sender");
  ::unlink((directory_ / "channel").c_str());  // the holder may have made it before the channel did
}

TEST_F(FifoChannel, tells_the_sender_that_the_receiver_died) {
  kit::Sides sides({{"sender",
                     [&](kit::Stage&) {
                       Sender out = sender();
                       const auto sent = out.send(pattern(16U << 20, 1), soon());
                       ASSERT_TRUE(sent.failed_with(Errc::peer_died)) << (sent ? "" : sent.error().message());
                       std::move(out).abort();
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = receiver();
                       in.receive_part(soon()).or_throw();
                       wait_for_death(stage);
                     }}});
  kill_when_ready(sides, "receiver");
}

TEST_F(FifoChannel, does_not_call_a_message_sent_that_the_receiver_never_took) {
  kit::Sides sides({{"sender",
                     [&](kit::Stage& stage) {
                       Sender out = sender();
                       out.send(bytes_of("lost"), soon()).or_throw();
                       stage.signal("written");
                       EXPECT_TRUE(std::move(out).finish(soon()).failed_with(Errc::peer_died));
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = receiver();
                       stage.await("written");
                       wait_for_death(stage);
                     }}});
  kill_when_ready(sides, "receiver");
}

TEST_F(FifoChannel, tells_the_receiver_that_the_sender_gave_up) {
  kit::run_sides({{"sender",
                   [&](kit::Stage&) {
                     Sender out = sender();
                     out.send_part(bytes_of("half"), Sender::More::yes, soon()).or_throw();
                     std::move(out).abort();
                   }},
                  {"receiver", [&](kit::Stage&) {
                     Receiver in = receiver();
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::aborted));
                     std::move(in).abandon();
                   }}});
}

TEST_F(FifoChannel, refuses_a_message_longer_than_the_receiver_allows_and_goes_on) {
  kit::run_sides({{"sender",
                   [&](kit::Stage&) {
                     Sender out = sender();
                     out.send(pattern(10000, 1), soon()).or_throw();
                     out.send(bytes_of("short"), soon()).or_throw();
                     std::move(out).finish(soon()).or_throw();
                   }},
                  {"receiver", [&](kit::Stage&) {
                     Receiver in = receiver();
                     const auto long_one = in.receive(100, soon());
                     ASSERT_TRUE(long_one.failed_with(Errc::message_too_long));
                     EXPECT_THAT(long_one.error().message(), HasSubstr("10000 bytes"));
                     const auto short_one = in.receive(100, soon()).or_throw();
                     EXPECT_EQ(text_of(short_one), "short");
                     EXPECT_TRUE(in.receive(100, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

TEST_F(FifoChannel, refuses_bytes_that_no_channel_sent) {
  kit::run_sides({{"stranger",
                   [&](kit::Stage& stage) {
                     stage.await("receiver is there");
                     WriteEnd out = Fifo::open(directory_ / "channel").or_throw().open_for_writing(soon()).or_throw();
                     out.write(pattern(100, 1), soon()).or_throw();
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Fifo::create(directory_ / "channel").or_throw();
                     stage.signal("receiver is there");
                     Receiver in = receiver();
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::corrupt));
                     std::move(in).abandon();
                     Fifo::unlink(directory_ / "channel").or_throw();
                   }}});
}

TEST_F(FifoChannel, keeps_its_deadline_when_nobody_comes_and_leaves_nothing) {
  const kit::LeakCheck leaks;
  EXPECT_TRUE(open_sender(uri(), after(milliseconds(20))).failed_with(Errc::timed_out));
  EXPECT_TRUE(open_receiver(uri(), after(milliseconds(20))).failed_with(Errc::timed_out));
}

// Channels whose messages have priorities, by URI.
class PriorityChannel : public testing::TestWithParam<const char*> {
 protected:
  std::string uri() {
    const std::string scheme = GetParam();
    return scheme == "queue" ? "queue:" + name_
           : scheme == "mq"  ? "mq:/" + name_
                             : "sysvq:" + std::to_string(Token::random().value() % 0x7fffffff + 1);
  }

  const kit::Watchdog watchdog_{"a channel with priorities"};
  kit::UniqueDomain domain_;
  std::string name_ = kit::unique_name();
};

INSTANTIATE_TEST_SUITE_P(All, PriorityChannel, testing::Values("mq", "sysvq", "queue"),
                         [](const auto& one) { return std::string(one.param); });

struct Heard {
  std::string text;
  std::uint32_t priority;
  friend bool operator==(const Heard&, const Heard&) = default;
};

Heard next_message(Receiver& in) {
  Heard heard{};
  while (true) {
    const Part part = in.receive_part(soon()).or_throw();
    heard.text += text_of(part.data);
    heard.priority = part.priority;
    if (part.last) {
      return heard;
    }
  }
}

TEST_P(PriorityChannel, hands_out_the_highest_first_and_the_oldest_within) {
  const std::string channel = uri();
  kit::run_sides({{"sender",
                   [&](kit::Stage& stage) {
                     Sender out = open_sender(channel, soon()).or_throw();
                     out.send(bytes_of("low"), soon()).or_throw();
                     out.send(bytes_of("high"), soon(), 9).or_throw();
                     out.send(bytes_of("middle"), soon(), 5).or_throw();
                     out.send(bytes_of("high too"), soon(), 9).or_throw();
                     stage.signal("sent");
                     std::move(out).finish(soon()).or_throw();
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = open_receiver(channel, soon()).or_throw();
                     EXPECT_TRUE(in.capabilities().priority);
                     stage.await("sent");
                     EXPECT_EQ(next_message(in), (Heard{"high", 9}));
                     EXPECT_EQ(next_message(in), (Heard{"high too", 9}));
                     EXPECT_EQ(next_message(in), (Heard{"middle", 5}));
                     EXPECT_EQ(next_message(in), (Heard{"low", 0}));
                     EXPECT_TRUE(in.receive_part(soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

// The rest of the long one is in the queue behind it when the urgent one comes.
TEST_P(PriorityChannel, a_message_that_overtakes_does_not_come_into_the_middle_of_another) {
  const std::string channel = uri();
  const std::string begun(9000, 'b');
  const std::string rest(500, 'r');
  kit::run_sides({{"sender",
                   [&](kit::Stage& stage) {
                     Sender out = open_sender(channel, soon()).or_throw();
                     out.send_part(bytes_of(begun), Sender::More::yes, soon(), 1).or_throw();
                     stage.await("begun");
                     out.send_part(bytes_of(rest), Sender::More::no, soon(), 1).or_throw();
                     out.send(bytes_of("urgent"), soon(), most_priority).or_throw();
                     stage.signal("overtaken");
                     std::move(out).finish(soon()).or_throw();
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = open_receiver(channel, soon()).or_throw();
                     std::string text;
                     while (text.size() < begun.size()) {
                       text += text_of(in.receive_part(soon()).or_throw().data);
                     }
                     stage.signal("begun");
                     stage.await("overtaken");
                     EXPECT_EQ(next_message(in), (Heard{rest, 1}));
                     EXPECT_EQ(next_message(in), (Heard{"urgent", most_priority}));
                     EXPECT_TRUE(in.receive_part(soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

TEST_P(PriorityChannel, a_sender_that_dies_in_a_message_that_overtook_others_voids_them_too) {
  const std::string channel = uri();
  kit::Sides sides({{"sender",
                     [&](kit::Stage& stage) {
                       Sender out = open_sender(channel, soon()).or_throw();
                       out.send(bytes_of("whole"), soon(), 0).or_throw();
                       out.send_part(bytes_of(std::string(9000, 'x')), Sender::More::yes, soon(), 3).or_throw();
                       wait_for_death(stage);
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = open_receiver(channel, soon()).or_throw();
                       stage.await("ready to die");
                       std::string whole;
                       auto part = in.receive_part(soon());
                       for (; part; part = in.receive_part(soon())) {
                         whole += part->last ? text_of(part->data) : "";
                       }
                       EXPECT_TRUE(part.failed_with(Errc::peer_died)) << part.error().message();
                       EXPECT_EQ(whole, "") << "what it had sent before is void with the rest, and said to be";
                       std::move(in).abandon();
                     }}});
  kill_when_ready(sides, "sender");
}

TEST_P(PriorityChannel, a_queue_with_messages_from_before_is_refused_and_left_as_it_is) {
  if (std::string(GetParam()) == "queue") {
    const auto member = Membership::join(std::make_shared<Domain>(Domain::open(domain_.path()).or_throw())).or_throw();
    auto queue = Queue<Bytes>::create(member.holder, name_).or_throw();
    queue.send(bytes_of("precious"), never).or_throw();
    const auto refused = open_receiver(uri(), soon());
    ASSERT_TRUE(refused.failed_with(Errc::stale));
    EXPECT_THAT(refused.error().message(), HasSubstr("holds 1 messages from before"));
    EXPECT_EQ(queue.fill().waiting, 1U);
    EXPECT_TRUE(queue.receive(soon()).has_value());
    Queue<Bytes>::remove(*member.domain, name_).or_throw();
    return;
  }
  if (std::string(GetParam()) == "sysvq") {
    const SysvKey key = SysvKey::number(static_cast<key_t>(Token::random().value() | 1U)).or_throw();
    SysvQueue queue = SysvQueue::create(key).or_throw();
    const RemoveOnExit guard(SysvQueue::remove, queue.id());
    queue.send(bytes_of("precious"), 1, never).or_throw();
    EXPECT_TRUE(open_receiver("sysvq:" + key.text(), soon()).failed_with(Errc::stale));
    EXPECT_EQ(queue.status().or_throw().messages, 1U);
    return;
  }
  PosixQueue queue = PosixQueue::create("/" + name_, {.messages = 2, .message_bytes = 200}).or_throw();
  const UnlinkOnExit guard(PosixQueue::unlink, "/" + name_);
  queue.send(bytes_of("precious"), 0, never).or_throw();
  const auto refused = open_receiver(uri(), soon());
  ASSERT_TRUE(refused.failed_with(Errc::stale));
  EXPECT_THAT(refused.error().message(), HasSubstr("holds 1 messages from before"));
  EXPECT_EQ(queue.attributes().or_throw().waiting, 1U);
}

TEST(QueueChannel, over_a_queue_whose_messages_are_too_short_says_how_long_they_must_be) {
  const kit::UniqueDomain domain;
  const std::string name = "/" + kit::unique_name();
  const PosixQueue queue = PosixQueue::create(name, {.messages = 2, .message_bytes = 50}).or_throw();
  const UnlinkOnExit guard(PosixQueue::unlink, name);
  const auto refused = open_sender("mq:" + name, soon());
  ASSERT_TRUE(refused.failed_with(Errc::invalid_argument));
  EXPECT_THAT(refused.error().message(), HasSubstr("at most 50 bytes"));
}

TEST(QueueChannel, over_a_queue_of_the_domain_that_takes_no_frame_or_no_bytes_says_so) {
  const kit::UniqueDomain domain;
  const auto member = Membership::join(std::make_shared<Domain>(Domain::open(domain.path()).or_throw())).or_throw();
  const auto small = Queue<Bytes>::create(member.holder, "small", {.messages = 2, .bytes = 64}).or_throw();
  const auto refused = open_sender("queue:small", soon());
  ASSERT_TRUE(refused.failed_with(Errc::invalid_argument));
  EXPECT_THAT(refused.error().message(), HasSubstr("64 bytes of long messages"));
  const auto numbers = Queue<std::uint64_t>::create(member.holder, "numbers").or_throw();
  EXPECT_TRUE(open_receiver("queue:numbers", soon()).failed_with(Errc::type_mismatch));
  EXPECT_TRUE(open_receiver("queue:a/b", soon()).failed_with(Errc::invalid_name));
  Queue<Bytes>::remove(*member.domain, "small").or_throw();
  Queue<std::uint64_t>::remove(*member.domain, "numbers").or_throw();
}

TEST(QueueChannel, tells_both_that_their_queue_was_removed_from_outside) {
  const kit::Watchdog watchdog("a queue that was removed");
  const kit::UniqueDomain domain;
  kit::run_sides({{"sender",
                   [&](kit::Stage& stage) {
                     Sender out = open_sender("queue:q", soon()).or_throw();
                     out.send(bytes_of("one"), soon()).or_throw();
                     stage.await("received");
                     Queue<Bytes>::remove(Domain::of_environment().or_throw(), "q").or_throw();
                     EXPECT_TRUE(out.send(bytes_of("two"), soon()).failed_with(Errc::stale));
                     stage.await("told");
                     std::move(out).abort();
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = open_receiver("queue:q", soon()).or_throw();
                     EXPECT_TRUE(in.receive(most, soon()).has_value());
                     stage.signal("received");
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::stale));
                     stage.signal("told");
                     std::move(in).abandon();
                   }}});
}

TEST_F(FifoChannel, has_no_priorities_and_names_the_channels_that_have) {
  kit::run_sides({{"sender",
                   [&](kit::Stage&) {
                     Sender out = sender();
                     const auto refused = out.send(bytes_of("x"), soon(), 1);
                     ASSERT_TRUE(refused.failed_with(Errc::invalid_argument));
                     EXPECT_THAT(refused.error().message(), HasSubstr("mq:/NAME"));
                     std::move(out).finish(soon()).or_throw();
                   }},
                  {"receiver", [&](kit::Stage&) {
                     Receiver in = receiver();
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

TEST(PipeChannel, carries_a_message_to_a_child_that_inherits_the_reading_end) {
  const kit::Watchdog watchdog("a channel over a pipe");
  const kit::UniqueDomain domain;
  Pipe pipe = Pipe::pair().or_throw();
  Child child = spawn([&] {
                  ReadEnd end = std::move(pipe).into_reader();
                  const int number = std::move(end).into_fd().release();
                  Receiver in = open_receiver("pipe:" + std::to_string(number), soon()).or_throw();
                  const auto message = in.receive(most, soon()).or_throw();
                  const bool ended = in.receive(most, soon()).failed_with(Errc::closed);
                  std::move(in).finish(soon()).or_throw();
                  return message == pattern(100000, 5) && ended ? 0 : 1;
                }).or_throw();
  const int number = std::move(pipe).into_writer().into_fd().release();
  Sender out = open_sender("pipe:" + std::to_string(number), soon()).or_throw();
  out.send(pattern(100000, 5), soon()).or_throw();
  std::move(out).finish(soon()).or_throw();
  EXPECT_TRUE(child.wait(soon()).or_throw().success());
}

// The sender looks too seldom to see it, and somebody else holds the reading end open.
TEST(PipeChannel, tells_of_a_receiver_that_came_and_left_between_two_looks) {
  const kit::Watchdog watchdog("a receiver that has left");
  const kit::UniqueDomain domain;
  Pipe pipe = Pipe::pair().or_throw();
  const std::string reader = "pipe:" + std::to_string(pipe.reader.fd().raw());
  Sender out = open_sender("pipe:" + std::to_string(pipe.writer.fd().raw()), soon()).or_throw();
  out.send(pattern(1000, 5), soon()).or_throw();
  Child child = spawn([&] {
                  Receiver in = open_receiver(reader, soon()).or_throw();
                  const bool whole = in.receive(most, soon()).or_throw() == pattern(1000, 5);
                  std::move(in).abandon();
                  return whole ? 0 : 1;
                }).or_throw();
  EXPECT_TRUE(child.wait(soon()).or_throw().success());
  const auto finished = std::move(out).finish(soon());
  ASSERT_TRUE(finished.failed_with(Errc::closed));
  EXPECT_THAT(finished.error().message(), HasSubstr("left before it had everything"));
}

TEST(PipeChannel, says_what_is_wrong_with_a_descriptor) {
  const kit::UniqueDomain domain;
  const Pipe pipe = Pipe::pair().or_throw();
  const std::string reader = "pipe:" + std::to_string(pipe.reader.fd().raw());
  EXPECT_THAT(open_sender(reader, soon()).error().message(), HasSubstr("read end"));
  EXPECT_THAT(open_receiver("pipe:x", soon()).error().message(), HasSubstr("number"));
  EXPECT_THAT(open_receiver("pipe:9999", soon()).error().message(), HasSubstr("no such descriptor"));
  const Fd null = FdView(domain.domain().directory()).duplicate().or_throw();
  EXPECT_THAT(open_receiver("pipe:" + std::to_string(null.raw()), soon()).error().message(),
              HasSubstr("no end of a pipe"));
}

TEST(Scheme, names_the_channels_there_are_when_it_knows_none_of_that_name) {
  for (const char* uri : {"carrier-pigeon:x", "fifo", "", ":"}) {
    const auto opened = open_sender(uri, immediately);
    ASSERT_TRUE(opened.failed_with(Errc::invalid_argument)) << uri;
    EXPECT_THAT(opened.error().message(), HasSubstr("fifo:PATH")) << uri;
  }
  EXPECT_THAT(open_receiver("fifo:", immediately).error().message(), HasSubstr("PATH"));
}

}  // namespace
}  // namespace tenon

/// Who writes to or reads from a channel's FIFO without being an end of it, and ends that lie.
#include "channel_fixture.hpp"

#include <cstring>

namespace transfer {
namespace {

using namespace tenon;
using std::chrono::milliseconds;
using testing::HasSubstr;

using ChannelStrangers = ChannelTest;

// F79
TEST_F(ChannelStrangers, frames_with_a_token_that_never_joined_are_refused) {
  kit::run_sides({{"impostor",
                   [&](kit::Stage& stage) {
                     PlayedSender entered = played_sender();
                     write_frame(entered.end, {.sender = Token::from(0x1234),
                                               .message = 1,
                                               .offset = 0,
                                               .kind = FrameKind::last,
                                               .priority = 0,
                                               .payload = bytes_of("trust me")});
                     stage.await("refused");
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = receiver();
                     const auto refused = in.receive(most, soon());
                     EXPECT_TRUE(refused.failed_with(Errc::permission_denied));
                     EXPECT_THAT(refused.error().message(), HasSubstr("not entered"));
                     stage.signal("refused");
                     std::move(in).abandon();
                   }}});
}

TEST_F(ChannelStrangers, a_receivers_own_token_is_no_senders) {
  kit::run_sides({{"impostor",
                   [&](kit::Stage& stage) {
                     PlayedSender entered = played_sender();
                     Token receiver = nobody;
                     for (const Participant& one : entered.rendezvous.entered(soon()).or_throw()) {
                       receiver = one.role == Role::receiver ? one.token : receiver;
                     }
                     write_frame(entered.end, {.sender = receiver,
                                               .message = 1,
                                               .offset = 0,
                                               .kind = FrameKind::last,
                                               .priority = 0,
                                               .payload = bytes_of("trust me")});
                     stage.await("refused");
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = receiver();
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::permission_denied));
                     stage.signal("refused");
                     std::move(in).abandon();
                   }}});
}

TEST_F(ChannelStrangers, a_sender_in_another_domain_is_told_that_it_has_no_receiver) {
  Fifo::create(path()).or_throw();
  kit::run_sides({{"receiver",
                   [&](kit::Stage& stage) {
                     const Rendezvous entered = enter(Role::receiver);
                     const ReadEnd end = Fifo::open(path()).or_throw().try_open_for_reading().or_throw();
                     stage.signal("reading");
                     stage.await("told");
                   }},
                  {"sender", [&](kit::Stage& stage) {
                     stage.await("reading");
                     kit::UniqueDomain other;
                     const auto refused = open_sender(uri(), soon());
                     EXPECT_TRUE(refused.failed_with(Errc::no_peer));
                     EXPECT_THAT(refused.error().message(), HasSubstr("domain"));
                     stage.signal("told");
                   }}});
  Fifo::unlink(path()).or_throw();
}

// F80
TEST_F(ChannelStrangers, a_length_that_no_frame_has_is_refused) {
  for (const std::uint32_t length : {static_cast<std::uint32_t>(Frame::most_payload + 1), 0xffffffffU}) {
    kit::run_sides({{"hostile",
                     [&](kit::Stage& stage) {
                       PlayedSender entered = played_sender();
                       std::vector<std::byte> bytes(Frame::header_size);
                       Frame{.sender = entered.rendezvous.token(), .message = 1}.encode(bytes);
                       std::memcpy(bytes.data() + 32, &length, sizeof length);
                       entered.end.write(bytes, soon()).or_throw();
                       stage.await("refused");
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = receiver();
                       EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::corrupt));
                       stage.signal("refused");
                       std::move(in).abandon();
                     }}});
  }
}

// F80
TEST_F(ChannelStrangers, a_sender_that_falls_silent_inside_a_frame_does_not_outlast_the_deadline) {
  kit::run_sides({{"silent",
                   [&](kit::Stage& stage) {
                     PlayedSender entered = played_sender();
                     std::vector<std::byte> bytes(Frame::header_size + 100);
                     const auto payload = pattern(100, 1);
                     Frame{.sender = entered.rendezvous.token(), .message = 1, .payload = payload}.encode(bytes);
                     entered.end.write(Bytes(bytes).first(70), soon()).or_throw();
                     stage.await("timed out");
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = receiver();
                     const Deadline deadline = after(milliseconds(150));
                     EXPECT_TRUE(in.receive(most, deadline).failed_with(Errc::timed_out));
                     EXPECT_TRUE(deadline.passed());
                     stage.signal("timed out");
                     std::move(in).abandon();
                   }}});
}

// F80
TEST_F(ChannelStrangers, what_is_held_back_for_other_senders_is_bounded_and_the_bound_is_named) {
  kit::run_sides({{"slow",
                   [&](kit::Stage& stage) {
                     Sender out = sender();
                     out.send_part(bytes_of("I have begun"), Sender::More::yes, soon()).or_throw();
                     stage.signal("begun");
                     stage.await("refused");
                     std::move(out).abort();
                   }},
                  {"flooding",
                   [&](kit::Stage& stage) {
                     stage.await("begun");
                     Sender out = sender();
                     const auto flood = pattern(1'000'000, 1);
                     auto sent = out.send(flood, soon());
                     while (sent) {
                       sent = out.send(flood, soon());
                     }
                     EXPECT_TRUE(sent.failed_with(Errc::closed)) << sent.error().message();
                     std::move(out).abort();
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = receiver();
                     EXPECT_EQ(text_of(in.receive_part(soon()).or_throw().data), "I have begun");
                     const auto full = in.receive_part(soon());
                     ASSERT_TRUE(full.failed_with(Errc::limit_reached));
                     ASSERT_NE(full.error().limit(), nullptr);
                     EXPECT_EQ(full.error().limit()->value, Receiver::most_held);
                     EXPECT_LT(full.error().limit()->wanted, Receiver::most_held + Frame::most_payload);
                     stage.signal("refused");
                     std::move(in).abandon();
                   }}});
}

TEST_F(ChannelStrangers, a_part_that_was_taken_out_of_the_stream_is_missed) {
  kit::run_sides({{"sender",
                   [&](kit::Stage& stage) {
                     PlayedSender out = played_sender();
                     out.part(bytes_of("one"), 1, 0, FrameKind::part);
                     out.part(bytes_of("three"), 1, 6, FrameKind::last);
                     stage.await("missed");
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = receiver();
                     const auto missed = in.receive(most, soon());
                     ASSERT_TRUE(missed.failed_with(Errc::corrupt));
                     EXPECT_THAT(missed.error().message(), HasSubstr("from byte 3"));
                     stage.signal("missed");
                     std::move(in).abandon();
                   }}});
}

}  // namespace
}  // namespace transfer

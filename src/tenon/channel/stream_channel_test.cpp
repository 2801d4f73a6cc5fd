/// Channels over streams, of whose senders one says half of what it has begun. Between two programs:
/// tests/scenarios/transfer/every_channel_test.cpp.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/rendezvous.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/channel/sender.hpp>
#include <tenon/channel/stream_carrier.hpp>

#include <kit/patience.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tenon {
namespace {

constexpr std::size_t most = 64U << 20;
Deadline soon() { return after(kit::patient(std::chrono::seconds(10))); }

/// A sender that does what the test says, frame by frame, and no more.
struct PlayedStreamSender {
  Rendezvous rendezvous;
  Membership member;
  StreamWriter stream;

  static PlayedStreamSender enter(const std::string& path) {
    auto domain = std::make_shared<const Domain>(Domain::open(path).or_throw());
    ObjectKeeper keeper;
    keeper.made_by_receiver = true;
    auto rendezvous = Rendezvous::join(domain, "stream:s", Role::sender, keeper, soon()).or_throw();
    rendezvous.await_other_role(soon()).or_throw();
    auto member = Membership::join(domain).or_throw();
    auto stream = StreamWriter::open(member.holder, new_stream_name("s"), soon()).or_throw();
    return {.rendezvous = std::move(rendezvous), .member = std::move(member), .stream = std::move(stream)};
  }
  /// The first `bytes` bytes of a frame with this payload, which begins a message.
  void write(std::string_view payload, std::size_t bytes) {
    std::vector<std::byte> frame(Frame::header_size + payload.size());
    const Frame made{.sender = rendezvous.token(), .message = 1, .kind = FrameKind::part, .payload = bytes_of(payload)};
    EXPECT_EQ(made.encode(frame), frame.size());
    // The receiver may be gone by then, if this was what it waited for.
    [[maybe_unused]] const auto written = stream.write(Bytes(frame).first(std::min(bytes, frame.size())), soon());
  }
};

class StreamChannel : public testing::Test {
 protected:
  const kit::Watchdog watchdog_{"a channel over streams", std::chrono::seconds(60)};
  kit::UniqueDomain domain_;
};

// Its bytes are never a frame: they are not waited for.
TEST_F(StreamChannel, tells_of_a_sender_that_was_killed_in_the_middle_of_a_frame) {
  kit::Sides sides({{"sender",
                     [&](kit::Stage& stage) {
                       auto sender = PlayedStreamSender::enter(domain_.path());
                       sender.write("whole", SIZE_MAX);
                       sender.stream.write(bytes_of(std::string(Frame::header_size / 2, 'x')), soon()).or_throw();
                       stage.signal("half written");
                       stage.await("nothing that ever comes");
                     }},
                    {"receiver", [&](kit::Stage&) {
                       Receiver in = open_receiver("stream:s", soon()).or_throw();
                       EXPECT_EQ(text_of(in.receive_part(soon()).or_throw().data), "whole");
                       const auto told = in.receive_part(soon());
                       EXPECT_TRUE(told.failed_with(Errc::peer_died)) << (told ? "" : told.error().message());
                       std::move(in).abandon();
                     }}});
  sides.stage().await("half written");
  sides.side("sender").kill();
  sides.finish();
}

TEST_F(StreamChannel, tells_of_a_death_although_another_sender_stands_still_in_the_middle_of_a_frame) {
  kit::Sides sides({{"still",
                     [&](kit::Stage& stage) {
                       auto sender = PlayedStreamSender::enter(domain_.path());
                       sender.write("never whole", Frame::header_size + 1);
                       stage.signal("half written");
                       stage.await("told");
                     }},
                    {"sender",
                     [&](kit::Stage& stage) {
                       auto sender = PlayedStreamSender::enter(domain_.path());
                       stage.await("half written");
                       sender.write("whole", SIZE_MAX);
                       stage.signal("ready to die");
                       stage.await("nothing that ever comes");
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = open_receiver("stream:s", soon()).or_throw();
                       EXPECT_EQ(text_of(in.receive_part(soon()).or_throw().data), "whole");
                       EXPECT_TRUE(in.receive_part(soon()).failed_with(Errc::peer_died));
                       stage.signal("told");
                       std::move(in).abandon();
                     }}});
  sides.stage().await("ready to die");
  sides.side("sender").kill();
  sides.finish();
}

TEST_F(StreamChannel, refuses_a_stream_that_ends_inside_a_frame) {
  kit::run_sides({{"sender",
                   [&](kit::Stage&) {
                     auto sender = PlayedStreamSender::enter(domain_.path());
                     sender.write("cut short", Frame::header_size + 3);
                     std::move(sender.stream).close().or_throw();
                   }},
                  {"receiver", [&](kit::Stage&) {
                     Receiver in = open_receiver("stream:s", soon()).or_throw();
                     const auto refused = in.receive(most, soon());
                     ASSERT_TRUE(refused.failed_with(Errc::corrupt));
                     EXPECT_THAT(refused.error().message(), testing::HasSubstr("ends inside a frame"));
                     std::move(in).abandon();
                   }}});
}

// F80
TEST_F(StreamChannel, refuses_a_frame_that_would_never_fit) {
  kit::run_sides({{"sender",
                   [&](kit::Stage& stage) {
                     auto sender = PlayedStreamSender::enter(domain_.path());
                     sender.write(std::string(2 * StreamSink::frame_bytes, 'x'), Frame::header_size);
                     stage.await("refused");
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = open_receiver("stream:s", soon()).or_throw();
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::corrupt));
                     stage.signal("refused");
                     std::move(in).abandon();
                   }}});
}

// F73
TEST_F(StreamChannel, keeps_the_long_messages_of_several_senders_apart) {
  constexpr int senders = 3;
  constexpr int messages = 20;
  constexpr std::size_t size = 300'000;
  const auto send_all = [](kit::Stage& stage, char letter) {
    Sender out = open_sender("stream:s", soon()).or_throw();
    stage.signal("opened");
    stage.await("opened", senders);
    for (int i = 0; i < messages; ++i) {
      out.send(bytes_of(std::string(size, letter)), soon()).or_throw();
    }
    std::move(out).finish(soon()).or_throw();
  };
  kit::run_sides({{"a", [&](kit::Stage& stage) { send_all(stage, 'a'); }},
                  {"b", [&](kit::Stage& stage) { send_all(stage, 'b'); }},
                  {"c", [&](kit::Stage& stage) { send_all(stage, 'c'); }},
                  {"receiver", [&](kit::Stage&) {
                     Receiver in = open_receiver("stream:s", soon()).or_throw();
                     int whole = 0;
                     for (auto message = in.receive(most, soon()); message; message = in.receive(most, soon())) {
                       EXPECT_EQ(text_of(*message), std::string(size, text_of(*message).front()));
                       ++whole;
                     }
                     EXPECT_EQ(whole, senders * messages);
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

// F62
TEST_F(StreamChannel, whose_ends_were_all_killed_leaves_nothing_to_the_next) {
  kit::Sides sides({{"sender",
                     [&](kit::Stage& stage) {
                       Sender out = open_sender("stream:s", soon()).or_throw();
                       out.send(bytes_of("x"), soon()).or_throw();
                       stage.signal("sent");
                       stage.await("nothing that ever comes");
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = open_receiver("stream:s", soon()).or_throw();
                       EXPECT_TRUE(in.receive(most, soon()).has_value());
                       stage.signal("received");
                       stage.await("nothing that ever comes");
                     }}});
  sides.stage().await("sent");
  sides.stage().await("received");
  sides.side("sender").kill();
  sides.side("receiver").kill();
  sides.finish();
  EXPECT_FALSE(streams_of(domain_.domain(), "s", StreamRole::writer).or_throw().empty());
  EXPECT_TRUE(open_receiver("topic:another", immediately).failed_with(Errc::timed_out));
  EXPECT_TRUE(streams_of(domain_.domain(), "s", StreamRole::writer).or_throw().empty());
  EXPECT_TRUE(streams_of(domain_.domain(), "s", StreamRole::reader).or_throw().empty());
}

}  // namespace
}  // namespace tenon

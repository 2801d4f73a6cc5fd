#include <tenon/ipc/unix_seqpacket/unix_seqpacket.hpp>

#include <tenon/ipc/unix_seqpacket/unix_seqpacket_listener.hpp>
#include <tenon/os/stop.hpp>

#include <kit/asleep.hpp>
#include <kit/enclosed_descriptors.hpp>
#include <kit/leak_check.hpp>
#include <kit/named_path.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::HasSubstr;

std::array<std::byte, 64> room;

std::string receive_once(UnixSeqpacket& socket, Deadline deadline = never) {
  const std::size_t size = socket.receive(room, deadline).or_throw();
  return std::string(text_of(Bytes(room).first(size)));
}

TEST(UnixSeqpacket, keeps_messages_apart_and_in_order_both_ways) {
  auto [here, there] = UnixSeqpacket::pair().or_throw();
  here.send(bytes_of("first"), never).or_throw();
  here.send(bytes_of("second"), after(1h)).or_throw();
  here.try_send(bytes_of("third")).or_throw();
  EXPECT_EQ(receive_once(there), "first");
  EXPECT_EQ(there.try_receive(room).or_throw(), 6U);
  EXPECT_EQ(receive_once(there, after(1h)), "third");
  EXPECT_TRUE(there.try_receive(room).failed_with(Errc::would_block));
  there.send(bytes_of("answer"), never).or_throw();
  EXPECT_EQ(receive_once(here), "answer");
}

TEST(UnixSeqpacket, tells_an_empty_message_from_the_end) {
  auto [here, there] = UnixSeqpacket::pair().or_throw();
  for (int turn = 0; turn < 5; ++turn) {
    here.send({}, never).or_throw();
  }
  std::move(here).close().or_throw();
  EXPECT_EQ(there.next_size(never).or_throw(), 0U);
  EXPECT_EQ(there.receive(room, never).or_throw(), 0U);
  EXPECT_EQ(there.receive(room, after(1h)).or_throw(), 0U);
  EXPECT_EQ(there.try_receive(room).or_throw(), 0U);
  EXPECT_EQ(there.receive_from(room, never).or_throw().size, 0U);
  EXPECT_EQ(there.receive({}, never).or_throw(), 0U) << "room for nothing is enough for an empty one";
  EXPECT_TRUE(there.receive(room, never).failed_with(Errc::closed));
  EXPECT_TRUE(there.receive(room, after(1h)).failed_with(Errc::closed));
  EXPECT_TRUE(there.try_receive(room).failed_with(Errc::closed));
  EXPECT_TRUE(there.receive_from(room, never).failed_with(Errc::closed));
  EXPECT_TRUE(there.next_size(after(1h)).failed_with(Errc::closed));
}

TEST(UnixSeqpacket, tells_an_empty_message_from_the_end_over_a_connection_from_its_first_message_on) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  UnixSeqpacketListener listener = UnixSeqpacketListener::create(name.path).or_throw();
  {
    UnixSeqpacket client = UnixSeqpacket::connect(name.path, after(1h)).or_throw();
    client.send({}, never).or_throw();
    client.send({}, never).or_throw();
  }
  UnixSeqpacket server = listener.accept(after(1h)).or_throw();
  const auto first = server.receive_from(room, never).or_throw();
  EXPECT_EQ(first.size, 0U);
  EXPECT_EQ(first.sender, own_credentials());
  EXPECT_EQ(server.receive(room, never).or_throw(), 0U);
  EXPECT_TRUE(server.receive(room, never).failed_with(Errc::closed));
}

TEST(UnixSeqpacket, tells_each_messages_own_sender_from_the_kernel) {  // F79
  auto [here, there] = UnixSeqpacket::pair().or_throw();
  pid_t child_pid = 0;
  kit::Sides sides({{"child", [&](kit::Stage& stage) {
                       here.send(bytes_of("child"), never).or_throw();
                       stage.signal("sent");
                     }}});
  sides.stage().await("sent");
  child_pid = sides.side("child").process().pid();
  here.send(bytes_of("parent"), never).or_throw();
  EXPECT_EQ(there.receive_from(room, never).or_throw().sender->pid, child_pid);
  EXPECT_EQ(there.receive_from(room, never).or_throw().sender->pid, ::getpid());
  EXPECT_EQ(there.peer().or_throw().pid, ::getpid()) << "who made the connection, whoever sends over it";
}

TEST(UnixSeqpacket, that_does_not_fit_is_told_with_its_size) {
  auto [here, there] = UnixSeqpacket::pair().or_throw();
  std::array<std::byte, 4> small{};
  for (int turn = 0; turn < 3; ++turn) {
    here.send(bytes_of("12345678"), never).or_throw();
  }
  here.send(bytes_of("next"), never).or_throw();
  EXPECT_EQ(there.next_size(never).or_throw(), 8U) << "and it stays";
  for (const auto& cut : {there.receive(small, never), there.receive(small, after(1h)), there.try_receive(small)}) {
    ASSERT_TRUE(cut.failed_with(Errc::message_too_long));
    ASSERT_NE(cut.error().limit(), nullptr);
    EXPECT_EQ(cut.error().limit()->wanted, 8U);
  }
  EXPECT_EQ(text_of(small), "1234");
  EXPECT_EQ(receive_once(there), "next");
}

TEST(UnixSeqpacket, longer_than_the_limit_is_refused_naming_the_limit) {
  auto [here, there] = UnixSeqpacket::pair().or_throw();
  const std::size_t longest = here.longest_message().or_throw();
  const std::string message(longest + 1, 'm');
  const auto refused = here.send(bytes_of(message), never);
  ASSERT_TRUE(refused.failed_with(Errc::message_too_long));
  EXPECT_EQ(refused.error().limit()->value, longest);
  EXPECT_THAT(refused.error().message(), HasSubstr("net.core.wmem_max"));
  EXPECT_TRUE(here.send(bytes_of(message).first(longest), never));
  EXPECT_EQ(there.next_size(never).or_throw(), longest);
}

TEST(UnixSeqpacket, waits_for_room_and_no_longer_than_its_deadline) {
  const kit::Watchdog watchdog("sending to one who does not receive");
  auto [here, there] = UnixSeqpacket::pair().or_throw();
  const std::string message(10'000, 'm');
  while (here.try_send(bytes_of(message))) {
  }
  EXPECT_TRUE(here.try_send(bytes_of(message)).failed_with(Errc::would_block));
  const kit::SignalStorm storm;
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(here.send(bytes_of(message), after(40ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 40ms);
  std::thread taker([&, &receiver = there] {
    std::vector<std::byte> into(message.size());
    for (int turn = 0; turn < 8; ++turn) {
      EXPECT_TRUE(receiver.receive(into, never));
    }
  });
  EXPECT_TRUE(here.send(bytes_of(message), never));
  taker.join();
}

TEST(UnixSeqpacket, times_out_is_stopped_and_goes_on_after_signals) {  // F71
  const kit::Watchdog watchdog("receiving under signals");
  auto [here, there] = UnixSeqpacket::pair().or_throw();
  Stop stop = Stop::create().or_throw();
  {
    const kit::SignalStorm storm;
    const auto begin = Deadline::Clock::now();
    EXPECT_TRUE(there.receive(room, after(50ms)).failed_with(Errc::timed_out));
    EXPECT_GE(Deadline::Clock::now() - begin, 50ms);
    std::thread other([&, &sender = here] {
      storm.await(400);
      sender.send(bytes_of("at last"), never).or_throw();
    });
    EXPECT_EQ(receive_once(there), "at last");
    other.join();
  }
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(there.receive(room, never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
}

TEST(UnixSeqpacket, is_closed_when_the_other_side_was_killed_and_raises_no_signal) {  // F72
  std::signal(SIGPIPE, SIG_DFL);
  auto [here, there] = UnixSeqpacket::pair().or_throw();
  kit::Sides sides({{"one that dies", [&](kit::Stage& stage) {
                       const UnixSeqpacket closed = std::move(here);
                       there.send(bytes_of("last words"), never).or_throw();
                       stage.signal("said");
                       kit::wait_to_be_killed();
                     }}});
  std::move(there).close().or_throw();
  sides.stage().await("said");
  sides.side("one that dies").kill();
  EXPECT_TRUE(here.wait_closed(after(1h)));
  EXPECT_EQ(receive_once(here), "last words");
  EXPECT_TRUE(here.receive(room, never).failed_with(Errc::closed));
  EXPECT_TRUE(here.send(bytes_of("x"), never).failed_with(Errc::closed));
  EXPECT_TRUE(here.try_send(bytes_of("x")).failed_with(Errc::closed));
}

TEST(UnixSeqpacket, closes_one_direction_and_goes_on_in_the_other) {
  auto [here, there] = UnixSeqpacket::pair().or_throw();
  here.send(bytes_of("question"), never).or_throw();
  EXPECT_TRUE(here.finish_sending());
  EXPECT_EQ(receive_once(there), "question");
  EXPECT_TRUE(there.receive(room, never).failed_with(Errc::closed));
  there.send(bytes_of("answer"), never).or_throw();
  EXPECT_EQ(receive_once(here), "answer");
  EXPECT_TRUE(here.finish_receiving());
  EXPECT_TRUE(there.send(bytes_of("x"), never).failed_with(Errc::closed));
}

TEST(UnixSeqpacket, sends_pieces_as_one_message) {
  auto [here, there] = UnixSeqpacket::pair().or_throw();
  const std::array<Bytes, 3> pieces = {bytes_of("a"), bytes_of("bc"), bytes_of("d")};
  here.send_gathered(pieces, never).or_throw();
  EXPECT_EQ(receive_once(there), "abcd");
}

TEST(UnixSeqpacket, closes_descriptors_that_nobody_expects) {  // F36 F78
  auto [here, there] = UnixSeqpacket::pair().or_throw();
  for (int turn = 0; turn < 4; ++turn) {
    kit::send_with_descriptors(here.fd(), 0);
  }
  const kit::LeakCheck check;
  EXPECT_EQ(there.receive(room, never).or_throw(), 0U);
  EXPECT_TRUE(there.receive_from(room, never).or_throw().dropped_descriptors);
  // One to whom the kernel says no credentials has room for descriptors where they would stand.
  const int off = 0;
  ASSERT_EQ(::setsockopt(there.fd().raw(), SOL_SOCKET, SO_PASSCRED, &off, sizeof off), 0);
  EXPECT_EQ(there.receive(room, never).or_throw(), 0U);
  EXPECT_EQ(there.next_size(never).or_throw(), 0U);
}

TEST(UnixSeqpacket, connects_processes_that_share_only_the_name_in_either_order) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  kit::run_in_either_order(
      [&](const auto& here) {
        UnixSeqpacketListener listener = UnixSeqpacketListener::create(name.path).or_throw();
        here();
        UnixSeqpacket client = listener.accept(after(1h)).or_throw();
        EXPECT_EQ(receive_once(client, after(1h)), "Hello from client!");
        client.send(bytes_of("Hello from server!"), never).or_throw();
      },
      [&](const auto& here) {
        here();
        UnixSeqpacket server = UnixSeqpacket::connect(name.path, after(1h)).or_throw();
        server.send(bytes_of("Hello from client!"), never).or_throw();
        EXPECT_EQ(receive_once(server, after(1h)), "Hello from server!");
        EXPECT_TRUE(server.receive(room, after(1h)).failed_with(Errc::closed));
      });
}

}  // namespace

#include <tenon/ipc/unix_datagram/unix_datagram.hpp>

#include <tenon/os/enclosures.hpp>
#include <tenon/os/stop.hpp>

#include <kit/asleep.hpp>
#include <kit/enclosed_descriptors.hpp>
#include <kit/leak_check.hpp>
#include <kit/named_path.hpp>
#include <kit/reported_child.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::HasSubstr;

constexpr uid_t stranger = 54327;

std::array<std::byte, 64> room;

std::string receive_once(UnixDatagram& socket, Deadline deadline = never) {
  const std::size_t size = socket.receive(room, deadline).or_throw();
  return std::string(text_of(Bytes(room).first(size)));
}

// Until the receiver's queue takes no more; returns how many it took.
int fill(UnixDatagram& sender) {
  int sent = 0;
  Result<void> last;
  while ((last = sender.try_send(bytes_of("m")))) {
    ++sent;
  }
  EXPECT_TRUE(last.failed_with(Errc::would_block));
  return sent;
}

TEST(UnixDatagram, keeps_messages_apart_and_in_order_empty_ones_too) {
  auto [here, there] = UnixDatagram::pair().or_throw();
  for (const std::string text : {"first", "", "second"}) {
    here.send(bytes_of(text), never).or_throw();
  }
  EXPECT_EQ(receive_once(there), "first");
  EXPECT_EQ(there.try_receive(room).or_throw(), 0U);
  EXPECT_EQ(there.receive(room, after(1h)).or_throw(), 6U);
  EXPECT_TRUE(there.try_receive(room).failed_with(Errc::would_block));
}

TEST(UnixDatagram, carries_messages_between_processes_that_share_only_the_name_in_either_order) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  kit::run_in_either_order(
      [&](const auto& here) {
        UnixDatagram receiver = UnixDatagram::create(name.path).or_throw();
        here();
        EXPECT_EQ(receive_once(receiver, after(1h)), "over here");
      },
      [&](const auto& here) {
        here();
        UnixDatagram sender = UnixDatagram::connect(name.path, after(1h)).or_throw();
        sender.send(bytes_of("over here"), never).or_throw();
      });
}

TEST(UnixDatagram, loses_none_of_many_from_several_senders) {
  constexpr int senders = 3;
  constexpr int each = 2000;
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  auto send = [&](kit::Stage& stage) {
    UnixDatagram sender = UnixDatagram::connect(name.path, after(1h)).or_throw();
    stage.barrier();
    for (int i = 0; i < each; ++i) {
      const std::array<int, 2> numbered = {::getpid(), i};
      sender.send(bytes_of_value(numbered), after(1h)).or_throw();
    }
  };
  std::vector<kit::Side> sides(senders, {"sender", send});
  sides.push_back({"receiver", [&](kit::Stage& stage) {
                     UnixDatagram receiver = UnixDatagram::create(name.path).or_throw();
                     stage.barrier();
                     std::map<int, int> next;
                     for (int i = 0; i < senders * each; ++i) {
                       std::array<int, 2> numbered{};
                       ASSERT_EQ(receiver.receive(mutable_bytes_of_value(numbered), after(1h)).or_throw(),
                                 sizeof numbered);
                       ASSERT_EQ(numbered[1], next[numbered[0]]++);
                     }
                   }});
  kit::run_sides(std::move(sides));
}

TEST(UnixDatagram, tells_where_to_answer_and_who_asked) {  // F79
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "server");
  const kit::NamedPath own(directory / "client");
  UnixDatagram server = UnixDatagram::create(name.path).or_throw();
  kit::ReportedChild child("client", [&] {
    UnixDatagram client = UnixDatagram::create(own.path).or_throw();
    client.send_to(UnixAddress::path(name.path).or_throw(), bytes_of("question"), after(1h)).or_throw();
    EXPECT_EQ(receive_once(client, after(1h)), "answer");
  });
  const auto asked = server.receive_from(room, after(1h)).or_throw();
  EXPECT_EQ(asked.size, 8U);
  ASSERT_TRUE(asked.from);
  EXPECT_EQ(asked.from->name(), own.path);
  ASSERT_TRUE(asked.sender);
  EXPECT_EQ(asked.sender->pid, child.process().pid());
  EXPECT_FALSE(asked.dropped_descriptors);
  server.send_to(*asked.from, bytes_of("answer"), after(1h)).or_throw();
  (void)child.finish(never);
}

TEST(UnixDatagram, tells_no_sender_of_what_was_sent_before_the_kernel_was_asked) {  // F79
  auto [here, there] = UnixDatagram::pair().or_throw();
  here.send(bytes_of("before"), never).or_throw();
  there.tell_senders().or_throw();
  here.send(bytes_of("after"), never).or_throw();
  EXPECT_FALSE(there.receive_from(room, never).or_throw().sender);
  EXPECT_EQ(there.receive_from(room, never).or_throw().sender, own_credentials());
}

TEST(UnixDatagram, that_does_not_fit_is_told_with_its_size) {
  auto [here, there] = UnixDatagram::pair().or_throw();
  std::array<std::byte, 4> small{};
  for (int turn = 0; turn < 4; ++turn) {
    here.send(bytes_of("12345678"), never).or_throw();
  }
  here.send(bytes_of("next"), never).or_throw();
  EXPECT_EQ(there.next_size(never).or_throw(), 8U) << "and it stays";
  for (const auto& cut : {there.receive(small, never), there.receive(small, after(1h)), there.try_receive(small),
                          there.receive_from(small, never).transform([](const auto& all) { return all.size; })}) {
    ASSERT_TRUE(cut.failed_with(Errc::message_too_long));
    ASSERT_NE(cut.error().limit(), nullptr);
    EXPECT_EQ(cut.error().limit()->value, 4U);
    EXPECT_EQ(cut.error().limit()->wanted, 8U);
  }
  EXPECT_EQ(text_of(small), "1234");
  EXPECT_EQ(receive_once(there), "next");
}

TEST(UnixDatagram, longer_than_the_limit_is_refused_naming_the_limit) {
  auto [here, there] = UnixDatagram::pair().or_throw();
  const std::size_t longest = here.longest_message().or_throw();
  const std::string message(longest + 1, 'm');
  for (const auto& refused : {here.send(bytes_of(message), never), here.send(bytes_of(message), after(1h)),
                              here.try_send(bytes_of(message))}) {
    ASSERT_TRUE(refused.failed_with(Errc::message_too_long));
    ASSERT_NE(refused.error().limit(), nullptr);
    EXPECT_EQ(refused.error().limit()->value, longest);
    EXPECT_EQ(refused.error().limit()->wanted, longest + 1);
    EXPECT_THAT(refused.error().message(), HasSubstr("SO_SNDBUF"));
    EXPECT_THAT(refused.error().message(), HasSubstr("net.core.wmem_max"));
  }
  EXPECT_TRUE(here.send(bytes_of(message).first(longest), never));
  here.set_send_buffer(2 * longest).or_throw();
  EXPECT_EQ(there.next_size(never).or_throw(), longest);
  std::vector<std::byte> into(longest);
  EXPECT_EQ(there.receive(into, never).or_throw(), longest);
  EXPECT_TRUE(here.send(bytes_of(message), never));
}

TEST(UnixDatagram, waits_for_room_with_the_receiver_and_no_longer_than_its_deadline) {
  const kit::Watchdog watchdog("sending to a full receiver");
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  UnixDatagram receiver = UnixDatagram::create(name.path).or_throw();
  UnixDatagram sender = UnixDatagram::connect(name.path, after(1h)).or_throw();
  const UnixAddress address = UnixAddress::path(name.path).or_throw();
  EXPECT_GT(fill(sender), 0);
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(sender.send(bytes_of("m"), after(30ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(sender.send_to(address, bytes_of("m"), after(30ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 60ms);
  Stop stop = Stop::create().or_throw();
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(sender.send(bytes_of("m"), never.or_stop(stop)).failed_with(Errc::stopped));
  EXPECT_TRUE(sender.send_to(address, bytes_of("m"), never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
  for (int turn = 0; turn < 3; ++turn) {
    std::thread taker([&] { EXPECT_EQ(receive_once(receiver), "m"); });
    if (turn == 0) {
      EXPECT_TRUE(sender.send(bytes_of("m"), never));
    } else if (turn == 1) {
      EXPECT_TRUE(sender.send(bytes_of("m"), after(1h)));
    } else {
      EXPECT_TRUE(sender.send_to(address, bytes_of("m"), after(1h)));
    }
    taker.join();
  }
}

TEST(UnixDatagram, learns_with_its_next_message_that_the_receiver_has_gone) {  // F72
  std::signal(SIGPIPE, SIG_DFL);
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  kit::Sides sides({{"receiver", [&](kit::Stage& stage) {
                       const UnixDatagram receiver = UnixDatagram::create(name.path).or_throw();
                       stage.signal("there");
                       kit::wait_to_be_killed();
                     }}});
  sides.stage().await("there");
  UnixDatagram sender = UnixDatagram::connect(name.path, after(1h)).or_throw();
  fill(sender);
  sides.side("receiver").kill();
  EXPECT_TRUE(sender.send(bytes_of("m"), after(1h)).failed_with(Errc::closed));
  EXPECT_TRUE(sender.send(bytes_of("m"), never).failed_with(Errc::closed));
  EXPECT_TRUE(sender.try_send(bytes_of("m")).failed_with(Errc::closed));
  const UnixAddress address = UnixAddress::path(name.path).or_throw();
  EXPECT_TRUE(sender.send_to(address, bytes_of("m"), after(1h)).failed_with(Errc::no_peer));
  EXPECT_TRUE(UnixDatagram::try_connect(name.path).failed_with(Errc::no_peer));
  EXPECT_TRUE(UnixDatagram::create(name.path)) << "and its place is taken over";
}

TEST(UnixDatagram, keeps_its_deadline_under_signals_and_is_stopped) {  // F71
  const kit::Watchdog watchdog("receiving under signals");
  auto [here, there] = UnixDatagram::pair().or_throw();
  Stop stop = Stop::create().or_throw();
  {
    const kit::SignalStorm storm;
    const auto begin = Deadline::Clock::now();
    EXPECT_TRUE(there.receive(room, after(50ms)).failed_with(Errc::timed_out));
    EXPECT_GE(Deadline::Clock::now() - begin, 50ms);
    std::thread other([&, &sender = here] {
      storm.await(400);
      sender.send(bytes_of("m"), never).or_throw();
    });
    EXPECT_EQ(receive_once(there), "m");
    other.join();
  }
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(there.receive(room, never.or_stop(stop)).failed_with(Errc::stopped));
  EXPECT_TRUE(there.receive_from(room, never.or_stop(stop)).failed_with(Errc::stopped));
  EXPECT_TRUE(there.next_size(never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
}

TEST(UnixDatagram, has_exactly_the_mode_asked_for_and_refuses_a_living_ones_name) {  // F13 F76
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  const UnixDatagram receiver = UnixDatagram::create(name.path, Permissions(0662)).or_throw();
  struct stat status{};
  ASSERT_EQ(::lstat(name.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0662U);
  EXPECT_TRUE(UnixDatagram::create(name.path).failed_with(Errc::already_exists));
  EXPECT_EQ(receiver.address().or_throw().name(), name.path);
  EXPECT_EQ(::fcntl(receiver.fd().raw(), F_GETFD), FD_CLOEXEC);
}

TEST(UnixDatagram, sends_to_no_symlink_and_to_no_other_users_socket) {  // F12 F75
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  const kit::NamedPath symlink(directory / "symlink");
  const UnixDatagram receiver = UnixDatagram::create(name.path).or_throw();
  ASSERT_EQ(::symlink(name.path.c_str(), symlink.path.c_str()), 0);
  UnixDatagram sender = UnixDatagram::connect(name.path, after(1h)).or_throw();
  const UnixAddress planted = UnixAddress::path(symlink.path).or_throw();
  EXPECT_TRUE(sender.send_to(planted, bytes_of("m"), after(1h)).failed_with(Errc::permission_denied));
  EXPECT_TRUE(UnixDatagram::connect(symlink.path, after(1h)).failed_with(Errc::permission_denied));
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(name.path.c_str(), stranger, stranger), 0);
    const UnixAddress address = UnixAddress::path(name.path).or_throw();
    const auto refused = sender.send_to(address, bytes_of("m"), after(1h));
    ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
    EXPECT_THAT(refused.error().message(), HasSubstr("uid 54327"));
    EXPECT_TRUE(sender.send_to(address, stranger, bytes_of("m"), after(1h)));
  }
}

TEST(UnixDatagram, sends_pieces_as_one_message) {
  auto [here, there] = UnixDatagram::pair().or_throw();
  const std::array<Bytes, 3> pieces = {bytes_of("a"), bytes_of("bc"), bytes_of("d")};
  here.send_gathered(pieces, never).or_throw();
  EXPECT_EQ(receive_once(there), "abcd");
}

TEST(UnixDatagram, closes_descriptors_that_nobody_expects_and_says_so) {  // F78
  auto [here, there] = UnixDatagram::pair().or_throw();
  for (int turn = 0; turn < 3; ++turn) {
    kit::send_with_descriptors(here.fd(), 0);
  }
  const kit::LeakCheck check;
  EXPECT_EQ(there.receive(room, never).or_throw(), 0U);
  EXPECT_EQ(there.try_receive(room).or_throw(), 0U);
  EXPECT_TRUE(there.receive_from(room, never).or_throw().dropped_descriptors);
}

TEST(UnixDatagram, is_told_that_what_is_bound_there_is_of_another_kind) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  const Fd other = fd_from(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), "socket").or_throw();
  const UnixAddress address = UnixAddress::path(name.path).or_throw();
  ASSERT_EQ(::bind(other.raw(), address.raw(), address.length()), 0);
  EXPECT_TRUE(UnixDatagram::try_connect(name.path).failed_with(Errc::wrong_kind));
  auto [here, there] = UnixDatagram::pair().or_throw();
  EXPECT_TRUE(here.send_to(address, bytes_of("m"), never).failed_with(Errc::wrong_kind));
}

TEST(UnixDatagram, leaves_its_name_behind_and_unlink_removes_it) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "socket";
  EXPECT_TRUE(UnixDatagram::create(path).or_throw().close());
  EXPECT_TRUE(UnixDatagram::unlink(path));
  EXPECT_TRUE(UnixDatagram::unlink(path).failed_with(Errc::not_found));
}

}  // namespace

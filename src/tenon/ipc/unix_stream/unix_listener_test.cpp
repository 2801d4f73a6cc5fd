#include <tenon/ipc/unix_stream/unix_listener.hpp>

#include <tenon/os/procfs.hpp>
#include <tenon/os/stop.hpp>

#include <kit/asleep.hpp>
#include <kit/descriptor_limit.hpp>
#include <kit/main_thread.hpp>
#include <kit/named_path.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <atomic>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

std::array<std::byte, 16> room;

TEST(UnixListener, is_met_without_the_main_thread_too) {
  kit::without_main_thread([] {
    const kit::UniqueDirectory directory;
    const kit::NamedPath name(directory / "socket");
    UnixListener listener = UnixListener::create(name.path).or_throw();
    const UnixStream client = UnixStream::connect(name.path, after(1h)).or_throw();
    EXPECT_TRUE(listener.accept(after(1h)));
  });
}

TEST(UnixListener, takes_a_dead_ones_place_and_never_a_living_ones) {  // F76
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  kit::Sides sides({{"first", [&](kit::Stage& stage) {
                       const UnixListener listener = UnixListener::create(name.path).or_throw();
                       stage.signal("listening");
                       kit::wait_to_be_killed();
                     }}});
  sides.stage().await("listening");
  EXPECT_TRUE(UnixListener::create(name.path).failed_with(Errc::already_exists));
  EXPECT_TRUE(UnixStream::try_connect(name.path)) << "asking left the living one as it was";
  sides.side("first").kill();
  sides.finish();  // its descriptors are closed when it has ended, not when it was told to
  UnixListener second = UnixListener::create(name.path).or_throw();
  const UnixStream client = UnixStream::connect(name.path, after(1h)).or_throw();
  EXPECT_TRUE(second.accept(after(1h)));
  EXPECT_TRUE(UnixListener::create(name.path).failed_with(Errc::already_exists));
}

TEST(UnixListener, of_many_who_find_a_dead_one_exactly_one_listens_and_is_never_lost) {  // F4 F76
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  const kit::Shared<std::atomic<int>> winners;
  constexpr int rounds = 40;
  auto race = [&](kit::Stage& stage) {
    for (int round = 0; round < rounds; ++round) {
      stage.barrier();
      const auto listener = UnixListener::create(name.path);
      *winners += listener ? 1 : 0;
      stage.barrier();
      EXPECT_TRUE(UnixStream::try_connect(name.path)) << "whoever won can be reached";
      stage.barrier();  // then the winner goes, and leaves its name
    }
  };
  kit::run_sides({{"a", race}, {"b", race}, {"c", race}});
  EXPECT_EQ(*winners, rounds);
}

TEST(UnixListener, serves_several_clients_each_over_its_own_connection) {
  constexpr int clients = 5;
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  auto ask = [&](kit::Stage&) {
    UnixStream server = UnixStream::connect(name.path, after(1h)).or_throw();
    const std::string question = std::to_string(::getpid());
    server.write(bytes_of(question), never).or_throw();
    const std::size_t got = server.read(room, after(1h)).or_throw();
    EXPECT_EQ(text_of(Bytes(room).first(got)), question);
  };
  std::vector<kit::Side> sides(clients, {"client", ask});
  sides.push_back({"server", [&](kit::Stage&) {
                     UnixListener listener = UnixListener::create(name.path).or_throw();
                     std::vector<UnixStream> connections;
                     for (int i = 0; i < clients; ++i) {
                       connections.push_back(listener.accept(after(1h)).or_throw());
                     }
                     for (UnixStream& client : connections) {
                       const std::size_t got = client.read(room, after(1h)).or_throw();
                       EXPECT_EQ(text_of(Bytes(room).first(got)), std::to_string(client.peer().or_throw().pid));
                       client.write(Bytes(room).first(got), never).or_throw();
                     }
                   }});
  kit::run_sides(std::move(sides));
}

TEST(UnixListener, keeps_its_deadline_when_nobody_connects) {  // F71
  const kit::Watchdog watchdog("accepting under signals");
  UnixListener listener = UnixListener::create("@" + kit::unique_name()).or_throw();
  EXPECT_TRUE(listener.try_accept().failed_with(Errc::would_block));
  EXPECT_TRUE(listener.accept(immediately).failed_with(Errc::timed_out));
  const kit::SignalStorm storm;
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(listener.accept(after(50ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 50ms);
  EXPECT_GT(storm.count(), 0U);
}

TEST(UnixListener, a_blocking_accept_goes_on_after_signals) {  // F71
  const kit::Watchdog watchdog("a blocking accept under signals");
  const std::string name = "@" + kit::unique_name();
  UnixListener listener = UnixListener::create(name).or_throw();
  const kit::SignalStorm storm;
  std::thread other([&] {
    storm.await(20);
    const UnixStream client = UnixStream::connect(name, never).or_throw();
  });
  EXPECT_TRUE(listener.accept(never));
  other.join();
}

TEST(UnixListener, is_stopped) {
  const kit::Watchdog watchdog("a stopped accept returns");
  UnixListener listener = UnixListener::create("@" + kit::unique_name()).or_throw();
  Stop stop = Stop::create().or_throw();
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(listener.accept(never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
  EXPECT_TRUE(listener.accept(after(1h).or_stop(stop)).failed_with(Errc::stopped));
}

TEST(UnixListener, names_the_limit_on_those_who_wait) {
  const std::uint64_t most = procfs::number("/proc/sys/net/core/somaxconn").or_throw();
  const std::string name = "@" + kit::unique_name();
  const auto refused = UnixListener::create(name, owner_only, static_cast<int>(most) + 1);
  ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
  ASSERT_NE(refused.error().limit(), nullptr);
  EXPECT_EQ(refused.error().limit()->name, "net.core.somaxconn");
  EXPECT_EQ(refused.error().limit()->value, most);
  EXPECT_TRUE(UnixListener::create(name, owner_only, static_cast<int>(most)));
}

TEST(UnixListener, keeps_those_waiting_for_whom_it_has_no_descriptor) {
  kit::ReportedChild child("at the limit", [] {
    const std::string name = "@" + kit::unique_name();
    UnixListener listener = UnixListener::create(name).or_throw();
    const UnixStream client = UnixStream::connect(name, never).or_throw();
    {
      const kit::DescriptorLimit none(0);
      none.expect_named_by(listener.accept(never));
    }
    EXPECT_TRUE(listener.accept(never)) << "the connection has waited on";
  });
  (void)child.finish(never);
}

TEST(UnixListener, works_in_a_forked_child) {
  const std::string name = "@" + kit::unique_name();
  UnixListener listener = UnixListener::create(name).or_throw();
  kit::ReportedChild child("child", [&] {
    UnixStream client = listener.accept(after(1h)).or_throw();
    client.write(bytes_of("child"), never).or_throw();
  });
  UnixStream server = UnixStream::connect(name, after(1h)).or_throw();
  EXPECT_EQ(server.read(room, after(1h)).or_throw(), 5U);
  (void)child.finish(never);
}

TEST(UnixListener, is_taken_over_from_whoever_made_it) {
  const std::string name = "@" + kit::unique_name();
  Fd listening = UnixListener::create(name).or_throw().into_fd();
  UnixListener adopted = UnixListener::adopt(std::move(listening));
  const UnixStream client = UnixStream::connect(name, never).or_throw();
  EXPECT_TRUE(adopted.accept(never));
  EXPECT_TRUE(std::move(adopted).close());
}

TEST(UnixListener, leaves_its_name_behind_and_unlink_removes_it) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "socket";
  {
    const UnixListener listener = UnixListener::create(path).or_throw();
  }
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  EXPECT_TRUE(UnixListener::unlink(path));
  EXPECT_TRUE(UnixListener::unlink(path).failed_with(Errc::not_found));
}

}  // namespace

#include <tenon/ipc/unix_stream/unix_stream.hpp>

#include <tenon/ipc/unix_stream/unix_listener.hpp>
#include <tenon/os/stop.hpp>

#include <kit/asleep.hpp>
#include <kit/enclosed_descriptors.hpp>
#include <kit/leak_check.hpp>
#include <kit/named_path.hpp>
#include <kit/read_all.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <csignal>
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
using testing::HasSubstr;

constexpr uid_t stranger = 54326;

std::array<std::byte, 16> ignored;

std::string read_once(UnixStream& stream, Deadline deadline = never) {
  std::array<std::byte, 256> part;
  const std::size_t got = stream.read(part, deadline).or_throw();
  return std::string(text_of(Bytes(part).first(got)));
}

TEST(UnixStream, carries_bytes_both_ways) {
  auto [here, there] = UnixStream::pair().or_throw();
  EXPECT_EQ(here.write(bytes_of("ping"), never).or_throw(), 4U);
  EXPECT_EQ(read_once(there), "ping");
  EXPECT_EQ(there.try_write(bytes_of("pong")).or_throw(), 4U);
  EXPECT_EQ(here.try_read(ignored).or_throw(), 4U);
}

TEST(UnixStream, keeps_no_boundaries) {
  auto [here, there] = UnixStream::pair().or_throw();
  here.write(bytes_of("abc"), never).or_throw();
  here.write(bytes_of("de"), never).or_throw();
  EXPECT_EQ(read_once(there), "abcde");
}

TEST(UnixStream, tells_the_end_from_empty) {
  auto [here, there] = UnixStream::pair().or_throw();
  EXPECT_TRUE(there.try_read(ignored).failed_with(Errc::would_block));
  here.write(bytes_of("last"), never).or_throw();
  std::move(here).close().or_throw();
  EXPECT_EQ(read_once(there), "last");
  EXPECT_EQ(there.try_read(ignored).or_throw(), 0U);
  EXPECT_EQ(there.read(ignored, never).or_throw(), 0U);
  EXPECT_EQ(there.read(ignored, after(1h)).or_throw(), 0U);
}

TEST(UnixStream, refuses_to_read_into_nothing_since_0_would_mean_the_end) {
  auto [here, there] = UnixStream::pair().or_throw();
  here.write(bytes_of("abc"), never).or_throw();
  EXPECT_TRUE(there.read({}, never).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(there.read({}, after(1h)).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(there.try_read({}).failed_with(Errc::invalid_argument));
  EXPECT_EQ(here.write({}, never).or_throw(), 0U);
  EXPECT_EQ(read_once(there), "abc");
}

TEST(UnixStream, closes_one_direction_and_goes_on_in_the_other) {
  auto [here, there] = UnixStream::pair().or_throw();
  here.write(bytes_of("question"), never).or_throw();
  EXPECT_TRUE(here.finish_writing());
  EXPECT_EQ(kit::read_all(there), "question");
  there.write(bytes_of("answer"), never).or_throw();
  EXPECT_EQ(read_once(here), "answer");
  EXPECT_TRUE(here.write(bytes_of("x"), never).failed_with(Errc::closed));
  EXPECT_TRUE(here.finish_reading());
  EXPECT_TRUE(there.write(bytes_of("x"), never).failed_with(Errc::closed));
  std::move(there).close().or_throw();
  EXPECT_TRUE(here.finish_writing());
}

TEST(UnixStream, is_closed_when_the_other_side_has_gone_and_raises_no_signal) {  // F72
  std::signal(SIGPIPE, SIG_DFL);
  auto [here, there] = UnixStream::pair().or_throw();
  std::move(there).close().or_throw();
  EXPECT_TRUE(here.write(bytes_of("x"), never).failed_with(Errc::closed));
  EXPECT_TRUE(here.write(bytes_of("x"), after(1h)).failed_with(Errc::closed));
  EXPECT_TRUE(here.try_write(bytes_of("x")).failed_with(Errc::closed));
  const std::array<Bytes, 1> one = {bytes_of("x")};
  EXPECT_TRUE(here.write_gathered(one, never).failed_with(Errc::closed));
  EXPECT_TRUE(here.wait_closed(never));
}

TEST(UnixStream, tells_that_the_other_side_went_without_reading_everything) {
  auto [here, there] = UnixStream::pair().or_throw();
  here.write(bytes_of("unread"), never).or_throw();
  there.write(bytes_of("still readable"), never).or_throw();
  std::move(there).close().or_throw();
  EXPECT_EQ(read_once(here), "still readable");
  EXPECT_TRUE(here.read(ignored, never).failed_with(Errc::closed));
  EXPECT_EQ(here.read(ignored, never).or_throw(), 0U);
}

TEST(UnixStream, writes_all_of_it_however_long) {  // F73
  const std::string megabytes(5'000'000, 'm');
  for (const Deadline deadline : {never, after(1h)}) {
    auto [here, there] = UnixStream::pair().or_throw();
    kit::run_sides({{"writer",
                     [&](kit::Stage&) {
                       EXPECT_EQ(here.write(bytes_of(megabytes), deadline).or_throw(), megabytes.size());
                       here.finish_writing().or_throw();
                     }},
                    {"reader", [&](kit::Stage&) { EXPECT_EQ(kit::read_all(there), megabytes); }}});
  }
}

TEST(UnixStream, gathers_and_scatters_in_order_however_long) {  // F73
  const std::string head = "head";
  const std::string body(3'000'000, 'b');
  auto [here, there] = UnixStream::pair().or_throw();
  kit::run_sides({{"writer",
                   [&](kit::Stage&) {
                     const std::array<Bytes, 3> pieces = {bytes_of(head), Bytes(), bytes_of(body)};
                     EXPECT_EQ(here.write_gathered(pieces, after(1h)).or_throw(), head.size() + body.size());
                     here.finish_writing().or_throw();
                   }},
                  {"reader", [&](kit::Stage&) {
                     std::array<std::byte, 2> first;
                     std::array<std::byte, 4> second;
                     const std::array<MutableBytes, 2> pieces = {first, second};
                     EXPECT_EQ(there.read_scattered(pieces, never).or_throw(), 6U);
                     EXPECT_EQ(text_of(first), "he");
                     EXPECT_EQ(text_of(second), "adbb");
                     EXPECT_EQ(kit::read_all(there).size(), body.size() - 2);
                   }}});
}

TEST(UnixStream, returns_what_went_before_the_deadline_and_then_tells_why_no_more) {  // F73
  auto [here, there] = UnixStream::pair().or_throw();
  const std::string much(10'000'000, 'm');
  const auto begin = Deadline::Clock::now();
  const std::size_t went = here.write(bytes_of(much), after(40ms)).or_throw();
  EXPECT_GE(Deadline::Clock::now() - begin, 40ms);
  EXPECT_GT(went, 0U);
  EXPECT_LT(went, much.size());
  EXPECT_TRUE(here.write(bytes_of(much), after(1ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(here.try_write(bytes_of(much)).failed_with(Errc::would_block));
  EXPECT_EQ(there.read(ignored, never).or_throw(), ignored.size());
}

TEST(UnixStream, times_out_when_nobody_writes) {
  auto [here, there] = UnixStream::pair().or_throw();
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(here.read(ignored, after(30ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 30ms);
  EXPECT_TRUE(here.read(ignored, immediately).failed_with(Errc::timed_out));
  EXPECT_TRUE(here.wait_closed(after(1ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(::fcntl(here.fd().raw(), F_GETFL) & O_NONBLOCK, 0) << "whoever shares the description is left in peace";
}

TEST(UnixStream, goes_on_after_signals_and_keeps_its_first_deadline) {  // F71
  const kit::Watchdog watchdog("reads and writes under signals");
  auto [here, there] = UnixStream::pair().or_throw();
  const kit::SignalStorm storm;
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(here.read(ignored, after(50ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 50ms);
  std::thread other([&] {
    storm.await(400);
    there.write(bytes_of("at last"), never).or_throw();
    for (std::size_t all = 0; all < 3'000'000;) {
      std::vector<std::byte> part(65536);
      all += there.read(part, never).or_throw();
    }
  });
  EXPECT_EQ(read_once(here), "at last");
  EXPECT_EQ(here.write(bytes_of(std::string(3'000'000, 'm')), never).or_throw(), 3'000'000U);
  other.join();
}

TEST(UnixStream, is_stopped) {
  const kit::Watchdog watchdog("a stopped read returns");
  auto [here, there] = UnixStream::pair().or_throw();
  Stop stop = Stop::create().or_throw();
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(here.read(ignored, never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
  there.write(bytes_of("abc"), never).or_throw();
  EXPECT_TRUE(here.read(ignored, after(1h).or_stop(stop)).failed_with(Errc::stopped)) << "although bytes are there";
  EXPECT_TRUE(here.write(bytes_of("x"), after(1h).or_stop(stop)).failed_with(Errc::stopped));
  EXPECT_TRUE(UnixStream::connect("@nobody", never.or_stop(stop)).failed_with(Errc::stopped));
}

TEST(UnixStream, is_closed_on_exec) {  // F36
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  UnixListener listener = UnixListener::create(name.path).or_throw();
  const UnixStream connected = UnixStream::connect(name.path, never).or_throw();
  const UnixStream accepted = listener.accept(never).or_throw();
  auto [here, there] = UnixStream::pair().or_throw();
  for (const FdView fd : {listener.fd(), connected.fd(), accepted.fd(), here.fd(), there.fd()}) {
    EXPECT_EQ(::fcntl(fd.raw(), F_GETFD), FD_CLOEXEC);
  }
}

TEST(UnixStream, connects_processes_that_share_only_the_name_in_either_order) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  kit::run_in_either_order(
      [&](const auto& here) {
        UnixListener listener = UnixListener::create(name.path).or_throw();
        here();
        UnixStream client = listener.accept(after(1h)).or_throw();
        EXPECT_EQ(kit::read_all(client), "Hello from client!");
        client.write(bytes_of("Hello from server!"), never).or_throw();
      },
      [&](const auto& here) {
        here();
        UnixStream server = UnixStream::connect(name.path, after(1h)).or_throw();
        server.write(bytes_of("Hello from client!"), never).or_throw();
        server.finish_writing().or_throw();
        EXPECT_EQ(kit::read_all(server), "Hello from server!");
      });
}

TEST(UnixStream, has_no_peer_until_somebody_listens) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  EXPECT_TRUE(UnixStream::try_connect(name.path).failed_with(Errc::not_found));
  EXPECT_TRUE(UnixStream::connect(name.path, immediately).failed_with(Errc::not_found));
  EXPECT_TRUE(UnixStream::try_connect("@" + kit::unique_name()).failed_with(Errc::no_peer));
  {
    const UnixListener dead = UnixListener::create(name.path).or_throw();
  }
  const auto refused = UnixStream::try_connect(name.path);
  ASSERT_TRUE(refused.failed_with(Errc::no_peer));
  EXPECT_THAT(refused.error().message(), HasSubstr("nobody listens there"));
  const auto begin = Deadline::Clock::now();
  const auto late = UnixStream::connect(name.path, after(40ms));
  EXPECT_GE(Deadline::Clock::now() - begin, 40ms);
  ASSERT_TRUE(late.failed_with(Errc::timed_out));
  EXPECT_THAT(late.error().message(), HasSubstr("nobody listens there"));
}

TEST(UnixStream, waits_for_room_among_those_who_wait_to_be_accepted_and_no_longer_than_its_deadline) {
  const kit::Watchdog watchdog("a connect to a full listener");
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  UnixListener listener = UnixListener::create(name.path, owner_only, 0).or_throw();
  const UnixStream first = UnixStream::try_connect(name.path).or_throw();
  const auto full = UnixStream::try_connect(name.path);
  ASSERT_TRUE(full.failed_with(Errc::would_block));
  EXPECT_THAT(full.error().message(), HasSubstr("wait to be accepted"));
  for (const auto wait : {30ms, 120ms}) {
    const auto begin = Deadline::Clock::now();
    EXPECT_TRUE(UnixStream::connect(name.path, after(wait)).failed_with(Errc::timed_out));
    EXPECT_GE(Deadline::Clock::now() - begin, wait);
  }
  Stop stop = Stop::create().or_throw();
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(UnixStream::connect(name.path, after(1h).or_stop(stop)).failed_with(Errc::stopped));
  other.join();
  std::thread accepter([&] { const UnixStream accepted = listener.accept(never).or_throw(); });
  UnixStream second = UnixStream::connect(name.path, after(1h)).or_throw();
  accepter.join();
  const kit::SignalStorm storm;
  EXPECT_TRUE(UnixStream::connect(name.path, after(50ms)).failed_with(Errc::timed_out));
  EXPECT_GT(storm.count(), 0U);
  EXPECT_TRUE(second.read(ignored, after(30ms)).failed_with(Errc::timed_out));
}

TEST(UnixStream, refuses_what_is_no_socket_and_says_what_it_is) {  // F75
  const kit::UniqueDirectory directory;
  const kit::NamedPath socket(directory / "socket");
  const UnixListener listener = UnixListener::create(socket.path).or_throw();
  const kit::NamedPath symlink(directory / "symlink");
  ASSERT_EQ(::symlink(socket.path.c_str(), symlink.path.c_str()), 0);
  const kit::NamedPath file(directory / "file");
  ::close(::open(file.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  for (const auto& [path, why] : {std::pair(symlink.path, "it is a symlink"), std::pair(file.path, "a regular file")}) {
    for (const auto& refused : {UnixStream::try_connect(path), UnixStream::connect(path, after(1h))}) {
      ASSERT_TRUE(refused.failed_with(Errc::permission_denied)) << path;
      EXPECT_THAT(refused.error().message(), HasSubstr(why));
    }
  }
  const kit::NamedPath other(directory / "other");
  ASSERT_EQ(::link(socket.path.c_str(), other.path.c_str()), 0);
  EXPECT_THAT(UnixStream::try_connect(other.path).error().message(), HasSubstr("a hard link"));
}

TEST(UnixStream, refuses_names_before_any_system_call) {  // F1 F77
  const std::string with_nul("/tmp/a\0b", 8);
  for (const std::string& path : {std::string(), std::string("/"), with_nul, "/tmp/" + std::string(103, 'x')}) {
    for (const auto& refused :
         {UnixStream::try_connect(path).transform([](const UnixStream&) {}),
          UnixStream::connect(path, after(1h)).transform([](const UnixStream&) {}),
          UnixListener::create(path).transform([](const UnixListener&) {}), UnixListener::unlink(path)}) {
      EXPECT_TRUE(refused.failed_with(Errc::invalid_name)) << path;
    }
  }
  const auto longer = UnixStream::try_connect("/tmp/" + std::string(103, 'x'));
  EXPECT_THAT(longer.error().message(), HasSubstr("108 bytes"));
  EXPECT_THAT(longer.error().message(), HasSubstr("at most 107"));
  EXPECT_THAT(longer.error().message(), HasSubstr("abstract name"));
}

TEST(UnixStream, connects_to_another_users_socket_only_if_that_user_is_expected) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's socket";
  }
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  const UnixListener listener = UnixListener::create(name.path).or_throw();
  ASSERT_EQ(::chown(name.path.c_str(), stranger, stranger), 0);
  const auto refused = UnixStream::try_connect(name.path);
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("it belongs to uid 54326, not to uid 0"));
  EXPECT_TRUE(UnixStream::try_connect(name.path, stranger));
}

TEST(UnixStream, asks_the_kernel_whose_an_abstract_name_is) {  // F79
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to listen as another user";
  }
  const std::string name = "@" + kit::unique_name();
  kit::Sides sides({{"listener", [&](kit::Stage& stage) {
                       ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
                       const UnixListener listener = UnixListener::create(name).or_throw();
                       stage.signal("listening");
                       stage.await("done");
                     }}});
  sides.stage().await("listening");
  const auto refused = UnixStream::connect(name, after(1h));
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("it belongs to uid 54326, not to uid 0"));
  EXPECT_EQ(UnixStream::connect(name, stranger, after(1h)).or_throw().peer().or_throw().uid, stranger);
  sides.stage().signal("done");
}

TEST(UnixStream, tells_what_is_bound_there_instead) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  const Fd bound = fd_from(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket").or_throw();
  const UnixAddress address = UnixAddress::path(name.path).or_throw();
  ASSERT_EQ(::bind(bound.raw(), address.raw(), address.length()), 0);
  const auto refused = UnixStream::connect(name.path, after(1h));
  ASSERT_TRUE(refused.failed_with(Errc::wrong_kind));
  EXPECT_THAT(refused.error().message(), HasSubstr("not a stream socket"));
}

TEST(UnixStream, tells_the_survivor_when_a_side_is_killed) {
  auto [here, there] = UnixStream::pair().or_throw();
  kit::Sides sides({{"one that dies", [&](kit::Stage& stage) {
                       const UnixStream closed = std::move(here);
                       there.write(bytes_of("last words"), never).or_throw();
                       stage.signal("said");
                       kit::wait_to_be_killed();
                     }}});
  std::move(there).close().or_throw();
  sides.stage().await("said");
  sides.side("one that dies").kill();
  EXPECT_TRUE(here.wait_closed(after(1h)));
  EXPECT_EQ(kit::read_all(here), "last words");
  EXPECT_TRUE(here.write(bytes_of("x"), never).failed_with(Errc::closed));
}

TEST(UnixStream, knows_who_is_at_the_other_end_from_the_kernel) {  // F79
  auto [here, there] = UnixStream::pair().or_throw();
  EXPECT_EQ(here.peer().or_throw(), own_credentials());
  const auto process = here.peer_process();
  EXPECT_TRUE(process || process.failed_with(Errc::not_supported));
}

TEST(UnixStream, drops_descriptors_that_nobody_expects) {  // F78
  auto [here, there] = UnixStream::pair().or_throw();
  for (int turn = 0; turn < 3; ++turn) {
    kit::send_with_descriptors(here.fd(), 1);
  }
  const kit::LeakCheck check;
  const std::array<MutableBytes, 1> into = {ignored};
  EXPECT_EQ(there.read(ignored, never).or_throw(), 1U);
  EXPECT_EQ(there.try_read(ignored).or_throw(), 1U);
  EXPECT_EQ(there.read_scattered(into, never).or_throw(), 1U);
}

TEST(UnixStream, holds_more_on_the_way_if_asked) {
  auto [here, there] = UnixStream::pair().or_throw();
  const std::size_t wished = here.send_buffer().or_throw() * 2;
  EXPECT_GE(here.set_send_buffer(wished).or_throw(), wished);
  EXPECT_GE(here.send_buffer().or_throw(), wished);
}

}  // namespace

#include <tenon/ipc/descriptor_passing/descriptor_passing.hpp>

#include <tenon/os/stop.hpp>
#include <tenon/os/unix_socket.hpp>

#include <kit/descriptor_limit.hpp>
#include <kit/leak_check.hpp>
#include <kit/reported_child.hpp>
#include <kit/signal_storm.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::HasSubstr;

constexpr uid_t stranger = 54328;
constexpr std::array kinds = {SocketKind::stream, SocketKind::datagram, SocketKind::seqpacket};

std::array<std::byte, 64> room;

Fd memory_with(const std::string& text) {
  Fd memory = fd_from(::memfd_create("test", MFD_CLOEXEC), "memfd_create").or_throw();
  EXPECT_EQ(::write(memory.raw(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  return memory;
}

std::string text_in(const Fd& memory) {
  std::array<char, 64> text{};
  const ssize_t got = ::pread(memory.raw(), text.data(), text.size(), 0);
  return std::string(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
}

std::size_t send_one(const Fd& socket, FdView descriptor, std::string_view text = "x") {
  return send_descriptors(socket.view(), bytes_of(text), std::span(&descriptor, 1), after(1h)).or_throw();
}

std::vector<FdView> many(const Fd& one, std::size_t count) { return std::vector<FdView>(count, one.view()); }

TEST(DescriptorPassing, hands_an_open_description_over_with_its_bytes) {  // F36
  for (const SocketKind kind : kinds) {
    const kit::LeakCheck check;
    const auto [here, there] = make_socket_pair(kind).or_throw();
    {
      const Fd memory = memory_with("in memory");
      EXPECT_EQ(send_one(here, memory.view(), "a memory"), 8U);
    }
    const Delivery delivery = receive_descriptors(there.view(), room, 1, after(1h)).or_throw();
    EXPECT_EQ(text_of(Bytes(room).first(delivery.bytes)), "a memory");
    ASSERT_EQ(delivery.descriptors.size(), 1U);
    EXPECT_EQ(text_in(delivery.descriptors[0]), "in memory");
    EXPECT_EQ(::fcntl(delivery.descriptors[0].raw(), F_GETFD), FD_CLOEXEC);
    EXPECT_FALSE(delivery.sender) << "nobody asked";
  }
}

TEST(DescriptorPassing, takes_253_and_refuses_one_more_by_name) {  // F78
  for (const SocketKind kind : kinds) {
    const auto [here, there] = make_socket_pair(kind).or_throw();
    const Fd memory = memory_with("x");
    const auto most = many(memory, 253);
    EXPECT_TRUE(send_descriptors(here.view(), bytes_of("all"), most, after(1h)));
    const kit::LeakCheck check;
    const Delivery delivery = receive_descriptors(there.view(), room, 253, after(1h)).or_throw();
    EXPECT_EQ(delivery.descriptors.size(), 253U);
    const auto one_more = many(memory, 254);
    const auto refused = send_descriptors(here.view(), bytes_of("all"), one_more, after(1h));
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    ASSERT_NE(refused.error().limit(), nullptr);
    EXPECT_THAT(refused.error().limit()->name, HasSubstr("SCM_MAX_FD"));
    EXPECT_EQ(refused.error().limit()->value, 253U);
    EXPECT_EQ(refused.error().limit()->wanted, 254U);
    EXPECT_THAT(refused.error().message(), HasSubstr("several messages"));
  }
}

TEST(DescriptorPassing, closes_all_when_more_came_than_were_expected) {  // F78
  for (const SocketKind kind : kinds) {
    const auto [here, there] = make_socket_pair(kind).or_throw();
    const auto two = many(here, 2);
    EXPECT_TRUE(send_descriptors(here.view(), bytes_of("two"), two, after(1h)));
    send_one(here, here.view());
    const kit::LeakCheck check;
    const auto refused = receive_descriptors(there.view(), room, 1, after(1h));
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    EXPECT_EQ(refused.error().limit()->value, 1U);
    EXPECT_EQ(refused.error().limit()->wanted, 2U);
    EXPECT_TRUE(receive_descriptors(there.view(), room, 0, after(1h)).failed_with(Errc::limit_reached));
  }
}

TEST(DescriptorPassing, closes_all_when_this_process_may_not_open_so_many_and_names_the_limit) {  // F78
  kit::ReportedChild child("at the limit", [] {
    const auto [here, there] = make_socket_pair(SocketKind::stream).or_throw();
    const auto three = many(here, 3);
    EXPECT_TRUE(send_descriptors(here.view(), bytes_of("three"), three, after(1h)));
    const kit::LeakCheck check;
    const kit::DescriptorLimit room_for_one(1);
    const auto refused = receive_descriptors(there.view(), room, 3, after(1h));
    room_for_one.expect_named_by(refused);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("closed"));
  });
  (void)child.finish(never);
}

TEST(DescriptorPassing, closes_all_when_the_bytes_do_not_fit) {  // F78
  for (const SocketKind kind : {SocketKind::datagram, SocketKind::seqpacket}) {
    const auto [here, there] = make_socket_pair(kind).or_throw();
    send_one(here, here.view(), "12345678");
    const kit::LeakCheck check;
    const auto cut = receive_descriptors(there.view(), MutableBytes(room).first(4), 1, after(1h));
    ASSERT_TRUE(cut.failed_with(Errc::message_too_long));
    EXPECT_EQ(cut.error().limit()->wanted, 8U);
  }
}

TEST(DescriptorPassing, names_the_limit_on_descriptors_on_the_way) {
  kit::ReportedChild child("user", [] {
    if (::geteuid() == 0) {
      ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    }
    const struct rlimit limit{.rlim_cur = 64, .rlim_max = 64};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    const auto [here, there] = make_socket_pair(SocketKind::stream).or_throw();
    const auto some = many(here, 20);
    Result<std::size_t> sent = 0;
    for (int turn = 0; turn < 10 && sent; ++turn) {
      sent = send_descriptors(here.view(), bytes_of("x"), some, after(1h));
    }
    ASSERT_TRUE(sent.failed_with(Errc::limit_reached));
    EXPECT_EQ(sent.error().limit()->name, "RLIMIT_NOFILE");
    EXPECT_EQ(sent.error().limit()->value, 64U);
    EXPECT_THAT(sent.error().message(), HasSubstr("nobody has received yet"));
  });
  (void)child.finish(never);
}

TEST(DescriptorPassing, of_a_stream_keeps_what_was_sent_along_together_with_its_bytes) {
  const auto [here, there] = make_socket_pair(SocketKind::stream).or_throw();
  const Fd first = memory_with("first");
  const Fd second = memory_with("second");
  send_one(here, first.view(), "aaa");
  send_one(here, second.view(), "bb");
  for (const auto& [text, bytes] : {std::pair("first", 3U), std::pair("second", 2U)}) {
    const Delivery delivery = receive_descriptors(there.view(), room, 4, after(1h)).or_throw();
    EXPECT_EQ(delivery.bytes, bytes);
    ASSERT_EQ(delivery.descriptors.size(), 1U);
    EXPECT_EQ(text_in(delivery.descriptors[0]), text);
  }
}

TEST(DescriptorPassing, of_a_stream_sends_the_rest_of_long_bytes_after_the_descriptors) {  // F73
  const auto [here, there] = make_socket_pair(SocketKind::stream).or_throw();
  const std::string much(1'000'000, 'm');
  std::thread sender([&, &socket = here] { EXPECT_EQ(send_one(socket, socket.view(), much), much.size()); });
  std::size_t bytes = 0;
  std::size_t descriptors = 0;
  while (bytes < much.size()) {
    const Delivery delivery = receive_descriptors(there.view(), room, 1, after(1h)).or_throw();
    bytes += delivery.bytes;
    descriptors += delivery.descriptors.size();
  }
  EXPECT_EQ(descriptors, 1U);
  sender.join();
}

TEST(DescriptorPassing, tells_the_end_from_an_empty_datagram) {
  for (const SocketKind kind : {SocketKind::stream, SocketKind::seqpacket}) {
    auto [here, there] = make_socket_pair(kind).or_throw();
    std::move(here).close().or_throw();
    EXPECT_TRUE(receive_descriptors(there.view(), room, 1, after(1h)).failed_with(Errc::closed));
    const FdView own = there.view();
    EXPECT_TRUE(send_descriptors(own, bytes_of("x"), std::span(&own, 1), after(1h)).failed_with(Errc::closed));
  }
  const auto [here, there] = make_socket_pair(SocketKind::datagram).or_throw();
  ASSERT_EQ(::send(here.raw(), "", 0, 0), 0);
  EXPECT_EQ(receive_descriptors(there.view(), room, 1, after(1h)).or_throw().bytes, 0U);
}

TEST(DescriptorPassing, refuses_what_the_kernel_would_drop_or_misread) {
  const auto [here, there] = make_socket_pair(SocketKind::stream).or_throw();
  const FdView own = here.view();
  const FdView closed(-1);
  EXPECT_TRUE(send_descriptors(own, {}, std::span(&own, 1), never).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(send_descriptors(own, bytes_of("x"), {}, never).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(send_descriptors(own, bytes_of("x"), std::span(&closed, 1), never).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(receive_descriptors(own, {}, 1, never).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(send_credentials(own, {}, own_credentials(), never).failed_with(Errc::invalid_argument));
  const Fd alone = make_socket(SocketKind::stream).or_throw();
  EXPECT_TRUE(send_descriptors(alone.view(), bytes_of("x"), std::span(&own, 1), never).failed_with(Errc::no_peer));
}

TEST(DescriptorPassing, keeps_its_deadline_and_is_stopped) {  // F71
  const kit::Watchdog watchdog("descriptors that do not come");
  const auto [here, there] = make_socket_pair(SocketKind::stream).or_throw();
  {
    const kit::SignalStorm storm;
    const auto begin = Deadline::Clock::now();
    EXPECT_TRUE(receive_descriptors(there.view(), room, 1, after(40ms)).failed_with(Errc::timed_out));
    EXPECT_GE(Deadline::Clock::now() - begin, 40ms);
  }
  Stop stop = Stop::create().or_throw();
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(receive_descriptors(there.view(), room, 1, never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
}

TEST(DescriptorPassing, tells_who_sent_once_asked) {  // F79
  for (const SocketKind kind : kinds) {
    const auto [here, there] = make_socket_pair(kind).or_throw();
    ask_for_credentials(there.view()).or_throw();
    kit::ReportedChild child("sender", [&, &socket = here] { send_one(socket, socket.view()); });
    const pid_t pid = child.process().pid();
    const Delivery delivery = receive_descriptors(there.view(), room, 1, after(1h)).or_throw();
    ASSERT_TRUE(delivery.sender);
    EXPECT_EQ(delivery.sender->pid, pid);
    EXPECT_EQ(delivery.sender->uid, ::geteuid());
    (void)child.finish(never);
  }
}

TEST(DescriptorPassing, sends_no_credentials_that_are_not_the_callers) {  // F79
  kit::ReportedChild child("user", [] {
    if (::geteuid() == 0) {
      ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    }
    const auto [here, there] = make_socket_pair(SocketKind::datagram).or_throw();
    ask_for_credentials(there.view()).or_throw();
    Credentials other = own_credentials();
    other.uid = 0;
    const auto refused = send_credentials(here.view(), bytes_of("trust me"), other, after(1h));
    ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
    EXPECT_THAT(refused.error().message(), HasSubstr("not this process's own"));
    EXPECT_TRUE(send_credentials(here.view(), bytes_of("it is me"), own_credentials(), after(1h)));
    EXPECT_EQ(receive_descriptors(there.view(), room, 0, after(1h)).or_throw().sender, own_credentials());
  });
  (void)child.finish(never);
}

TEST(DescriptorPassing, reaches_a_process_that_may_not_open_the_file_itself) {
  const auto [here, there] = make_socket_pair(SocketKind::stream).or_throw();
  kit::ReportedChild worker("worker", [&, &socket = there] {
    if (::geteuid() == 0) {
      ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    }
    const Delivery delivery = receive_descriptors(socket.view(), room, 1, after(1h)).or_throw();
    const std::string path(text_of(Bytes(room).first(delivery.bytes)));
    EXPECT_EQ(::open(path.c_str(), O_RDONLY | O_CLOEXEC), -1);
    EXPECT_EQ(text_in(delivery.descriptors.at(0)), "secret");
  });
  std::string path = "/tmp/passing-XXXXXX";
  const Fd file = fd_from(::mkostemp(path.data(), O_CLOEXEC), "mkostemp").or_throw();
  ASSERT_EQ(::write(file.raw(), "secret", 6), 6);
  ASSERT_EQ(::fchmod(file.raw(), 0), 0);
  send_one(here, file.view(), path);
  (void)worker.finish(never);
  ::unlink(path.c_str());
}

}  // namespace

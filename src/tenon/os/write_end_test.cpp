#include <tenon/os/write_end.hpp>

#include <tenon/os/read_end.hpp>
#include <tenon/os/stop.hpp>

#include <kit/asleep.hpp>
#include <kit/read_all.hpp>
#include <kit/refused_call.hpp>
#include <kit/reported_child.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <numeric>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

struct Ends {
  ReadEnd reader;
  WriteEnd writer;
};

Ends new_pipe() {
  std::array<int, 2> raw{};
  EXPECT_EQ(::pipe2(raw.data(), O_CLOEXEC), 0);
  return {.reader = ReadEnd::adopt(Fd::adopt(raw[0])), .writer = WriteEnd::adopt(Fd::adopt(raw[1]))};
}

Ends small_pipe() {
  Ends ends = new_pipe();
  EXPECT_EQ(ends.writer.set_capacity(4096).or_throw(), 4096U);
  return ends;
}

WriteEnd lonely_writer() { return std::move(new_pipe().writer); }

void close_end(WriteEnd writer) { std::move(writer).close().or_throw(); }
void close_end(ReadEnd reader) { std::move(reader).close().or_throw(); }

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) {
    text[i] = static_cast<char>(i * 2654435761U >> 13);
  }
  return text;
}

void fill(WriteEnd& writer) {
  while (writer.try_write(bytes_of("x"))) {
  }
}

TEST(WriteEnd, writes_all_of_it_however_long) {
  const std::string sent = pattern(1'000'001);
  for (const Deadline deadline : {never, after(1h)}) {
    auto [reader, writer] = new_pipe();
    kit::ReportedChild child("reader", [&] {
      close_end(std::move(writer));
      EXPECT_EQ(kit::read_all(reader), sent);
    });
    EXPECT_EQ(writer.write(bytes_of(sent), deadline).or_throw(), sent.size());
    close_end(std::move(writer));
    (void)child.finish(never);
  }
}

TEST(WriteEnd, would_block_when_full_and_takes_what_there_is_room_for) {
  auto [reader, writer] = small_pipe();
  const std::string two_pages = pattern(8192);
  EXPECT_EQ(writer.try_write(bytes_of(two_pages)).or_throw(), 4096U);
  EXPECT_TRUE(writer.try_write(bytes_of("x")).failed_with(Errc::would_block));
  EXPECT_EQ(writer.write({}, never).or_throw(), 0U);
}

TEST(WriteEnd, writes_up_to_the_atomic_size_wholly_or_not_at_all) {  // F73
  auto [reader, writer] = small_pipe();
  writer.write(bytes_of(pattern(1000)), never).or_throw();
  EXPECT_TRUE(writer.try_write(bytes_of(pattern(pipe_atomic_size))).failed_with(Errc::would_block));
  EXPECT_TRUE(writer.write(bytes_of(pattern(4000)), after(10ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(writer.buffered().or_throw(), 1000U);
}

TEST(WriteEnd, never_mixes_two_writers_up_to_the_atomic_size) {  // F73
  constexpr std::size_t records = 3000;
  auto [reader, writer] = new_pipe();
  auto write_records = [&](char letter) {
    return [&, letter](kit::Stage& stage) {
      const std::string record(pipe_atomic_size, letter);
      stage.barrier();
      for (std::size_t i = 0; i < records; ++i) {
        EXPECT_EQ(writer.write(bytes_of(record), after(1h)).or_throw(), record.size());
      }
    };
  };
  kit::Sides sides({{"a", write_records('a')}, {"b", write_records('b')}});
  close_end(std::move(writer));
  const std::string all = kit::read_all(reader);
  ASSERT_EQ(all.size(), 2 * records * pipe_atomic_size);
  for (std::size_t at = 0; at < all.size(); at += pipe_atomic_size) {
    const std::string_view record = std::string_view(all).substr(at, pipe_atomic_size);
    ASSERT_EQ(record.find_first_not_of(record[0]), std::string_view::npos) << "at byte " << at;
  }
}

TEST(WriteEnd, times_out_when_nobody_reads) {
  auto [reader, writer] = new_pipe();
  fill(writer);
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(writer.write(bytes_of("x"), after(30ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 30ms);
  EXPECT_TRUE(writer.write(bytes_of("x"), immediately).failed_with(Errc::timed_out));
}

TEST(WriteEnd, keeps_its_deadline_whatever_others_do_to_the_shared_description_and_leaves_it_alone) {
  auto [reader, writer] = small_pipe();
  fill(writer);
  if ((::fcntl(writer.fd().raw(), F_GETFL) & O_NONBLOCK) != 0) {
    GTEST_SKIP() << "this kernel knows no RWF_NOWAIT and RWF_NOSIGNAL for pipes";
  }
  const kit::Watchdog watchdog("a write to a description that became blocking keeps its deadline");
  for (const int flags : {0, O_NONBLOCK, 0}) {
    ASSERT_EQ(::fcntl(writer.fd().raw(), F_SETFL, flags), 0);
    EXPECT_TRUE(writer.write(bytes_of("x"), after(1ms)).failed_with(Errc::timed_out));
    EXPECT_TRUE(writer.try_write(bytes_of("x")).failed_with(Errc::would_block));
    EXPECT_EQ(::fcntl(writer.fd().raw(), F_GETFL) & O_NONBLOCK, flags) << "as it was";
  }
}

TEST(WriteEnd, keeps_its_deadline_where_the_kernel_refuses_to_be_told_with_each_call) {
  kit::ReportedChild child("writer", [] {
    if (!kit::refuse_call(SYS_pwritev2, EOPNOTSUPP)) {
      GTEST_SKIP() << "this kernel has no seccomp filters";
    }
    const kit::Watchdog watchdog("a write keeps its deadline");
    auto [reader, writer] = small_pipe();
    EXPECT_EQ(writer.write(bytes_of(pattern(8192)), after(10ms)).or_throw(), 4096U);
    EXPECT_TRUE(writer.write(bytes_of("x"), after(1ms)).failed_with(Errc::timed_out));
    EXPECT_NE(::fcntl(writer.fd().raw(), F_GETFL) & O_NONBLOCK, 0);
    auto [other_reader, other] = small_pipe();
    fill(other);
    EXPECT_TRUE(other.write(bytes_of("x"), after(1ms)).failed_with(Errc::timed_out));
  });
  (void)child.finish(never);
}

TEST(WriteEnd, returns_what_went_before_the_deadline_and_then_tells_why_no_more) {  // F73
  auto [reader, writer] = small_pipe();
  const std::string two_pages = pattern(8192);
  EXPECT_EQ(writer.write(bytes_of(two_pages), after(20ms)).or_throw(), 4096U);
  EXPECT_TRUE(writer.write(bytes_of(two_pages).subspan(4096), after(20ms)).failed_with(Errc::timed_out));
}

TEST(WriteEnd, returns_what_went_before_the_reader_was_killed_and_then_closed) {  // F72 F73
  auto [reader, writer] = new_pipe();
  kit::Sides sides({{"reader", [&](kit::Stage& stage) {
                       std::array<std::byte, 5000> part;
                       close_end(std::move(writer));
                       reader.read(part, never).or_throw();
                       stage.signal("read");
                       kit::wait_to_be_killed();
                     }}});
  close_end(std::move(reader));
  std::thread killer([&] {
    sides.stage().await("read");
    sides.side("reader").kill();
  });
  const std::string much = pattern(1'000'000);
  const std::size_t went = writer.write(bytes_of(much), never).or_throw();
  EXPECT_GT(went, 0U);
  EXPECT_LT(went, much.size());
  EXPECT_TRUE(writer.write(bytes_of("more"), never).failed_with(Errc::closed));
  killer.join();
}

// With SIGPIPE at its default, so that raising it would end the child.
void expect_closed_without_signal() {
  std::signal(SIGPIPE, SIG_DFL);
  sigset_t mask_before;
  sigset_t mask_after;
  sigset_t pending;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);
  WriteEnd writer = lonely_writer();
  EXPECT_TRUE(writer.write(bytes_of("x"), never).failed_with(Errc::closed));
  EXPECT_TRUE(writer.write(bytes_of("x"), after(1h)).failed_with(Errc::closed));
  EXPECT_TRUE(writer.try_write(bytes_of("x")).failed_with(Errc::closed));
  EXPECT_TRUE(writer.vmsplice_from(bytes_of("x"), never).failed_with(Errc::closed));
  const Fd file = fd_from(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "open").or_throw();
  EXPECT_TRUE(writer.splice_from(file.view(), 1, never).failed_with(Errc::closed));
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_after);
  ::sigpending(&pending);
  EXPECT_EQ(::sigismember(&mask_after, SIGPIPE), ::sigismember(&mask_before, SIGPIPE));
  EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
}

TEST(WriteEnd, is_closed_when_nobody_reads_any_more_and_raises_no_signal) {  // F72
  kit::ReportedChild child("writer", expect_closed_without_signal);
  (void)child.finish(never);
}

TEST(WriteEnd, raises_no_signal_on_kernels_that_cannot_be_told_so) {  // F72
  kit::ReportedChild child("writer", [] {
    if (!kit::refuse_call(SYS_pwritev2, EOPNOTSUPP)) {
      GTEST_SKIP() << "this kernel has no seccomp filters";
    }
    auto [reader, writer] = new_pipe();
    const iovec nothing{};
    EXPECT_EQ(::pwritev2(writer.fd().raw(), &nothing, 1, -1, 0), -1) << "the filter is in force";
    expect_closed_without_signal();
    EXPECT_EQ(writer.write(bytes_of("abc"), never).or_throw(), 3U);
    close_end(std::move(writer));
    EXPECT_EQ(kit::read_all(reader), "abc");
  });
  (void)child.finish(never);
}

TEST(WriteEnd, goes_on_after_signals_and_keeps_its_first_deadline) {  // F71
  const kit::Watchdog watchdog("writes under signals");
  auto [reader, writer] = new_pipe();
  const std::string sent = pattern(3'000'000);
  std::string got;
  std::thread other([&] { got = kit::read_all(reader); });
  {
    const kit::SignalStorm storm;
    EXPECT_EQ(writer.write(bytes_of(sent), never).or_throw(), sent.size());
    EXPECT_EQ(writer.write(bytes_of(sent), after(1h)).or_throw(), sent.size());
  }
  close_end(std::move(writer));
  other.join();
  EXPECT_EQ(got, sent + sent);
  auto [unread, full] = new_pipe();
  fill(full);
  const kit::SignalStorm storm;
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(full.write(bytes_of("x"), after(50ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 50ms);
  EXPECT_GT(storm.count(), 0U);
}

TEST(WriteEnd, a_blocking_write_that_a_signal_interrupts_goes_on) {  // F71
  const kit::Watchdog watchdog("a write interrupted before its first byte");
  auto [reader, writer] = small_pipe();
  writer.write(bytes_of(pattern(4096)), never).or_throw();
  const kit::SignalStorm storm;
  std::thread other([&] {
    storm.await(20);
    std::array<std::byte, 4096> part;
    reader.read(part, never).or_throw();
  });
  EXPECT_EQ(writer.write(bytes_of("abc"), never).or_throw(), 3U);
  other.join();
}

TEST(WriteEnd, is_stopped_by_a_thread) {
  const kit::Watchdog watchdog("a stopped write returns");
  auto [reader, writer] = new_pipe();
  fill(writer);
  Stop stop = Stop::create().or_throw();
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(writer.write(bytes_of("x"), never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
  WriteEnd free = std::move(writer);
  const Deadline stopped = after(1h).or_stop(stop);
  EXPECT_TRUE(free.write(bytes_of("x"), stopped).failed_with(Errc::stopped));
  auto [other_reader, roomy] = new_pipe();
  EXPECT_TRUE(roomy.write(bytes_of("x"), stopped).failed_with(Errc::stopped)) << "although there is room";
  EXPECT_TRUE(roomy.vmsplice_from(bytes_of("x"), stopped).failed_with(Errc::stopped));
  EXPECT_TRUE(roomy.splice_from(reader.fd(), 1, stopped).failed_with(Errc::stopped));
  EXPECT_TRUE(roomy.wait_closed(stopped).failed_with(Errc::stopped));
  EXPECT_EQ(roomy.buffered().or_throw(), 0U);
}

Stop* stop_of_handler = nullptr;

TEST(WriteEnd, is_stopped_by_a_signal_handler) {
  const kit::Watchdog watchdog("a write stopped by a signal handler returns");
  auto [reader, writer] = new_pipe();
  fill(writer);
  Stop stop = Stop::create().or_throw();
  stop_of_handler = &stop;
  const auto before = std::signal(SIGUSR1, [](int) { stop_of_handler->request(); });
  const pthread_t waiting = ::pthread_self();
  std::thread other([&] { ::pthread_kill(waiting, SIGUSR1); });
  EXPECT_TRUE(writer.write(bytes_of("x"), never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
  std::signal(SIGUSR1, before);
}

TEST(WriteEnd, hands_pages_over) {
  auto [reader, writer] = new_pipe();
  const std::string sent = pattern(1'000'000);
  std::string got;
  std::thread other([&] { got = kit::read_all(reader); });
  for (Bytes left = bytes_of(sent); !left.empty();) {
    left = left.subspan(writer.vmsplice_from(left, never).or_throw());
  }
  close_end(std::move(writer));
  other.join();
  EXPECT_EQ(got, sent);
}

TEST(WriteEnd, splices_from_a_file_a_pipe_and_a_socket) {
  auto [reader, writer] = new_pipe();
  const Fd file = fd_from(::memfd_create("from", MFD_CLOEXEC), "memfd_create").or_throw();
  ASSERT_EQ(::pwrite(file.raw(), "file ", 5, 0), 5);
  EXPECT_EQ(writer.splice_from(file.view(), 100, never).or_throw(), 5U);
  EXPECT_EQ(writer.splice_from(file.view(), 100, never).or_throw(), 0U);
  auto [source, into_source] = new_pipe();
  into_source.write(bytes_of("pipe "), never).or_throw();
  EXPECT_EQ(writer.splice_from(source.fd(), 100, never).or_throw(), 5U);
  EXPECT_TRUE(writer.splice_from(source.fd(), 100, after(10ms)).failed_with(Errc::timed_out));
  std::array<int, 2> sockets{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()), 0);
  const Fd near = Fd::adopt(sockets[0]);
  const Fd far = Fd::adopt(sockets[1]);
  ASSERT_EQ(::write(far.raw(), "socket", 6), 6);
  EXPECT_EQ(writer.splice_from(near.view(), 100, never).or_throw(), 6U);
  EXPECT_TRUE(writer.splice_from(near.view(), 100, after(10ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(writer.splice_from(source.fd(), 0, never).failed_with(Errc::invalid_argument));
  close_end(std::move(writer));
  EXPECT_EQ(kit::read_all(reader), "file pipe socket");
}

TEST(WriteEnd, handing_pages_to_a_full_pipe_times_out) {
  auto [reader, writer] = new_pipe();
  fill(writer);
  EXPECT_TRUE(writer.vmsplice_from(bytes_of("x"), after(10ms)).failed_with(Errc::timed_out));
  const Fd file = fd_from(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "open").or_throw();
  EXPECT_TRUE(writer.splice_from(file.view(), 1, after(10ms)).failed_with(Errc::timed_out));
}

TEST(WriteEnd, waits_until_every_reader_has_closed_or_died) {
  auto [reader, writer] = new_pipe();
  EXPECT_TRUE(writer.wait_closed(after(10ms)).failed_with(Errc::timed_out));
  kit::Sides sides({{"reader", [](kit::Stage&) { kit::wait_to_be_killed(); }}});
  close_end(std::move(reader));
  EXPECT_TRUE(writer.wait_closed(immediately).failed_with(Errc::timed_out));
  sides.side("reader").kill();
  EXPECT_TRUE(writer.wait_closed(after(1h)));
}

TEST(WriteEnd, may_be_used_by_several_threads_at_once) {
  constexpr int records = 200;
  auto [reader, writer] = new_pipe();
  std::string all;
  {
    std::jthread taker([&] { all = kit::read_all(reader); });
    std::vector<std::thread> writers;
    for (const char letter : {'a', 'b', 'c'}) {
      writers.emplace_back([&writer, letter] {
        const std::string record(100, letter);
        for (int i = 0; i < records; ++i) {
          writer.write(bytes_of(record), after(1h)).or_throw();
        }
      });
    }
    std::ranges::for_each(writers, &std::thread::join);
    close_end(std::move(writer));
  }
  ASSERT_EQ(all.size(), 3U * records * 100);
  for (std::size_t at = 0; at < all.size(); at += 100) {
    ASSERT_EQ(all.substr(at, 100), std::string(100, all[at]));
  }
}

}  // namespace

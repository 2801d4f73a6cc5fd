#include <tenon/os/read_end.hpp>

#include <tenon/os/stop.hpp>
#include <tenon/os/write_end.hpp>

#include <kit/asleep.hpp>
#include <kit/leak_check.hpp>
#include <kit/refused_call.hpp>
#include <kit/reported_child.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>

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

void close_end(WriteEnd writer) { std::move(writer).close().or_throw(); }

std::string read_once(ReadEnd& reader, Deadline deadline = never) {
  std::array<std::byte, 256> part;
  const std::size_t got = reader.read(part, deadline).or_throw();
  return std::string(text_of(Bytes(part).first(got)));
}

std::array<std::byte, 16> ignored;

TEST(ReadEnd, takes_what_is_there_and_does_not_wait_for_more) {
  auto [reader, writer] = new_pipe();
  writer.write(bytes_of("abc"), never).or_throw();
  EXPECT_EQ(read_once(reader), "abc");
  writer.write(bytes_of("de"), never).or_throw();
  EXPECT_EQ(read_once(reader, immediately), "de");
}

TEST(ReadEnd, tells_the_end_from_empty) {
  auto [reader, writer] = new_pipe();
  EXPECT_TRUE(reader.try_read(ignored).failed_with(Errc::would_block));
  writer.write(bytes_of("last"), never).or_throw();
  close_end(std::move(writer));
  EXPECT_EQ(read_once(reader), "last");
  EXPECT_EQ(reader.try_read(ignored).or_throw(), 0U);
  EXPECT_EQ(reader.read(ignored, never).or_throw(), 0U);
  EXPECT_EQ(reader.read(ignored, after(1h)).or_throw(), 0U);
}

TEST(ReadEnd, refuses_to_read_into_nothing_since_0_would_mean_the_end) {
  auto [reader, writer] = new_pipe();
  writer.write(bytes_of("abc"), never).or_throw();
  EXPECT_TRUE(reader.read({}, never).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(reader.try_read({}).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(reader.splice_to(writer.fd(), 0, never).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(reader.tee_to(writer.fd(), 0, never).failed_with(Errc::invalid_argument));
  EXPECT_EQ(read_once(reader), "abc");
}

TEST(ReadEnd, times_out_when_nobody_writes) {
  auto [reader, writer] = new_pipe();
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(reader.read(ignored, after(30ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 30ms);
  EXPECT_TRUE(reader.read(ignored, immediately).failed_with(Errc::timed_out));
}

TEST(ReadEnd, times_out_against_its_first_deadline_in_a_storm_of_signals) {  // F71
  const kit::Watchdog watchdog("a read under signals keeps its deadline");
  auto [reader, writer] = new_pipe();
  const kit::SignalStorm storm;
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(reader.read(ignored, after(50ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 50ms);
  EXPECT_GT(storm.count(), 0U);
}

TEST(ReadEnd, a_blocking_read_goes_on_after_signals) {  // F71
  const kit::Watchdog watchdog("a read under signals gets what is written");
  auto [reader, writer] = new_pipe();
  const kit::SignalStorm storm;
  std::thread other([&] {
    storm.await(20);
    writer.write(bytes_of("at last"), never).or_throw();
  });
  EXPECT_EQ(read_once(reader), "at last");
  other.join();
  EXPECT_GE(storm.count(), 20U);
}

TEST(ReadEnd, is_stopped_by_a_thread) {
  const kit::Watchdog watchdog("a stopped read returns");
  auto [reader, writer] = new_pipe();
  Stop stop = Stop::create().or_throw();
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(reader.read(ignored, never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
  writer.write(bytes_of("abc"), never).or_throw();
  const Deadline stopped = after(1h).or_stop(stop);
  EXPECT_TRUE(reader.read(ignored, stopped).failed_with(Errc::stopped)) << "although bytes are there";
  auto [next_reader, next_writer] = new_pipe();
  EXPECT_TRUE(reader.splice_to(next_writer.fd(), 3, stopped).failed_with(Errc::stopped));
  EXPECT_TRUE(reader.tee_to(next_writer.fd(), 3, stopped).failed_with(Errc::stopped));
  EXPECT_EQ(read_once(reader), "abc");
}

Stop* stop_of_handler = nullptr;

TEST(ReadEnd, is_stopped_by_a_signal_handler) {
  const kit::Watchdog watchdog("a read stopped by a signal handler returns");
  auto [reader, writer] = new_pipe();
  Stop stop = Stop::create().or_throw();
  stop_of_handler = &stop;
  const auto before = std::signal(SIGUSR1, [](int) { stop_of_handler->request(); });
  const pthread_t waiting = ::pthread_self();
  std::thread other([&] { ::pthread_kill(waiting, SIGUSR1); });
  EXPECT_TRUE(reader.read(ignored, never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
  std::signal(SIGUSR1, before);
}

TEST(ReadEnd, waits_although_somebody_else_made_the_shared_description_non_blocking) {
  const kit::Watchdog watchdog("the read waits for the child's bytes");
  auto [reader, writer] = new_pipe();
  ASSERT_EQ(::fcntl(reader.fd().raw(), F_SETFL, O_NONBLOCK), 0);
  std::thread other([&] { writer.write(bytes_of("x"), never).or_throw(); });
  EXPECT_EQ(read_once(reader), "x");
  other.join();
}

// Whether this kernel takes RWF_NOWAIT for pipes.
bool pipes_take_the_flag() {
  auto [reader, writer] = new_pipe();
  return read_without_waiting(reader.fd().raw(), ignored) == -1 && errno == EAGAIN;
}

TEST(ReadEnd, keeps_its_deadline_whatever_others_do_to_the_shared_description_and_leaves_it_alone) {
  if (!pipes_take_the_flag()) {
    GTEST_SKIP() << "this kernel knows no RWF_NOWAIT for pipes";
  }
  const kit::Watchdog watchdog("a read of a description that became blocking keeps its deadline");
  auto [reader, writer] = new_pipe();
  EXPECT_TRUE(reader.read(ignored, after(1ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(reader.try_read(ignored).failed_with(Errc::would_block));
  EXPECT_EQ(::fcntl(reader.fd().raw(), F_GETFL) & O_NONBLOCK, 0) << "as it was";
  for (const int flags : {O_NONBLOCK, 0}) {
    ASSERT_EQ(::fcntl(reader.fd().raw(), F_SETFL, flags), 0);
    EXPECT_TRUE(reader.read(ignored, after(1ms)).failed_with(Errc::timed_out));
    EXPECT_TRUE(reader.try_read(ignored).failed_with(Errc::would_block));
    EXPECT_EQ(::fcntl(reader.fd().raw(), F_GETFL) & O_NONBLOCK, flags);
  }
}

TEST(ReadEnd, keeps_its_deadline_where_the_kernel_refuses_to_be_told_with_each_call) {
  kit::ReportedChild child("reader", [] {
    if (!kit::refuse_call(SYS_preadv2, EOPNOTSUPP)) {
      GTEST_SKIP() << "this kernel has no seccomp filters";
    }
    const kit::Watchdog watchdog("a read keeps its deadline");
    for (const bool trying_first : {true, false}) {
      auto [reader, writer] = new_pipe();
      if (trying_first) {
        EXPECT_TRUE(reader.try_read(ignored).failed_with(Errc::would_block));
      }
      EXPECT_TRUE(reader.read(ignored, after(1ms)).failed_with(Errc::timed_out));
      EXPECT_TRUE(reader.try_read(ignored).failed_with(Errc::would_block));
      EXPECT_NE(::fcntl(reader.fd().raw(), F_GETFL) & O_NONBLOCK, 0);
      writer.write(bytes_of("abc"), never).or_throw();
      EXPECT_EQ(read_once(reader, after(1h)), "abc");
    }
  });
  (void)child.finish(never);
}

TEST(ReadEnd, sees_the_end_when_the_writer_is_killed) {
  auto [reader, writer] = new_pipe();
  kit::Sides sides({{"writer", [&](kit::Stage& stage) {
                       writer.write(bytes_of("half a mess"), never).or_throw();
                       stage.signal("written");
                       kit::wait_to_be_killed();
                     }}});
  close_end(std::move(writer));
  sides.stage().await("written");
  EXPECT_EQ(read_once(reader), "half a mess");
  EXPECT_TRUE(reader.try_read(ignored).failed_with(Errc::would_block));
  sides.side("writer").kill();
  EXPECT_EQ(reader.read(ignored, after(1h)).or_throw(), 0U);
}

TEST(ReadEnd, gives_each_byte_to_one_of_several_threads) {
  constexpr std::size_t total = 20'000;
  auto [reader, writer] = new_pipe();
  std::array<std::size_t, 3> got{};
  {
    std::vector<std::jthread> readers;
    for (std::size_t& count : got) {
      readers.emplace_back([&] {
        std::array<std::byte, 7> part;
        while (const std::size_t more = reader.read(part, after(1h)).or_throw()) {
          count += more;
        }
      });
    }
    const std::string bytes(total, 'x');
    EXPECT_EQ(writer.write(bytes_of(bytes), never).or_throw(), total);
    close_end(std::move(writer));
  }
  EXPECT_EQ(got[0] + got[1] + got[2], total);
}

TEST(ReadEnd, splices_to_a_file_what_was_written) {
  const kit::LeakCheck check;
  auto [reader, writer] = new_pipe();
  writer.write(bytes_of("through the kernel"), never).or_throw();
  close_end(std::move(writer));
  const Fd file = fd_from(::memfd_create("to", MFD_CLOEXEC), "memfd_create").or_throw();
  std::size_t moved = 0;
  while (const std::size_t part = reader.splice_to(file.view(), 7, never).or_throw()) {
    moved += part;
  }
  std::array<char, 32> content{};
  EXPECT_EQ(::pread(file.raw(), content.data(), content.size(), 0), static_cast<ssize_t>(moved));
  EXPECT_EQ(std::string_view(content.data(), moved), "through the kernel");
}

TEST(ReadEnd, tees_into_another_pipe_and_keeps_its_bytes) {
  auto [reader, writer] = new_pipe();
  auto [copy, copy_writer] = new_pipe();
  writer.write(bytes_of("twice"), never).or_throw();
  EXPECT_EQ(reader.tee_to(copy_writer.fd(), 100, never).or_throw(), 5U);
  EXPECT_EQ(read_once(copy), "twice");
  EXPECT_EQ(read_once(reader), "twice");
  close_end(std::move(writer));
  EXPECT_EQ(reader.tee_to(copy_writer.fd(), 100, never).or_throw(), 0U);
}

TEST(ReadEnd, splicing_times_out_when_nobody_writes_and_when_nobody_makes_room) {
  auto [reader, writer] = new_pipe();
  auto [full, full_writer] = new_pipe();
  EXPECT_TRUE(reader.splice_to(full_writer.fd(), 10, after(10ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(reader.tee_to(full_writer.fd(), 10, after(10ms)).failed_with(Errc::timed_out));
  while (full_writer.try_write(bytes_of("xxxxxxxxxxxxxxxx"))) {
  }
  writer.write(bytes_of("abc"), never).or_throw();
  EXPECT_TRUE(reader.splice_to(full_writer.fd(), 10, after(10ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(reader.tee_to(full_writer.fd(), 10, after(10ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(read_once(reader), "abc") << "nothing was lost on the way";
}

TEST(ReadEnd, splicing_to_a_pipe_without_reader_is_closed_and_raises_no_signal) {  // F72
  kit::ReportedChild child("splicer", [] {
    std::signal(SIGPIPE, SIG_DFL);
    auto [reader, writer] = new_pipe();
    WriteEnd lonely = std::move(new_pipe().writer);
    writer.write(bytes_of("abc"), never).or_throw();
    EXPECT_TRUE(reader.splice_to(lonely.fd(), 3, never).failed_with(Errc::closed));
    EXPECT_TRUE(reader.tee_to(lonely.fd(), 3, never).failed_with(Errc::closed));
  });
  EXPECT_TRUE(child.finish(after(1h)).or_throw().success());
}

TEST(ReadEnd, works_in_a_forked_child) {
  auto [reader, writer] = new_pipe();
  writer.write(bytes_of("for the child"), never).or_throw();
  kit::ReportedChild child("reader", [&] { EXPECT_EQ(read_once(reader, after(1h)), "for the child"); });
  EXPECT_TRUE(child.finish(after(1h)).or_throw().success());
  EXPECT_TRUE(reader.try_read(ignored).failed_with(Errc::would_block));
}

}  // namespace

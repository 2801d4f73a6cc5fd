// Streams between processes: through, asleep, and with one of the ends killed or stopped.
#include <tenon/messaging/stream/stream.hpp>

#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <kit/counted.hpp>
#include <kit/reported_child.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

// What each process of a test has for itself.
struct Member {
  explicit Member(const Domain& domain)
      : life(Life::join(domain).or_throw()), holder(Holder::of(domain, life).or_throw()) {}
  Life life;
  Holder holder;
};

class StreamBetweenProcesses : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  const Domain& domain_ = unique_.domain();
  kit::Watchdog watchdog_{"a stream between processes", std::chrono::seconds(60)};

  // Reads to the end; returns how much came, and how it ended.
  static std::pair<std::uint64_t, Errc> drain(StreamReader& reader) {
    std::array<std::byte, 1000> into{};
    for (std::uint64_t got = 0;;) {
      const auto read = reader.read(into, never);
      if (!read || *read == 0) {
        return {got, read ? Errc::closed : read.error().code()};
      }
      EXPECT_TRUE(kit::is_counted(Bytes(into).first(*read), got)) << got;
      got += *read;
    }
  }
  void expect_nothing_left() {
    sweep(domain_).or_throw();
    EXPECT_THAT(kit::names_in(unique_.path()), testing::Not(testing::Contains(testing::StartsWith("stream."))));
  }
  // Somebody who opens by that name, and finds nobody.
  void come_by() {
    const Member self(domain_);
    EXPECT_TRUE(StreamWriter::open(self.holder, "s", immediately).failed_with(Errc::timed_out));
    EXPECT_TRUE(StreamReader::open(self.holder, "s", immediately).failed_with(Errc::timed_out));
  }
  static void wait_until_killed() {
    while (true) {
      ::pause();
    }
  }
};

// F33
TEST_F(StreamBetweenProcesses, loses_nothing_however_both_wait_and_whoever_comes_first) {
  constexpr std::uint64_t bytes = 3'000'000;
  for (const Waiting waiting : {Waiting::adaptive, Waiting::sleep, Waiting::spin}) {
    const kit::Meeting write = [&](const std::function<void()>& here) {
      const Member self(domain_);
      here();
      auto writer = StreamWriter::open(self.holder, "s", {.capacity = 4096, .waiting = waiting}, never).or_throw();
      std::uint64_t sent = 0;
      for (std::size_t size = 1; sent < bytes; size = size * 7 % 5003) {
        ASSERT_EQ(writer.write(kit::counted(size, sent), never).or_throw(), size);
        sent += size;
      }
      std::move(writer).close().or_throw();
    };
    const kit::Meeting read = [&](const std::function<void()>& here) {
      const Member self(domain_);
      here();
      auto reader = StreamReader::open(self.holder, "s", {.waiting = waiting}, never).or_throw();
      const auto [got, how] = drain(reader);
      EXPECT_GE(got, bytes);
      EXPECT_EQ(how, Errc::closed);
    };
    kit::run_in_either_order(write, read);
  }
  expect_nothing_left();
}

// F58, F59, F63
TEST_F(StreamBetweenProcesses, what_a_killed_writer_had_written_is_drained_and_its_death_told) {
  const Member self(domain_);
  kit::ReportedChild writing("writer", [&] {
    const Member other(domain_);
    auto writer = StreamWriter::open(other.holder, "s", never).or_throw();
    writer.write(kit::counted(5000), never).or_throw();
    auto lent = writer.loan(100, never).or_throw();
    kit::count_into(lent.first, 5000);
    ::raise(SIGKILL);
  });
  auto reader = StreamReader::open(self.holder, "s", never).or_throw();
  EXPECT_EQ(reader.peek(5001, never).or_throw().size(), 5000U);
  const auto [got, how] = drain(reader);
  EXPECT_EQ(got, 5000U);
  EXPECT_EQ(how, Errc::peer_died);
  std::array<std::byte, 4> into{};
  EXPECT_TRUE(reader.try_read(into).failed_with(Errc::peer_died));
  EXPECT_TRUE(reader.peek(1, never).failed_with(Errc::peer_died));
  std::move(reader).close().or_throw();
  writing.kill();
  static_cast<void>(writing.finish(never));
  expect_nothing_left();
}

// F60
TEST_F(StreamBetweenProcesses, a_writer_that_waits_for_room_is_told_that_the_reader_was_killed) {
  const Member self(domain_);
  kit::ReportedChild reading("reader", [&] {
    const Member other(domain_);
    auto reader = StreamReader::open(other.holder, "s", never).or_throw();
    std::array<std::byte, 100> into{};
    static_cast<void>(reader.read(into, never));
    ::raise(SIGKILL);
  });
  auto writer = StreamWriter::open(self.holder, "s", {.capacity = 64}, never).or_throw();
  EXPECT_LT(writer.write(kit::counted(10'000), never).or_throw(), 10'000U);
  EXPECT_TRUE(writer.write(kit::counted(1), never).failed_with(Errc::peer_died));
  EXPECT_TRUE(writer.try_write(kit::counted(1)).failed_with(Errc::peer_died));
  EXPECT_TRUE(writer.try_loan(1).failed_with(Errc::peer_died));
  EXPECT_EQ(writer.wait_closed(never), Errc::peer_died);
  std::move(writer).close().or_throw();
  reading.kill();
  static_cast<void>(reading.finish(never));
  expect_nothing_left();
}

// F60
TEST_F(StreamBetweenProcesses, who_was_told_of_the_readers_death_writes_nothing_more_though_there_is_room) {
  const Member self(domain_);
  kit::ReportedChild reading("reader", [&] {
    const Member other(domain_);
    auto reader = StreamReader::open(other.holder, "s", never).or_throw();
    ::raise(SIGKILL);
  });
  auto writer = StreamWriter::open(self.holder, "s", {.capacity = 64}, never).or_throw();
  EXPECT_EQ(writer.wait_closed(never), Errc::peer_died);
  EXPECT_TRUE(writer.write(kit::counted(1), never).failed_with(Errc::peer_died));
  EXPECT_TRUE(writer.try_write(kit::counted(1)).failed_with(Errc::peer_died));
  EXPECT_TRUE(writer.try_loan(1).failed_with(Errc::peer_died));
  std::move(writer).close().or_throw();
  reading.kill();
  static_cast<void>(reading.finish(never));
  expect_nothing_left();
}

TEST_F(StreamBetweenProcesses, who_waits_for_the_readers_end_is_told_of_its_death) {
  const Member self(domain_);
  kit::ReportedChild reading("reader", [&] {
    const Member other(domain_);
    auto reader = StreamReader::open(other.holder, "s", never).or_throw();
    wait_until_killed();
  });
  auto writer = StreamWriter::open(self.holder, "s", never).or_throw();
  EXPECT_EQ(writer.wait_closed(after(1ms)), Errc::timed_out);
  EXPECT_EQ(writer.peer_pid(), reading.process().pid());
  reading.kill();
  EXPECT_EQ(writer.wait_closed(never), Errc::peer_died);
  std::move(writer).close().or_throw();
  expect_nothing_left();
}

// F55
TEST_F(StreamBetweenProcesses, a_writer_that_stands_still_is_not_taken_for_dead) {
  const Member self(domain_);
  kit::ReportedChild writing("writer", [&] {
    const Member other(domain_);
    auto writer = StreamWriter::open(other.holder, "s", never).or_throw();
    ::raise(SIGSTOP);
    writer.write(kit::counted(1), never).or_throw();
    std::move(writer).close().or_throw();
  });
  auto reader = StreamReader::open(self.holder, "s", never).or_throw();
  siginfo_t stopped{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(writing.process().pid()), &stopped, WSTOPPED | WNOWAIT), 0);
  std::array<std::byte, 4> into{};
  EXPECT_TRUE(reader.read(into, after(120ms)).failed_with(Errc::timed_out));
  writing.process().signal(SIGCONT).or_throw();
  EXPECT_EQ(reader.read(into, never).or_throw(), 1U);
  EXPECT_EQ(reader.read(into, never).or_throw(), 0U);
  writing.finish(never).or_throw();
}

// F6, F8
TEST_F(StreamBetweenProcesses, whoever_comes_by_that_name_takes_away_what_the_dead_have_left) {
  for (const bool writes : {true, false}) {
    kit::ReportedChild waiting("first", [&] {
      const Member other(domain_);
      const auto nobody_came = writes ? StreamWriter::open(other.holder, "s", never).transform([](auto) {})
                                      : StreamReader::open(other.holder, "s", never).transform([](auto) {});
      EXPECT_TRUE(nobody_came);
    });
    const std::string name = writes ? "stream.w.s" : "stream.r.s";
    while (::faccessat(domain_.directory().raw(), name.c_str(), F_OK, 0) == -1) {
      ::sched_yield();
    }
    waiting.kill();
    static_cast<void>(waiting.finish(never));
    EXPECT_THAT(kit::names_in(unique_.path()), testing::Contains(name));
    come_by();
    expect_nothing_left();
  }
}

// F62, F64
TEST_F(StreamBetweenProcesses, whose_ends_were_both_killed_can_be_opened_again_and_again) {
  for (int round = 0; round < 5; ++round) {
    kit::ReportedChild writing("writer", [&] {
      const Member other(domain_);
      auto writer = StreamWriter::open(other.holder, "s", {.capacity = 4096}, never).or_throw();
      static_cast<void>(writer.fd().or_throw());
      for (std::uint64_t sent = 0; writer.write(kit::counted(1, sent), never); ++sent) {
      }
      wait_until_killed();
    });
    kit::ReportedChild reading("reader", [&] {
      const Member other(domain_);
      auto reader = StreamReader::open(other.holder, "s", never).or_throw();
      std::array<std::byte, 1000> into{};
      reader.read(into, never).or_throw();
      ::raise(SIGKILL);
    });
    EXPECT_EQ(reading.process().wait(never).or_throw(), ExitStatus::killed(SIGKILL));
    reading.kill();
    writing.kill();
    static_cast<void>(reading.finish(never));
    static_cast<void>(writing.finish(never));
  }
  come_by();
  expect_nothing_left();
}

// F4, F9
TEST_F(StreamBetweenProcesses, of_several_who_open_one_end_exactly_one_has_it) {
  for (int round = 0; round < 5; ++round) {
    const auto write = [&](kit::Stage& stage) {
      const Member self(domain_);
      stage.barrier();
      auto writer = StreamWriter::open(self.holder, "s", never);
      EXPECT_TRUE(writer || writer.failed_with(Errc::already_exists)) << writer.error().message();
      if (writer) {
        EXPECT_TRUE(writer->write(kit::counted(1), never));
        stage.signal("written");
      }
      stage.await("written", 1);
      stage.barrier();
    };
    const auto read = [&](kit::Stage& stage) {
      const Member self(domain_);
      stage.barrier();
      auto reader = StreamReader::open(self.holder, "s", never).or_throw();
      std::array<std::byte, 4> into{};
      EXPECT_EQ(reader.read(into, never).or_throw(), 1U);
      stage.barrier();
    };
    kit::run_sides({{"first", write}, {"second", write}, {"third", write}, {"reader", read}});
    expect_nothing_left();
  }
}

// F10, F11
TEST_F(StreamBetweenProcesses, who_waits_is_told_that_its_file_was_removed_and_who_has_met_is_not_parted) {
  const Member self(domain_);
  kit::ReportedChild waiting("reader", [&] {
    const Member other(domain_);
    EXPECT_TRUE(StreamReader::open(other.holder, "s", never).failed_with(Errc::not_found));
    auto reader = StreamReader::open(other.holder, "s", never).or_throw();
    const auto [got, how] = drain(reader);
    EXPECT_EQ(got, 10U);
    EXPECT_EQ(how, Errc::closed);
  });
  while (::unlinkat(domain_.directory().raw(), "stream.r.s", 0) == -1) {
    ::sched_yield();
  }
  auto writer = StreamWriter::open(self.holder, "s", never).or_throw();
  EXPECT_TRUE(writer.confirm());
  ASSERT_EQ(::unlinkat(domain_.directory().raw(), "stream.w.s", 0), 0);
  EXPECT_TRUE(writer.confirm().failed_with(Errc::not_found));
  // Another by that name waits for another reader, and does not come between.
  EXPECT_TRUE(StreamWriter::open(self.holder, "s", after(1ms)).failed_with(Errc::timed_out));
  writer.write(kit::counted(10), never).or_throw();
  std::move(writer).close().or_throw();
  waiting.finish(never).or_throw();
  expect_nothing_left();
}

// F25
TEST_F(StreamBetweenProcesses, who_writes_to_the_others_file_dies_of_it_alone) {
  const Member self(domain_);
  Child reading = spawn([&] {
                    const Member other(domain_);
                    auto reader = StreamReader::open(other.holder, "s", never).or_throw();
                    const auto seen = reader.peek(1, never).or_throw();
                    ::signal(SIGSEGV, SIG_DFL);
                    const_cast<std::byte&>(seen.first[0]) = std::byte{7};
                    return 0;  // it wrote to the writer's file
                  }).or_throw();
  auto writer = StreamWriter::open(self.holder, "s", {.capacity = 64}, never).or_throw();
  EXPECT_LT(writer.write(kit::counted(200), never).or_throw(), 200U);
  EXPECT_TRUE(writer.write(kit::counted(1), never).failed_with(Errc::peer_died));
  EXPECT_EQ(reading.wait(never).or_throw(), ExitStatus::killed(SIGSEGV));
  std::move(writer).close().or_throw();
  expect_nothing_left();
}

}  // namespace

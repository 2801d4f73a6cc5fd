// How the ends of a stream find each other, and that they leave nothing.
#include <tenon/messaging/stream/stream.hpp>

#include <tenon/os/process.hpp>

#include <kit/counted.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

using kit::counted;

struct Ends {
  StreamWriter writer;
  StreamReader reader;
};

class StreamOpening : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  const Domain& domain_ = unique_.domain();
  Life life_ = Life::join(domain_).or_throw();
  Holder holder_ = Holder::of(domain_, life_).or_throw();
  kit::Watchdog watchdog_{"a stream"};

  Ends open(const StreamWriterOptions& writes = {}, const StreamReaderOptions& reads = {}) {
    std::optional<StreamWriter> writer;
    std::thread opener([&] { writer.emplace(StreamWriter::open(holder_, "s", writes, never).or_throw()); });
    auto reader = StreamReader::open(holder_, "s", reads, never).or_throw();
    opener.join();
    return {std::move(*writer), std::move(reader)};
  }
  std::vector<std::string> left() {
    auto names = kit::names_in(unique_.path());
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("stream."); });
    return names;
  }
};

TEST_F(StreamOpening, refuses_a_capacity_of_none_or_of_more_than_there_may_be) {
  EXPECT_TRUE(StreamWriter::open(holder_, "s", {.capacity = 0}, immediately).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(StreamWriter::open(holder_, "s", {.capacity = most_stream_bytes + 1}, immediately)
                  .failed_with(Errc::limit_reached));
  EXPECT_TRUE(StreamWriter::open(holder_, "a/b", immediately).failed_with(Errc::invalid_name));
  EXPECT_TRUE(StreamReader::open(holder_, "", immediately).failed_with(Errc::invalid_name));
  EXPECT_THAT(left(), testing::IsEmpty());
}

TEST_F(StreamOpening, waits_for_the_other_end_until_the_deadline_and_leaves_nothing) {
  EXPECT_TRUE(StreamWriter::open(holder_, "s", after(1ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(StreamReader::open(holder_, "s", after(1ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(StreamReader::open(holder_, "s", immediately).failed_with(Errc::timed_out));
  auto stop = Stop::create().or_throw();
  stop.request();
  EXPECT_TRUE(StreamReader::open(holder_, "s", never.or_stop(stop)).failed_with(Errc::stopped));
  EXPECT_THAT(left(), testing::IsEmpty());
}

TEST_F(StreamOpening, has_one_writer_and_one_reader_and_refuses_a_second) {
  auto [writer, reader] = open();
  const auto second = StreamWriter::open(holder_, "s", never);
  EXPECT_TRUE(second.failed_with(Errc::already_exists));
  EXPECT_THAT(second.error().message(), testing::HasSubstr(std::to_string(::getpid())));
  EXPECT_TRUE(StreamReader::open(holder_, "s", never).failed_with(Errc::already_exists));
}

TEST_F(StreamOpening, whose_ends_have_gone_leaves_nothing_and_can_be_opened_again) {
  for (int i = 0; i < 3; ++i) {
    auto [writer, reader] = open();
    EXPECT_EQ(left().size(), 2U);
    EXPECT_TRUE(writer.confirm());
    writer.write(counted(1), never).or_throw();
  }
  EXPECT_THAT(left(), testing::IsEmpty());
}

TEST_F(StreamOpening, a_new_writer_waits_until_the_reader_of_the_last_one_has_gone) {
  auto [writer, reader] = open();
  writer.write(counted(2), never).or_throw();
  std::move(writer).close().or_throw();
  EXPECT_TRUE(StreamWriter::open(holder_, "s", after(1ms)).failed_with(Errc::timed_out));
  std::array<std::byte, 4> into{};
  EXPECT_EQ(reader.read(into, never).or_throw(), 2U);
  EXPECT_EQ(reader.read(into, never).or_throw(), 0U);
}

// F35
TEST_F(StreamOpening, a_forked_childs_copy_is_refused_and_leaves_the_stream_as_it_is) {
  auto ends = open();
  Child child = spawn([&] {
                  std::array<std::byte, 4> into{};
                  const bool refused = ends.writer.write(into, never).failed_with(Errc::in_child) &&
                                       ends.writer.try_loan(1).failed_with(Errc::in_child) &&
                                       ends.reader.read(into, never).failed_with(Errc::in_child) &&
                                       ends.reader.fd().failed_with(Errc::in_child) &&
                                       std::move(ends.writer).close().failed_with(Errc::in_child);
                  return refused ? 0 : 1;
                }).or_throw();
  EXPECT_EQ(child.wait(never).or_throw().code(), 0);
  EXPECT_TRUE(ends.writer.write(counted(1), never));
  std::array<std::byte, 4> into{};
  EXPECT_EQ(ends.reader.read(into, never).or_throw(), 1U);
}

TEST_F(StreamOpening, a_reader_whose_writer_gave_up_before_it_answered_meets_the_next) {
  const auto name = StreamFileName::make(StreamRole::writer, "s").or_throw();
  const auto idle = OwnStreamFile::create(holder_, name, {.capacity = 64, .first = 5}).or_throw();
  std::optional<StreamReader> reader;
  std::thread opener([&] { reader.emplace(StreamReader::open(holder_, "s", never).or_throw()); });
  const auto asks = [&] {
    const auto seen = OtherStreamFile::open(domain_, StreamFileName::make(StreamRole::reader, "s").or_throw());
    return seen && seen->state().peer == idle.header().token;
  };
  while (!asks()) {
    ::sched_yield();
  }
  idle.state().wish = stream_closed;
  idle.remove_name(domain_.directory());
  auto writer = StreamWriter::open(holder_, "s", never).or_throw();
  opener.join();
  writer.write(counted(3), never).or_throw();
  std::array<std::byte, 8> into{};
  EXPECT_EQ(reader->read(into, never).or_throw(), 3U);
}

// F9, F10
TEST_F(StreamOpening, a_name_that_leads_to_another_file_by_now_is_not_taken_away) {
  const auto name = StreamFileName::make(StreamRole::writer, "s").or_throw();
  const FdView directory = domain_.directory();
  const auto first = OwnStreamFile::create(holder_, name, {.capacity = 64}).or_throw();
  const auto seen = OtherStreamFile::open(domain_, name).or_throw();
  first.remove_name(directory);
  EXPECT_FALSE(first.has_name());
  const auto second = OwnStreamFile::create(holder_, name, {.capacity = 64}).or_throw();
  EXPECT_TRUE(seen.remove_name(directory));
  first.remove_name(directory);
  EXPECT_TRUE(second.has_name());
  second.remove_name(directory);
  EXPECT_THAT(left(), testing::IsEmpty());
}

}  // namespace

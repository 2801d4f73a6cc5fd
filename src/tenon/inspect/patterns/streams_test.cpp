// Streams as their files tell of them, written here byte by byte: what programs make of them is looked at by the tests
// of the snapshot.
#include <tenon/inspect/patterns/streams.hpp>
#include <tenon/messaging/stream/stream_layout.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/life.hpp>

#include <kit/unique.hpp>

#include <cstring>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace {

using namespace tenon;
using inspect::Streams;
using inspect::StreamSeen;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t capacity = 4096;
constexpr std::uint64_t waits_since_at = stream_state_at + offsetof(StreamState, waits_since);
constexpr std::uint64_t index_at = stream_state_at + offsetof(StreamState, index);

template <class T>
void put(std::string& file, std::uint64_t at, const T& value) {
  std::memcpy(file.data() + at, &value, sizeof value);
}

class InspectStreams : public testing::Test {
 protected:
  InspectStreams() { unique_.directory().allow_leftovers(); }

  std::string end(StreamRole role, std::uint64_t peer, std::uint64_t index) const {
    const bool writes = role == StreamRole::writer;
    const std::uint64_t bytes = stream_bytes_at + (writes ? capacity : 0);
    std::string file(bytes, '\0');
    StreamHeader header{};
    header.magic = stream_magic(role);
    header.layout_version = stream_layout_version;
    header.token = writes ? 1 : 2;
    header.life = life_.token().value();
    header.pid = ::getpid();
    header.file_bytes = bytes;
    header.first = writes ? 100 : 0;
    header.capacity = writes ? capacity : 0;
    header.bytes_at = writes ? stream_bytes_at : 0;
    put(file, 0, header);
    put(file, stream_state_at, peer);
    put(file, index_at, index);
    return file;
  }
  void write(StreamRole role, const std::string& bytes) const {
    std::ofstream(unique_.path() + "/" + std::string(stream_prefix(role)) + "s", std::ios::binary) << bytes;
  }
  Streams look() const { return inspect::streams(unique_.path()).or_throw(); }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
};

TEST_F(InspectStreams, show_both_ends_and_what_lies_between_them) {
  write(StreamRole::writer, end(StreamRole::writer, 2, 150));
  auto reader = end(StreamRole::reader, 1, 120);
  put(reader, waits_since_at, monotonic_now());
  write(StreamRole::reader, reader);
  const Streams all = look();
  ASSERT_EQ(all.streams.size(), 1U);
  const StreamSeen& stream = all.streams.front();
  EXPECT_EQ(stream.name, "s");
  EXPECT_EQ(stream.capacity, capacity);
  EXPECT_EQ(stream.writer->bytes, 50U) << "it began at 100";
  EXPECT_EQ(stream.reader->bytes, 20U);
  EXPECT_EQ(stream.unread(), 30U);
  EXPECT_TRUE(stream.reader->waits_for);
  EXPECT_FALSE(stream.writer->waits_for);
  EXPECT_TRUE(stream.writer->alive && stream.writer->joined && !stream.writer->closed);
}

TEST_F(InspectStreams, with_one_end_show_that_it_has_met_nobody) {
  write(StreamRole::reader, end(StreamRole::reader, 0, 0));
  const Streams all = look();
  ASSERT_EQ(all.streams.size(), 1U);
  EXPECT_FALSE(all.streams.front().writer);
  EXPECT_FALSE(all.streams.front().reader->joined);
  EXPECT_EQ(all.streams.front().unread(), 0U);
}

TEST_F(InspectStreams, whose_counts_make_no_sense_have_nothing_unread) {
  write(StreamRole::writer, end(StreamRole::writer, 2, 150));
  write(StreamRole::reader, end(StreamRole::reader, 1, 200));
  EXPECT_EQ(look().streams.front().unread(), 0U);
}

TEST_F(InspectStreams, of_another_version_or_mode_are_told_by_name) {
  auto file = end(StreamRole::writer, 0, 0);
  put(file, 8, stream_layout_version + 1);
  write(StreamRole::writer, file);
  EXPECT_THAT(look().unseen, ElementsAre(HasSubstr("version")));
  file = end(StreamRole::writer, 0, 0);
  put(file, 12, std::uint32_t{1});
  write(StreamRole::writer, file);
  EXPECT_THAT(look().unseen, ElementsAre(HasSubstr("mode")));
  EXPECT_THAT(look().streams, IsEmpty());
}

TEST_F(InspectStreams, believe_no_header_that_leads_out_of_its_file) {
  for (const std::uint64_t lie : {std::uint64_t{0}, capacity + 1, capacity * 2, std::uint64_t{1} << 63}) {
    auto file = end(StreamRole::writer, 0, 0);
    put(file, offsetof(StreamHeader, capacity), lie);
    write(StreamRole::writer, file);
    EXPECT_THAT(look().unseen, ElementsAre(HasSubstr("does not fit its file"))) << lie;
  }
  write(StreamRole::writer, end(StreamRole::writer, 0, 0).substr(0, 300));
  EXPECT_THAT(look().unseen, ElementsAre(HasSubstr("does not fit its file")));
  write(StreamRole::writer, "x");
  EXPECT_THAT(look().unseen, ElementsAre(HasSubstr("no end of a stream")));
}

// F22: whatever stands in the files, there is an answer.
TEST_F(InspectStreams, survive_garbage) {
  std::mt19937_64 random(13);
  const std::string whole = end(StreamRole::writer, 2, 150);
  for (int turn = 0; turn < 300; ++turn) {
    auto file = whole;
    for (int spoilt = 0; spoilt < 4; ++spoilt) {
      put(file, random() % 64 * 8, random() % 2 == 0 ? random() : random() % 256);
    }
    file.resize(random() % 4 == 0 ? random() % file.size() : file.size());
    write(StreamRole::writer, file);
    const Streams all = look();
    EXPECT_EQ(all.unseen.size() + all.streams.size(), 1U);
  }
}

TEST(InspectNoStreams, of_a_domain_that_is_not_there_are_not_found) {
  EXPECT_TRUE(inspect::streams("/dev/shm/" + kit::unique_name()).failed_with(Errc::not_found));
}

}  // namespace

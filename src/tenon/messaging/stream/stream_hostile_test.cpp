// What the other end of a stream can do that writes garbage into its own file: this end is told, and nothing else
// happens to it.
#include <tenon/messaging/stream/stream.hpp>

#include <kit/counted.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <cstring>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace tenon;

namespace {

constexpr std::uint64_t capacity = 64;

class HostileStream : public testing::Test {
 protected:
  HostileStream() {
    std::thread opener(
        [&] { writer_.emplace(StreamWriter::open(holder_, "s", {.capacity = capacity}, never).or_throw()); });
    reader_.emplace(StreamReader::open(holder_, "s", never).or_throw());
    opener.join();
    writer_->write(kit::counted(100 % capacity), never).or_throw();
    reader_->read(into_, never).or_throw();
    writer_->write(kit::counted(10), never).or_throw();
  }
  StreamState& state_of(const char* file) {
    const Fd fd = Fd::adopt(::openat(unique_.domain().directory().raw(), file, O_RDWR | O_CLOEXEC));
    forged_.push_back(Mapping::of_file(fd.view(), stream_bytes_at, Access::read_write).or_throw());
    return *reinterpret_cast<StreamState*>(forged_.back().data() + stream_state_at);
  }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a hostile stream"};
  std::optional<StreamWriter> writer_;
  std::optional<StreamReader> reader_;
  std::vector<Mapping> forged_;
  std::array<std::byte, 4096> into_{};
};

// F20, F21
TEST_F(HostileStream, whose_writer_claims_more_than_fits_or_goes_back_is_corrupt_and_what_was_known_stays) {
  std::atomic<std::uint64_t>& head = state_of("stream.w.s").index;
  const std::uint64_t truth = head;
  ASSERT_EQ(reader_->try_peek().or_throw().size(), 10U);
  for (const std::uint64_t lie : {truth - 1, truth - 10, truth - 11, truth + capacity - 9, truth + capacity,
                                  truth + (std::uint64_t{1} << 63), std::uint64_t{0}, ~std::uint64_t{0}}) {
    head = lie;
    EXPECT_TRUE(reader_->try_peek(11).failed_with(Errc::corrupt)) << lie;
    EXPECT_TRUE(reader_->peek(11, never).failed_with(Errc::corrupt)) << lie;
    EXPECT_TRUE(reader_->try_read(into_).failed_with(Errc::corrupt)) << lie;
  }
  head = truth + capacity - 10;  // as much as there may be
  EXPECT_EQ(reader_->try_peek().or_throw().size(), capacity);
}

// F20, F21
TEST_F(HostileStream, whose_reader_claims_to_have_read_what_was_not_written_or_goes_back_is_corrupt) {
  std::atomic<std::uint64_t>& tail = state_of("stream.r.s").index;
  const std::uint64_t truth = tail;
  EXPECT_EQ(writer_->try_write(kit::counted(capacity)).or_throw(), capacity - 10);
  for (const std::uint64_t lie :
       {truth - 1, truth - capacity, truth + capacity + 1, truth + (std::uint64_t{1} << 63), std::uint64_t{0} - 1}) {
    tail = lie;
    EXPECT_TRUE(writer_->try_write(kit::counted(1)).failed_with(Errc::corrupt)) << lie;
    EXPECT_TRUE(writer_->write(kit::counted(1), never).failed_with(Errc::corrupt)) << lie;
    EXPECT_TRUE(writer_->try_loan(1).failed_with(Errc::corrupt)) << lie;
    EXPECT_LE(writer_->buffered(), capacity);
  }
  tail = truth + 3;
  EXPECT_EQ(writer_->try_write(kit::counted(capacity)).or_throw(), 3U);
}

// F22, F80
TEST_F(HostileStream, whose_words_change_all_the_time_breaks_nothing_on_this_side) {
  StreamState& states = state_of("stream.w.s");
  StreamState& other = state_of("stream.r.s");
  std::mt19937_64 random(17);
  for (int round = 0; round < 20'000; ++round) {
    const std::uint64_t near = states.index + random() % 200 - 100;
    for (StreamState* const state : {&states, &other}) {
      state->wish = random() % 3 == 0 ? 0 : random() & ~stream_closed;
      state->wished = random();
      state->index = random() % 2 == 0 ? near : random();
      state->peer = random();
    }
    const auto got = reader_->try_read(std::span(into_).first(random() % 100 + 1));
    EXPECT_LE(got.value_or(0), capacity);
    const auto written = writer_->try_write(Bytes(into_).first(random() % 100));
    EXPECT_LE(written.value_or(0), 100U);
  }
}

// F22
TEST_F(HostileStream, whose_header_is_overwritten_in_use_is_of_no_account) {
  state_of("stream.w.s");
  std::memset(forged_.back().data(), 0xff, sizeof(StreamHeader));
  EXPECT_EQ(reader_->capacity(), capacity);
  EXPECT_EQ(reader_->try_read(into_).or_throw(), 10U);
  EXPECT_TRUE(kit::is_counted(Bytes(into_).first(10), 0));
}

class HostileStreamFile : public testing::Test {
 protected:
  // A writer's file that is as it should be but for what `spoil` does, and who then opens the other end.
  template <class Spoil>
  Result<StreamReader> open_beside(Spoil spoil, std::size_t bytes = stream_bytes_at + 4096) {
    StreamHeader header{};
    header.magic = stream_magic(StreamRole::writer);
    header.layout_version = stream_layout_version;
    header.token = 5;
    header.life = life_.token().value();
    header.capacity = 4096;
    header.bytes_at = stream_bytes_at;
    header.file_bytes = stream_bytes_at + 4096;
    spoil(header);
    const int file =
        ::openat(unique_.domain().directory().raw(), "stream.w.s", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    EXPECT_EQ(::pwrite(file, &header, std::min(sizeof header, bytes), 0),
              static_cast<ssize_t>(std::min(sizeof header, bytes)));
    EXPECT_EQ(::ftruncate(file, static_cast<off_t>(bytes)), 0);
    ::close(file);
    auto opened = StreamReader::open(holder_, "s", immediately);
    ::unlinkat(unique_.domain().directory().raw(), "stream.w.s", 0);
    return opened;
  }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a hostile stream's file"};
};

// F5, F19, F20, F27
TEST_F(HostileStreamFile, is_refused_by_what_is_wrong_with_it) {
  EXPECT_TRUE(open_beside([](StreamHeader&) {}).failed_with(Errc::timed_out));
  EXPECT_TRUE(open_beside([](StreamHeader&) {}, 0).failed_with(Errc::corrupt));
  EXPECT_TRUE(open_beside([](StreamHeader&) {}, 100).failed_with(Errc::corrupt));
  EXPECT_TRUE(open_beside([](StreamHeader&) {}, stream_bytes_at).failed_with(Errc::corrupt));
  EXPECT_TRUE(open_beside([](StreamHeader& header) { header.magic[0] = 'X'; }).failed_with(Errc::corrupt));
  EXPECT_TRUE(open_beside([](StreamHeader& header) {
                header.magic = stream_magic(StreamRole::reader);
              }).failed_with(Errc::corrupt));
  EXPECT_TRUE(open_beside([](StreamHeader& header) { header.mode = 1; }).failed_with(Errc::not_supported));
  for (const std::uint64_t lie :
       {std::uint64_t{0}, std::uint64_t{4095}, std::uint64_t{8192}, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    EXPECT_TRUE(open_beside([&](StreamHeader& header) { header.capacity = lie; }).failed_with(Errc::corrupt)) << lie;
    EXPECT_TRUE(open_beside([&](StreamHeader& header) {
                  header.file_bytes = lie == 8192 ? 8191 : lie;
                }).failed_with(Errc::corrupt))
        << lie;
    EXPECT_TRUE(open_beside([&](StreamHeader& header) { header.bytes_at = lie; }).failed_with(Errc::corrupt)) << lie;
  }
  const auto other = open_beside([](StreamHeader& header) { header.layout_version = 7; });
  ASSERT_TRUE(other.failed_with(Errc::version_mismatch));
  EXPECT_THAT(other.error().message(), testing::HasSubstr("layout version 7"));
  EXPECT_THAT(other.error().message(), testing::HasSubstr("knows version 1"));
}

}  // namespace

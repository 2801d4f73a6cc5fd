// Topics as their files tell of them, written here byte by byte: what a program makes of them itself is looked at by
// the tests of `tenon hz`.
#include <tenon/inspect/patterns/endpoint_reader.hpp>
#include <tenon/inspect/patterns/topics.hpp>
#include <tenon/memory/type_record_layout.hpp>
#include <tenon/messaging/topic/message_layout.hpp>
#include <tenon/messaging/topic/topic_layout.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/life.hpp>

#include <kit/unique.hpp>

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <sys/stat.h>

namespace {

using namespace tenon;
using inspect::EndpointStanding;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint32_t entries = 8;
constexpr std::uint64_t type_at = after_state;
constexpr std::uint64_t ring_at = 512;
constexpr std::uint64_t rows_at = 512;
constexpr std::uint32_t max_held = 4;
constexpr std::uint64_t row_bytes = 128;

template <class T>
T& in(std::vector<std::byte>& bytes, std::uint64_t at) {
  return *reinterpret_cast<T*>(bytes.data() + at);
}

EndpointHead head(const std::array<char, 8>& magic, Token token, Token life) {
  return {.magic = magic,
          .layout_version = topic_layout_version,
          .mode = 0,
          .token = token.value(),
          .life = life.value(),
          .pid = 4711,
          .uid = 7,
          .type_at = type_at,
          .type_bytes = sizeof(TypeRecord),
          .reserved = 0};
}

void put_type(std::vector<std::byte>& bytes) {
  auto& type = in<TypeRecord>(bytes, type_at);
  type.size = 24;
  type.name.length = 4;
  std::memcpy(type.name.characters, "Pose", 4);
}

/// A publisher's file in which messages `first` to `next` stand, as its last scan left it.
std::vector<std::byte> publisher_file(Token token, Token life, std::uint64_t first, std::uint64_t next,
                                      std::uint64_t scanned) {
  std::vector<std::byte> bytes(ring_at + entries * 64);
  in<PublisherHeader>(bytes, 0) = {.head = head(publisher_magic, token, life),
                                   .file_bytes = bytes.size(),
                                   .first = first,
                                   .depth = entries,
                                   .ring_at = ring_at,
                                   .entries = entries,
                                   .entry_bytes = 64,
                                   .chunks_at = bytes.size(),
                                   .chunk_bytes = 0,
                                   .chunks = 0,
                                   .fences = 0,
                                   .timestamps = 0,
                                   .clock = 0,
                                   .clock_ticks = 0,
                                   .clock_ns = 0,
                                   .reserved = {}};
  put_type(bytes);
  in<std::uint64_t>(bytes, state_at) = scanned;
  for (std::uint64_t i = 0; i < entries; ++i) {
    // The newest message of this entry, or none yet.
    const std::uint64_t from = first + i;
    const std::uint64_t laps = next - first > i ? (next - first - i - 1) / entries + 1 : 0;
    const std::uint64_t place = ring_at + (from & (entries - 1)) * 64;
    in<std::uint64_t>(bytes, place) = from + 1 + laps * entries - entries;
    in<std::uint64_t>(bytes, place + 16) = MessageAbout{.bytes = 16 + i}.packed();
  }
  return bytes;
}

struct Row {
  std::uint64_t publisher;
  std::uint64_t gate;
  std::uint64_t received;
  std::uint64_t lost;
};

std::vector<std::byte> subscriber_file(Token token, Token life, const std::vector<Row>& rows) {
  std::vector<std::byte> bytes(rows_at + rows.size() * row_bytes);
  SubscriberHeader header{};
  header.head = head(subscriber_magic, token, life);
  header.reliable = 1;
  header.max_held = max_held;
  header.rows_at = rows_at;
  header.row_bytes = row_bytes;
  in<SubscriberHeader>(bytes, 0) = header;
  put_type(bytes);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    in<Row>(bytes, rows_at + i * row_bytes) = rows[i];
    in<std::uint32_t>(bytes, rows_at + i * row_bytes + sizeof(SubscriberRow) + 4) = 1;  // it holds one
  }
  return bytes;
}

class InspectTopics : public testing::Test {
 protected:
  InspectTopics() { unique_.directory().allow_leftovers(); }

  void write(const std::string& topic, const std::string& name, const std::vector<std::byte>& bytes) {
    const std::string directory = unique_.path() + "/topic." + topic;
    std::filesystem::create_directory(directory);
    std::ofstream(directory + "/" + name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void write_publisher(std::uint64_t first, std::uint64_t next, std::uint64_t scanned) {
    write("pose", "pub." + publisher_.hex() + "." + life(), publisher_file(publisher_, token_, first, next, scanned));
  }
  void write_subscriber(const std::vector<Row>& rows) {
    write("pose", "sub." + subscriber_.hex() + "." + life(), subscriber_file(subscriber_, token_, rows));
  }
  std::string life() const { return token_.hex(); }
  inspect::Topics look() { return inspect::topics(unique_.path()).or_throw(); }
  inspect::Topic pose() { return inspect::topic(unique_.path(), "pose").or_throw().topics.at(0); }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Token token_ = life_.token();
  Token publisher_ = Token::random();
  Token subscriber_ = Token::random();
};

TEST_F(InspectTopics, are_none_where_nobody_is_and_nothing_is_made) {
  EXPECT_THAT(look().topics, IsEmpty());
  EXPECT_TRUE(inspect::topic(unique_.path(), "pose").failed_with(Errc::not_found));
  EXPECT_TRUE(inspect::topic(unique_.path(), "a/b").failed_with(Errc::invalid_name));
  const std::string missing = unique_.path() + "/none";
  EXPECT_TRUE(inspect::topics(missing).failed_with(Errc::not_found));
  EXPECT_FALSE(std::filesystem::exists(missing));
}

TEST_F(InspectTopics, tell_how_many_messages_there_are_wherever_the_last_scan_was) {
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{1000}, UINT64_MAX - 4}) {
    for (const std::uint64_t count : {0U, 1U, 5U, 8U, 9U, 100U, 1001U}) {
      for (const std::uint64_t since_scan : {0U, 1U, 3U, 8U, 20U}) {
        const std::uint64_t next = first + count;
        write_publisher(first, next, next - std::min(count, since_scan));
        EXPECT_EQ(pose().publishers.at(0).published, count) << first << " " << since_scan;
      }
    }
  }
}

TEST_F(InspectTopics, tell_of_each_who_takes_part_what_it_has) {
  write_publisher(0, 20, 16);
  write_subscriber({{.publisher = publisher_.value(), .gate = 17, .received = 15, .lost = 2}});
  const auto topic = pose();
  ASSERT_THAT(topic.publishers, SizeIs(1));
  ASSERT_THAT(topic.subscribers, SizeIs(1));
  const auto& one = topic.publishers[0];
  EXPECT_EQ(one.pid, 4711);
  EXPECT_EQ(one.type, "Pose");
  EXPECT_EQ(one.type_bytes, 24U);
  EXPECT_EQ(one.standing, EndpointStanding::alive);
  ASSERT_TRUE(one.sizes);
  EXPECT_EQ(one.sizes->least, 16U);
  EXPECT_EQ(one.sizes->most, 23U);
  const auto& subscriber = topic.subscribers[0];
  EXPECT_TRUE(subscriber.reliable);
  EXPECT_FALSE(subscriber.waits_for);
  ASSERT_THAT(subscriber.standings, SizeIs(1));
  EXPECT_EQ(subscriber.standings[0].lag, 3U);
  EXPECT_EQ(subscriber.standings[0].received, 15U);
  EXPECT_EQ(subscriber.standings[0].lost, 2U);
  EXPECT_EQ(subscriber.standings[0].held, 1U);
  EXPECT_EQ(topic.lag(), 3U);
  EXPECT_EQ(topic.type(), "Pose");
  EXPECT_GT(topic.memory(), 0U);
}

TEST_F(InspectTopics, know_the_dead_and_the_closed) {
  const Token gone = Token::random();
  write("pose", "pub." + publisher_.hex() + "." + gone.hex(), publisher_file(publisher_, gone, 0, 1, 0));
  EXPECT_EQ(pose().publishers.at(0).standing, EndpointStanding::died);
  EXPECT_EQ(pose().type(), "");
  auto closed = publisher_file(publisher_, gone, 0, 1, 0);
  in<std::uint32_t>(closed, state_at + 8) = 1;
  write("pose", "pub." + publisher_.hex() + "." + gone.hex(), closed);
  EXPECT_EQ(pose().publishers.at(0).standing, EndpointStanding::closed);
}

// By that who left while it was looked at is told from who died: the dead leave their files where they are.
TEST_F(InspectTopics, know_a_file_that_was_taken_back) {
  write_publisher(0, 1, 0);
  const std::string place = unique_.path() + "/topic.pose";
  const std::string name = "pub." + publisher_.hex() + "." + life();
  const auto directory = fd_from(::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open").or_throw();
  const auto file = inspect::EndpointFile::open(directory.view(), name, *inspect::EndpointFile::parse(name)).or_throw();
  EXPECT_TRUE(file.has_name());
  std::filesystem::remove(place + "/" + name);
  EXPECT_FALSE(file.has_name());
}

TEST_F(InspectTopics, reckon_rates_from_two_looks) {
  write_publisher(0, 20, 16);
  const auto before = pose();
  write_publisher(0, 120, 120);
  const auto now = pose();
  EXPECT_DOUBLE_EQ(inspect::rate_of(now, before, 2), 50);
  EXPECT_DOUBLE_EQ(inspect::rate_of(now, {}, 2), 60);
  EXPECT_DOUBLE_EQ(inspect::rate_of(before, now, 2), 0);
  EXPECT_DOUBLE_EQ(inspect::rate_of(now, before, 0), 0);
}

TEST_F(InspectTopics, pass_over_rows_of_others_and_gates_that_make_no_sense) {
  write_publisher(0, 20, 16);
  write_subscriber({{.publisher = 0, .gate = 1, .received = 1, .lost = 1},
                    {.publisher = 99, .gate = 1, .received = 1, .lost = 1},
                    {.publisher = publisher_.value(), .gate = std::uint64_t{1} << 62, .received = 3, .lost = 0},
                    {.publisher = publisher_.value(), .gate = 1, .received = 4, .lost = 0}});
  const auto topic = pose();
  ASSERT_THAT(topic.subscribers.at(0).standings, SizeIs(1));
  EXPECT_EQ(topic.subscribers[0].standings[0].received, 3U);
  EXPECT_EQ(topic.lag(), 0U);
}

// F22
TEST_F(InspectTopics, say_what_could_not_be_read) {
  write_publisher(0, 20, 16);
  write("pose", "pub." + Token::random().hex() + "." + life(), std::vector<std::byte>(10));
  write("other", "sub." + Token::random().hex() + "." + life(), std::vector<std::byte>(4096));
  ::mkfifo((unique_.path() + "/topic.pose/sub." + Token::random().hex() + "." + life()).c_str(), 0600);
  const auto all = look();
  ASSERT_THAT(all.topics, SizeIs(1));
  EXPECT_THAT(all.topics[0].publishers, SizeIs(1));
  EXPECT_THAT(all.unseen, testing::UnorderedElementsAre(HasSubstr("shorter than its header"), HasSubstr("magic"),
                                                        HasSubstr("no regular file")));
}

// F27
TEST_F(InspectTopics, name_another_layout_version) {
  auto file = publisher_file(publisher_, token_, 0, 1, 0);
  in<EndpointHead>(file, 0).layout_version = topic_layout_version + 1;
  write("pose", "pub." + publisher_.hex() + "." + life(), file);
  EXPECT_THAT(look().unseen,
              testing::ElementsAre(HasSubstr("layout version " + std::to_string(topic_layout_version + 1))));
}

// What stands behind the header of another mode is none of ours, though it may look so.
TEST_F(InspectTopics, refuse_a_mode_that_they_do_not_know) {
  auto publisher = publisher_file(publisher_, token_, 0, 1, 0);
  in<EndpointHead>(publisher, 0).mode = topic_sealed_mode;
  write("pose", "pub." + publisher_.hex() + "." + life(), publisher);
  auto subscriber = subscriber_file(subscriber_, token_, {});
  in<EndpointHead>(subscriber, 0).mode = topic_sealed_mode;
  write("pose", "sub." + subscriber_.hex() + "." + life(), subscriber);
  const auto all = look();
  EXPECT_THAT(all.topics, IsEmpty());
  EXPECT_THAT(all.unseen, testing::ElementsAre(HasSubstr("mode 1"), HasSubstr("mode 1")));
}

TEST_F(InspectTopics, fail_as_the_directory_of_the_one_topic_does) {
  const std::string place = unique_.path() + "/topic.pose";
  std::ofstream(place) << "no directory";
  const auto plain = inspect::topic(unique_.path(), "pose");
  ASSERT_TRUE(plain.failed_with(Errc::wrong_kind));
  EXPECT_THAT(plain.error().message(), AllOf(HasSubstr(place), HasSubstr("remove it")));
  EXPECT_THAT(look().unseen, testing::ElementsAre(HasSubstr("topic.pose")));
  std::filesystem::remove(place);
  std::filesystem::create_directory(unique_.path() + "/elsewhere");
  std::filesystem::create_directory_symlink(unique_.path() + "/elsewhere", place);
  EXPECT_TRUE(inspect::topic(unique_.path(), "pose").failed_with(Errc::wrong_kind));
  std::filesystem::remove(place);
  std::filesystem::create_directory(place);
  EXPECT_TRUE(inspect::topic(unique_.path(), "pose").failed_with(Errc::not_found));
}

TEST_F(InspectTopics, are_unseen_where_none_of_their_files_can_be_read) {
  write("pose", "pub." + publisher_.hex() + "." + life(), std::vector<std::byte>(10));
  const auto seen = inspect::topic(unique_.path(), "pose").or_throw();
  EXPECT_THAT(seen.topics, IsEmpty());
  EXPECT_THAT(seen.unseen, testing::ElementsAre(HasSubstr("shorter than its header")));
}

// F20: each field that names a place or a number, beyond the file, at its end and where sums wrap.
TEST_F(InspectTopics, believe_no_header_that_leads_out_of_its_file) {
  const auto whole = publisher_file(publisher_, token_, 0, 20, 16);
  for (const std::uint64_t lie : {whole.size() - 64, whole.size(), std::uint64_t{1} << 40, UINT64_MAX - 63}) {
    auto file = whole;
    in<PublisherHeader>(file, 0).ring_at = lie;
    write("pose", "pub." + publisher_.hex() + "." + life(), file);
    EXPECT_THAT(look().unseen, testing::ElementsAre(HasSubstr("does not fit its file"))) << lie;
  }
  for (const std::uint32_t lie : {0U, 3U, 16U, 1U << 31}) {
    auto file = whole;
    in<PublisherHeader>(file, 0).entries = lie;
    write("pose", "pub." + publisher_.hex() + "." + life(), file);
    EXPECT_THAT(look().unseen, testing::ElementsAre(HasSubstr("does not fit its file"))) << lie;
  }
  const auto rows = subscriber_file(subscriber_, token_, {{.publisher = 1, .gate = 0, .received = 0, .lost = 0}});
  std::filesystem::remove_all(unique_.path() + "/topic.pose");
  for (std::uint64_t SubscriberHeader::* field : {&SubscriberHeader::rows_at, &SubscriberHeader::row_bytes}) {
    for (const std::uint64_t lie : {std::uint64_t{0}, std::uint64_t{1} << 41, UINT64_MAX}) {
      auto file = rows;
      in<SubscriberHeader>(file, 0).*field = lie;
      write("pose", "sub." + subscriber_.hex() + "." + life(), file);
      EXPECT_THAT(look().unseen, testing::ElementsAre(HasSubstr("does not fit its file"))) << lie;
    }
  }
}

// F22: whatever stands in the files, there is an answer.
TEST_F(InspectTopics, survive_garbage) {
  std::mt19937_64 random(13);
  const auto publisher = publisher_file(publisher_, token_, 0, 20, 16);
  const auto subscriber =
      subscriber_file(subscriber_, token_, {{.publisher = publisher_.value(), .gate = 1, .received = 1, .lost = 1}});
  for (int turn = 0; turn < 500; ++turn) {
    for (const auto* whole : {&publisher, &subscriber}) {
      auto file = *whole;
      for (int spoilt = 0; spoilt < 4; ++spoilt) {
        in<std::uint64_t>(file, random() % (file.size() / 8) * 8) = random() % 2 == 0 ? random() : random() % 256;
      }
      file.resize(random() % 4 == 0 ? random() % file.size() : file.size());
      const bool publishes = whole == &publisher;
      write("pose", (publishes ? "pub." + publisher_.hex() : "sub." + subscriber_.hex()) + "." + life(), file);
    }
    const auto all = look();
    EXPECT_EQ(all.unseen.size() +
                  (all.topics.empty() ? 0 : all.topics[0].publishers.size() + all.topics[0].subscribers.size()),
              2U);
  }
}

}  // namespace

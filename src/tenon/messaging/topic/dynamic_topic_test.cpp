// What a program does without knowing a topic's type must be what one that knows it does: each meets the other here.
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/topic/dynamic_publisher.hpp>
#include <tenon/messaging/topic/dynamic_subscriber.hpp>
#include <tenon/messaging/topic/tailed_publisher.hpp>
#include <tenon/messaging/topic/topic.hpp>

#include <kit/numbers.hpp>
#include <kit/patience.hpp>
#include <kit/unique.hpp>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dynamic_topic {

using namespace tenon;

struct Scan {
  double angle;
  Tail<float> ranges;
};
TENON_FIELDS(Scan, angle, ranges);

namespace {

using kit::numbered;
using testing::HasSubstr;

class DynamicTopic : public testing::Test {
 protected:
  template <class M>
  static DynamicType type() {
    const MessageType type = MessageShape<M>::type();
    std::vector<std::byte> record(type.record_bytes());
    write_type(record, type.description, type.fields);
    return DynamicType::of(read_type(record).or_throw()).or_throw();
  }
  template <class M>
  Publisher<M> publisher(const PublisherOptions& options = {}) {
    return Publisher<M>::create(holder_, "t", options).or_throw();
  }
  DynamicSubscriber subscriber(const DynamicType& type, const SubscriberOptions& options = {}) {
    return DynamicSubscriber::create(holder_, "t", type, options).or_throw();
  }
  static Deadline soon() { return after(kit::patient(kit::default_limit)); }

  // Messages of this type, from one that knows it to one that does not, and back.
  template <class T>
  void expect_both_ways() {
    const DynamicType seen = [&] {
      const auto known = publisher<T>();
      return type_of_topic(unique_.path(), "t").or_throw();
    }();
    EXPECT_EQ(seen.entry_words(), MessageShape<T>::entry_words);
    EXPECT_EQ(seen.in_chunks(), MessageShape<T>::in_chunks);
    auto to_know = publisher<T>();
    auto blind = subscriber(seen);
    auto knows = Subscriber<T>::create(holder_, "t").or_throw();
    auto sends = DynamicPublisher::create(holder_, "t", seen).or_throw();
    for (std::uint64_t i = 0; i < 20; ++i) {
      const T value = numbered<T>(i);
      to_know.publish(value, soon()).or_throw();
      const auto got = blind.receive(soon()).or_throw();
      EXPECT_EQ(text_of(got.bytes), text_of(bytes_of_value(value)));
      EXPECT_EQ(got.number, i);
      EXPECT_EQ(got.publisher, ::getpid());
      EXPECT_GT(got.time, 0);
      EXPECT_EQ(text_of(bytes_of_value(*knows.receive(soon()).or_throw())), text_of(bytes_of_value(value)));
      const T back = numbered<T>(1000 + i);
      sends.publish(bytes_of_value(back), soon()).or_throw();
      EXPECT_EQ(text_of(bytes_of_value(*knows.receive(soon()).or_throw())), text_of(bytes_of_value(back)));
      EXPECT_EQ(text_of(blind.receive(soon()).or_throw().bytes), text_of(bytes_of_value(back)));
    }
  }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
};

TEST_F(DynamicTopic, carries_messages_of_one_cache_line) { expect_both_ways<kit::Numbers<2>>(); }
TEST_F(DynamicTopic, carries_messages_of_two_cache_lines) { expect_both_ways<kit::Numbers<8>>(); }
TEST_F(DynamicTopic, carries_messages_in_chunks) { expect_both_ways<kit::Numbers<500>>(); }

TEST_F(DynamicTopic, carries_bytes_of_every_length) {
  const DynamicType bytes = type<Bytes>();
  auto sends = DynamicPublisher::create(holder_, "t", bytes, {.longest = 1000}).or_throw();
  auto knows = Subscriber<Bytes>::create(holder_, "t").or_throw();
  auto blind = subscriber(bytes, {.max_held = 1});
  for (const std::size_t size : {0U, 1U, 40U, 41U, 104U, 105U, 1000U}) {
    const std::string text(size, static_cast<char>('a' + size % 20));
    sends.publish(bytes_of(text), soon()).or_throw();
    EXPECT_EQ(text_of(*knows.receive(soon()).or_throw()), text);
    EXPECT_EQ(text_of(blind.receive(soon()).or_throw().bytes), text);
  }
  EXPECT_TRUE(sends.publish(bytes_of(std::string(1001, 'x')), soon()).failed_with(Errc::message_too_long));
}

TEST_F(DynamicTopic, shows_messages_with_a_tail_and_writes_none) {
  auto knows = publisher<Tailed<Scan>>({.longest = 64});
  auto blind = subscriber(type_of_topic(unique_.path(), "t").or_throw());
  auto loan = knows.loan().or_throw();
  loan->angle = 1;
  loan.add(loan->ranges, 2).or_throw()[1] = 7;
  knows.publish(std::move(loan), soon()).or_throw();
  const auto got = blind.receive(soon()).or_throw();
  EXPECT_EQ(got.bytes.size(), sizeof(Scan) + 2 * sizeof(float));
  EXPECT_TRUE(DynamicPublisher::create(holder_, "t", type<Tailed<Scan>>()).failed_with(Errc::not_supported));
}

TEST_F(DynamicTopic, refuses_what_is_not_as_long_as_its_type) {
  auto sends = DynamicPublisher::create(holder_, "t", type<kit::Numbers<2>>()).or_throw();
  for (const std::size_t size : {0U, 15U, 17U, 200U}) {
    EXPECT_TRUE(sends.publish(bytes_of(std::string(size, 'x')), soon()).failed_with(Errc::invalid_argument)) << size;
  }
  auto slices = DynamicPublisher::create(holder_, "s", type<Slice<double>>()).or_throw();
  EXPECT_TRUE(slices.publish(bytes_of("seven b"), soon()).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(slices.publish(bytes_of("eight by"), soon()));
}

TEST_F(DynamicTopic, is_refused_where_another_type_is) {
  const auto knows = publisher<kit::Numbers<2>>();
  const auto refused = DynamicSubscriber::create(holder_, "t", type<kit::Numbers<13>>());
  ASSERT_TRUE(refused.failed_with(Errc::type_mismatch));
  EXPECT_TRUE(DynamicPublisher::create(holder_, "t", type<Bytes>()).failed_with(Errc::type_mismatch));
}

TEST_F(DynamicTopic, counts_what_a_lossy_one_has_lost) {
  auto knows = publisher<kit::Numbers<2>>({.depth = 4});
  auto blind = subscriber(type<kit::Numbers<2>>(), {.reliable = false});
  constexpr std::uint64_t sent = 100;
  for (std::uint64_t i = 0; i < sent; ++i) {
    knows.publish(numbered<kit::Numbers<2>>(i), immediately).or_throw();
  }
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  while (const auto got = blind.receive(immediately)) {
    ++received;
    lost += got->lost_before;
  }
  EXPECT_EQ(received + lost, sent);
  EXPECT_GT(lost, 0U);
  EXPECT_EQ(blind.lost(), lost);
}

TEST_F(DynamicTopic, is_told_that_its_publisher_has_closed) {
  auto blind = subscriber(type<kit::Numbers<2>>());
  publisher<kit::Numbers<2>>().publish(numbered<kit::Numbers<2>>(1), soon()).or_throw();
  EXPECT_TRUE(blind.receive(soon()));
  EXPECT_TRUE(blind.receive(soon()).failed_with(Errc::closed));
  EXPECT_EQ(blind.publishers(), 0U);
  EXPECT_TRUE(std::move(blind).close());
}

TEST_F(DynamicTopic, type_is_that_of_a_subscriber_where_nobody_publishes) {
  EXPECT_TRUE(type_of_topic(unique_.path(), "t").failed_with(Errc::not_found));
  EXPECT_TRUE(type_of_topic(unique_.path() + "/none", "t").failed_with(Errc::not_found));
  EXPECT_FALSE(std::filesystem::exists(unique_.path() + "/none"));
  EXPECT_TRUE(type_of_topic(unique_.path(), "a/b").failed_with(Errc::invalid_name));
  const auto waits = Subscriber<kit::Numbers<2>>::create(holder_, "t").or_throw();
  EXPECT_EQ(type_of_topic(unique_.path(), "t").or_throw().bytes(), sizeof(kit::Numbers<2>));
}

class HostilePublisher : public DynamicTopic {
 protected:
  // Its file, as it could write it itself.
  template <class Use>
  void in_publishers_file(Use use) {
    for (const std::string& name : kit::names_in(unique_.path() + "/topic.t")) {
      if (name.starts_with("pub.")) {
        const std::string path = unique_.path() + "/topic.t/" + name;
        const Fd file = Fd::adopt(::open(path.c_str(), O_RDWR | O_CLOEXEC));
        const Mapping memory =
            Mapping::of_file(file.view(), std::filesystem::file_size(path), Access::read_write).or_throw();
        use(memory.data(), *reinterpret_cast<const PublisherHeader*>(memory.data()));
      }
    }
  }
  // What the entry of the first message says of it.
  void say_of_first(MessageAbout about) {
    in_publishers_file([&](std::byte* begin, const PublisherHeader& header) {
      std::atomic_ref(*reinterpret_cast<std::uint64_t*>(begin + header.ring_at + 16)).store(about.packed());
    });
  }
};

// F20
TEST_F(HostilePublisher, whose_message_is_longer_than_its_entry_is_told_and_passed) {
  for (const std::uint64_t bytes :
       {std::uint64_t{15}, std::uint64_t{17}, std::uint64_t{4096}, MessageAbout::most_bytes}) {
    auto knows = publisher<kit::Numbers<2>>();
    auto blind = subscriber(type<kit::Numbers<2>>());
    knows.publish(numbered<kit::Numbers<2>>(0), soon()).or_throw();
    knows.publish(numbered<kit::Numbers<2>>(1), soon()).or_throw();
    say_of_first({.bytes = bytes, .form = MessageForm::inline_words});
    EXPECT_TRUE(blind.receive(soon()).failed_with(Errc::corrupt)) << bytes;
    EXPECT_EQ(blind.receive(soon()).or_throw().number, 1U);
  }
}

// F20
TEST_F(HostilePublisher, whose_slice_is_longer_than_its_entry_or_chunk_is_told_and_passed) {
  for (const MessageForm form : {MessageForm::inline_words, MessageForm::chunk}) {
    auto knows = publisher<Bytes>({.longest = 200});
    auto blind = subscriber(type<Bytes>());
    knows.publish(bytes_of_value(std::uint64_t{0}), soon()).or_throw();
    knows.publish(bytes_of("next"), soon()).or_throw();
    say_of_first({.bytes = 1000, .form = form});
    EXPECT_TRUE(blind.receive(soon()).failed_with(Errc::corrupt));
    EXPECT_EQ(text_of(blind.receive(soon()).or_throw().bytes), "next");
  }
}

// F19
TEST_F(HostilePublisher, whose_type_has_no_bytes_is_no_type) {
  auto knows = publisher<kit::Numbers<2>>();
  in_publishers_file([](std::byte* begin, const PublisherHeader& header) {
    reinterpret_cast<TypeRecord*>(begin + header.head.type_at)->size = 0;
  });
  EXPECT_TRUE(type_of_topic(unique_.path(), "t").failed_with(Errc::corrupt));
}

}  // namespace
}  // namespace dynamic_topic

// What an endpoint believes of another's file, and of the bell.
#include <tenon/messaging/topic/topic.hpp>

#include <tenon/memory/type_fields.hpp>

#include <kit/asleep.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <fcntl.h>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace tenon;
using testing::HasSubstr;

namespace {

struct Reading {
  std::uint64_t number;
};
TENON_FIELDS(Reading, number);

TEST(EndpointNameTest, is_read_as_it_was_written_and_nothing_else_is) {
  for (const EndpointKind kind : {EndpointKind::publisher, EndpointKind::subscriber}) {
    for (const bool unfinished : {false, true}) {
      const EndpointName name{
          .kind = kind, .token = Token::random(), .life = Token::random(), .unfinished = unfinished};
      EXPECT_EQ(EndpointName::parse(name.text()), name) << name.text();
      EXPECT_FALSE(EndpointName::parse(name.text() + "0"));
    }
  }
  const std::string hex = Token::random().hex();
  for (const std::string& text :
       {std::string("bell"), std::string("."), "pub." + hex, "pub." + hex + "." + hex.substr(1),
        "put." + hex + "." + hex, "pub." + hex + "x" + hex}) {
    EXPECT_FALSE(EndpointName::parse(text)) << text;
  }
}

class TopicFilesTest : public testing::Test {
 protected:
  // The file of the only endpoint of that kind.
  std::string path_of(std::string_view prefix) {
    for (const std::string& name : kit::names_in(unique_.path() + "/topic.t")) {
      if (name.starts_with(prefix)) {
        return unique_.path() + "/topic.t/" + name;
      }
    }
    throw std::runtime_error("no such file");
  }
  static void overwrite(const std::string& path, std::size_t at, std::uint64_t value, std::size_t bytes) {
    const Fd file = Fd::adopt(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(file.raw(), &value, bytes, static_cast<off_t>(at)), static_cast<ssize_t>(bytes));
  }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a topic's files"};
};

// F20, F22
TEST_F(TopicFilesTest, a_publisher_whose_header_does_not_fit_its_file_is_refused_and_the_others_are_heard) {
  struct Case {
    std::size_t at;
    std::uint64_t value;
    std::size_t bytes;
  };
  for (const Case& one :
       {Case{offsetof(PublisherHeader, file_bytes), 1 << 30, 8}, Case{offsetof(PublisherHeader, entries), 3, 4},
        Case{offsetof(PublisherHeader, entries), 1U << 31, 4}, Case{offsetof(PublisherHeader, entry_bytes), 128, 4},
        Case{offsetof(PublisherHeader, entry_bytes), 0, 4},
        Case{offsetof(PublisherHeader, ring_at), UINT64_MAX - 127, 8}, Case{offsetof(PublisherHeader, ring_at), 64, 8},
        Case{offsetof(PublisherHeader, depth), 1 << 20, 8}, Case{offsetof(PublisherHeader, chunks), 1000, 4},
        Case{offsetof(EndpointHead, magic), 0, 8}, Case{offsetof(EndpointHead, token), 1, 8},
        Case{offsetof(EndpointHead, type_at), UINT64_MAX, 8},
        Case{offsetof(EndpointHead, type_bytes), UINT64_MAX, 8}}) {
    auto subscriber = Subscriber<Reading>::create(holder_, "t").or_throw();
    auto publisher = Publisher<Reading>::create(holder_, "t").or_throw();
    overwrite(path_of("pub."), one.at, one.value, one.bytes);
    EXPECT_TRUE(subscriber.receive(never).failed_with(Errc::corrupt)) << one.at;
    auto sound = Publisher<Reading>::create(holder_, "t").or_throw();
    ASSERT_TRUE(sound.try_publish({.number = 7}));
    EXPECT_EQ(subscriber.receive(never).or_throw()->number, 7U);
    for (int i = 0; i < 3000; ++i) {
      ASSERT_TRUE(publisher.try_publish({.number = 8})) << "who refused it holds it back";
    }
  }
}

// F27
TEST_F(TopicFilesTest, a_publisher_of_another_layout_is_refused_naming_both) {
  auto publisher = Publisher<Reading>::create(holder_, "t").or_throw();
  overwrite(path_of("pub."), offsetof(EndpointHead, layout_version), topic_layout_version + 6, 4);
  const auto subscriber = Subscriber<Reading>::create(holder_, "t");
  ASSERT_TRUE(subscriber.failed_with(Errc::version_mismatch));
  EXPECT_THAT(subscriber.error().message(), HasSubstr("layout version 7, this program knows version 1"));
}

// F17
TEST_F(TopicFilesTest, a_mode_that_is_not_known_is_refused) {
  auto publisher = Publisher<Reading>::create(holder_, "t").or_throw();
  overwrite(path_of("pub."), offsetof(EndpointHead, mode), topic_sealed_mode, 4);
  EXPECT_TRUE(Subscriber<Reading>::create(holder_, "t").failed_with(Errc::not_supported));
}

// F22
TEST_F(TopicFilesTest, entries_that_no_publisher_can_have_written_lead_nowhere) {
  auto subscriber = Subscriber<Reading>::create(holder_, "t").or_throw();
  auto publisher = Publisher<Reading>::create(holder_, "t", {.depth = 4}).or_throw();
  const std::string path = path_of("pub.");
  ASSERT_TRUE(publisher.try_publish({.number = 1}));
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 1U);
  const std::size_t ring_at = (after_state + bytes_of_type_record(1) + 127) / 128 * 128;
  const std::size_t second = ring_at + sizeof(MessageEntry<5>);
  for (const std::uint64_t number :
       {std::uint64_t{3}, std::uint64_t{5}, std::uint64_t{100}, UINT64_MAX / 2, UINT64_MAX}) {
    overwrite(path, second, number, 8);
    const auto received = subscriber.try_receive();
    EXPECT_TRUE(!received || (*received)->number < 10);
  }
}

// F20
TEST_F(TopicFilesTest, a_message_of_another_length_than_its_type_is_corrupt_and_passed_over) {
  auto subscriber = Subscriber<Reading>::create(holder_, "t").or_throw();
  auto publisher = Publisher<Reading>::create(holder_, "t", {.depth = 4}).or_throw();
  ASSERT_TRUE(publisher.try_publish({.number = 1}));
  ASSERT_TRUE(publisher.try_publish({.number = 2}));
  const std::size_t ring_at = (after_state + bytes_of_type_record(1) + 127) / 128 * 128;
  overwrite(path_of("pub."), ring_at + offsetof(MessageEntry<5>, about), 4096, 5);
  EXPECT_TRUE(subscriber.receive(never).failed_with(Errc::corrupt));
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 2U);
}

// F20
TEST_F(TopicFilesTest, a_slice_that_is_longer_than_its_entry_or_its_chunk_is_corrupt_and_passed_over) {
  using Words = Slice<std::uint64_t>;
  auto subscriber = Subscriber<Words>::create(holder_, "t").or_throw();
  auto publisher = Publisher<Words>::create(holder_, "t", {.depth = 4, .longest = 100}).or_throw();
  const std::vector<std::uint64_t> elements(100, 3);
  const std::span<const std::uint64_t> all = elements;
  for (const std::size_t count : {2UL, 100UL, 2UL, 5UL}) {
    ASSERT_TRUE(publisher.try_publish(all.first(count)));
  }
  const std::size_t ring_at = (after_state + bytes_of_type_record(0) + 127) / 128 * 128;
  const auto overwrite_length = [&](std::size_t entry, std::uint64_t bytes) {
    overwrite(path_of("pub."), ring_at + entry * sizeof(MessageEntry<13>) + offsetof(MessageEntry<13>, about), bytes,
              4);
  };
  overwrite_length(0, 112);
  overwrite_length(1, 840);
  overwrite_length(2, 9);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(subscriber.receive(never).failed_with(Errc::corrupt)) << i;
  }
  EXPECT_EQ(subscriber.receive(never).or_throw().size(), 5U);
}

// As far as a subscriber comes before it looks where its publishers are: it begins there, which may be later.
TEST_F(TopicFilesTest, a_subscriber_that_is_still_joining_is_waited_for_and_not_told_of_yet) {
  auto publisher = Publisher<Reading>::create(holder_, "t", {.depth = 4}).or_throw();
  TopicFolder folder = TopicFolder::enter(holder_, "t").or_throw();
  const EndpointName name{.kind = EndpointKind::subscriber, .token = Token::random(), .life = holder_.token()};
  const auto joining = OwnSubscriberFile::create(folder, name, {.reliable = true, .max_held = 0},
                                                 MessageShape<Reading>::type(), false, false)
                           .or_throw();
  folder.admit();
  EXPECT_TRUE(publisher.subscribers().empty()) << "who waits for it would publish what it may never see";
  for (std::uint64_t number = 1; number <= 4; ++number) {
    ASSERT_TRUE(publisher.try_publish({.number = number}));
  }
  EXPECT_TRUE(publisher.try_publish({.number = 5}).failed_with(Errc::would_block));
  folder.remove(name);
  auto subscriber = Subscriber<Reading>::create(holder_, "t").or_throw();
  ASSERT_EQ(publisher.subscribers().size(), 1U);
  ASSERT_TRUE(publisher.try_publish({.number = 5}));
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 5U);
}

// F44, F49
TEST_F(TopicFilesTest, a_message_whose_wake_never_comes_is_found_within_a_recheck) {
  auto publisher = Publisher<Reading>::create(holder_, "t").or_throw();
  const std::string bell = unique_.path() + "/topic.t/bell";
  overwrite(bell, 0, UINT32_MAX - 2, 4);  // and it wraps
  constexpr std::uint32_t rounds = 4;
  kit::Sides sides({{"subscriber", [&](kit::Stage& stage) {
                       const Life life = Life::join(unique_.domain()).or_throw();
                       const Holder holder = Holder::of(unique_.domain(), life).or_throw();
                       auto subscriber =
                           Subscriber<Reading>::create(holder, "t", {.waiting = Waiting::sleep}).or_throw();
                       for (std::uint32_t i = 1; i <= rounds; ++i) {
                         stage.signal("ready");
                         EXPECT_EQ(subscriber.receive(never).or_throw()->number, i);
                       }
                     }}});
  for (std::uint32_t i = 1; i <= rounds; ++i) {
    sides.stage().await("ready", i);
    kit::until_asleep(sides.side("subscriber").process().pid());
    if (i % 2 == 0) {
      overwrite(bell, 0, 0, 4);  // as if one had died between silencing and waking
    }
    ASSERT_TRUE(publisher.try_publish({.number = i}));
  }
  sides.finish();
}

}  // namespace

#include <tenon/messaging/topic/topic.hpp>

#include <tenon/memory/type_fields.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/stop.hpp>

#include <kit/patience.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tenon;
using testing::HasSubstr;

namespace {

struct Pose {
  std::uint64_t number;
  double x;
  double y;
};
TENON_FIELDS(Pose, number, x, y);

struct Medium {
  std::uint64_t number;
  std::array<std::uint64_t, 9> rest;
};
TENON_FIELDS(Medium, number, rest);

struct Image {
  std::uint64_t number;
  std::array<std::uint64_t, 511> rest;
};
TENON_FIELDS(Image, number, rest);

static_assert(MessageShape<Pose>::entry_words == 5 && MessageShape<Medium>::entry_words == 13);
static_assert(MessageShape<Image>::in_chunks);

template <class T>
T numbered(std::uint64_t number) {
  T message{};
  message.number = number;
  return message;
}
template <>
Image numbered<Image>(std::uint64_t number) {
  Image image{.number = number, .rest = {}};
  image.rest.fill(number);
  return image;
}

class Fixture {
 protected:
  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a topic"};
};

template <class T>
class AnyTopic : public testing::Test, protected Fixture {};
using Sizes = testing::Types<Pose, Medium, Image>;
TYPED_TEST_SUITE(AnyTopic, Sizes);

TYPED_TEST(AnyTopic, reaches_every_subscriber) {
  auto one = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  auto publisher = Publisher<TypeParam>::create(this->holder_, "t").or_throw();
  auto other = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  EXPECT_TRUE(one.try_receive().failed_with(Errc::would_block));
  for (std::uint64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(publisher.publish(numbered<TypeParam>(i), never));
  }
  for (auto* subscriber : {&one, &other}) {
    for (std::uint64_t i = 1; i <= 3; ++i) {
      const auto sample = subscriber->receive(never).or_throw();
      EXPECT_EQ(sample->number, i);
      EXPECT_EQ(sample.number(), i - 1);
      EXPECT_EQ(sample.lost_before(), 0U);
    }
    EXPECT_TRUE(subscriber->try_receive().failed_with(Errc::would_block));
    EXPECT_EQ(subscriber->publishers(), 1U);
  }
}

TYPED_TEST(AnyTopic, is_written_in_place_and_published) {
  auto publisher = Publisher<TypeParam>::create(this->holder_, "t").or_throw();
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  auto loan = publisher.loan().or_throw();
  *loan = numbered<TypeParam>(6);
  loan->number = 7;
  ASSERT_TRUE(publisher.publish(std::move(loan), never));
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 7U);
}

TYPED_TEST(AnyTopic, goes_round_its_ring_for_who_keeps_up) {
  auto publisher = Publisher<TypeParam>::create(this->holder_, "t", {.depth = 3}).or_throw();
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  for (std::uint64_t i = 1; i <= 100; ++i) {
    ASSERT_TRUE(publisher.publish(numbered<TypeParam>(i), immediately)) << i;
    ASSERT_EQ(subscriber.try_receive().or_throw()->number, i);
  }
}

// F61
TYPED_TEST(AnyTopic, is_held_back_by_a_reliable_subscriber_which_the_error_names) {
  auto publisher = Publisher<TypeParam>::create(this->holder_, "t", {.depth = 3}).or_throw();
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(publisher.try_publish(numbered<TypeParam>(i)));
  }
  const auto refused = publisher.try_publish(numbered<TypeParam>(4));
  ASSERT_TRUE(refused.failed_with(Errc::would_block));
  EXPECT_THAT(refused.error().message(), HasSubstr("pid " + std::to_string(::getpid()) + ", is 3 messages behind"));
  EXPECT_TRUE(
      publisher.publish(numbered<TypeParam>(4), after(std::chrono::milliseconds(1))).failed_with(Errc::timed_out));
  ASSERT_EQ(publisher.subscribers().size(), 1U);
  EXPECT_EQ(publisher.subscribers()[0].behind, 3U);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(subscriber.try_receive().or_throw()->number, i);
  }
  EXPECT_TRUE(publisher.try_publish(numbered<TypeParam>(4)));
  EXPECT_EQ(subscriber.try_receive().or_throw()->number, 4U);
  EXPECT_EQ(subscriber.lost(), 0U);
}

// F61
TYPED_TEST(AnyTopic, overtakes_a_lossy_subscriber_which_is_told_by_how_much) {
  auto publisher = Publisher<TypeParam>::create(this->holder_, "t", {.depth = 4}).or_throw();
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t", {.reliable = false}).or_throw();
  std::uint64_t published = 0;
  std::uint64_t received = 0;
  for (std::uint64_t burst = 1; burst < 20; ++burst) {
    for (std::uint64_t i = 0; i < burst; ++i) {
      ASSERT_TRUE(publisher.try_publish(numbered<TypeParam>(++published)));
    }
    std::uint64_t lost_before = 0;
    while (const auto sample = subscriber.try_receive()) {
      ++received;
      lost_before += sample->lost_before();
      EXPECT_EQ((*sample)->number, received + subscriber.lost());
    }
    EXPECT_EQ(received + subscriber.lost(), published);
    EXPECT_EQ(lost_before == 0, burst <= 4) << burst;
  }
}

TYPED_TEST(AnyTopic, gives_who_wants_it_the_newest_alone) {
  auto publisher = Publisher<TypeParam>::create(this->holder_, "t", {.depth = 4}).or_throw();
  auto subscriber =
      Subscriber<TypeParam>::create(this->holder_, "t", {.reliable = false, .newest_only = true}).or_throw();
  for (std::uint64_t i = 1; i <= 50; ++i) {
    ASSERT_TRUE(publisher.try_publish(numbered<TypeParam>(i)));
    if (i % 7 == 0) {
      EXPECT_EQ(subscriber.try_receive().or_throw()->number, i);
      EXPECT_TRUE(subscriber.try_receive().failed_with(Errc::would_block));
    }
  }
  EXPECT_EQ(subscriber.lost(), 0U);
}

TYPED_TEST(AnyTopic, gives_a_late_joiner_the_history_that_it_asks_for) {
  auto publisher = Publisher<TypeParam>::create(this->holder_, "t", {.depth = 4}).or_throw();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(publisher.try_publish(numbered<TypeParam>(i)));
  }
  auto late = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  auto two = Subscriber<TypeParam>::create(this->holder_, "t", {.history = 2}).or_throw();
  auto all = Subscriber<TypeParam>::create(this->holder_, "t", {.history = 100}).or_throw();
  ASSERT_TRUE(publisher.try_publish(numbered<TypeParam>(4)));
  EXPECT_EQ(late.try_receive().or_throw()->number, 4U);
  for (std::uint64_t i = 2; i <= 4; ++i) {
    EXPECT_EQ(two.try_receive().or_throw()->number, i);
  }
  for (std::uint64_t i = 1; i <= 4; ++i) {
    EXPECT_EQ(all.try_receive().or_throw()->number, i);
  }
}

TYPED_TEST(AnyTopic, calls_history_that_was_overwritten_short_and_not_lost) {
  auto publisher = Publisher<TypeParam>::create(this->holder_, "t", {.depth = 4}).or_throw();
  for (std::uint64_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(publisher.try_publish(numbered<TypeParam>(i)));
  }
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t", {.history = 4}).or_throw();
  for (std::uint64_t i = 5; i <= 8; ++i) {
    ASSERT_TRUE(publisher.try_publish(numbered<TypeParam>(i))) << "history holds nobody back";
  }
  std::uint64_t received = 0;
  while (const auto sample = subscriber.try_receive()) {
    ++received;
    EXPECT_EQ((*sample)->number, received + subscriber.history_short());
  }
  EXPECT_EQ(received + subscriber.history_short(), 8U);
  EXPECT_EQ(subscriber.history_short(), 4U);
  EXPECT_EQ(subscriber.lost(), 0U);
}

// F63
TYPED_TEST(AnyTopic, tells_that_a_publisher_has_closed_once_all_was_received) {
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  {
    auto publisher = Publisher<TypeParam>::create(this->holder_, "t").or_throw();
    ASSERT_TRUE(publisher.try_publish(numbered<TypeParam>(1)));
    ASSERT_TRUE(publisher.try_publish(numbered<TypeParam>(2)));
    ASSERT_TRUE(std::move(publisher).close());
  }
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 1U) << "its first meeting with it is after it has gone";
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 2U);
  EXPECT_TRUE(subscriber.receive(never).failed_with(Errc::closed));
  EXPECT_EQ(subscriber.publishers(), 0U);
  EXPECT_TRUE(subscriber.receive(after(std::chrono::milliseconds(1))).failed_with(Errc::timed_out)) << "told once";
  auto next = Publisher<TypeParam>::create(this->holder_, "t").or_throw();
  ASSERT_TRUE(next.try_publish(numbered<TypeParam>(3)));
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 3U);
}

TYPED_TEST(AnyTopic, tells_nobody_of_an_end_that_was_before_its_time) {
  auto slow = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  auto publisher = Publisher<TypeParam>::create(this->holder_, "t").or_throw();
  ASSERT_TRUE(publisher.try_publish(numbered<TypeParam>(1)));
  ASSERT_TRUE(std::move(publisher).close());
  auto late = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  auto curious = Subscriber<TypeParam>::create(this->holder_, "t", {.history = 5}).or_throw();
  EXPECT_TRUE(late.receive(after(std::chrono::milliseconds(1))).failed_with(Errc::timed_out));
  for (auto* subscriber : {&slow, &curious}) {
    EXPECT_EQ(subscriber->receive(never).or_throw()->number, 1U);
    EXPECT_TRUE(subscriber->receive(never).failed_with(Errc::closed));
  }
  EXPECT_THAT(kit::names_in(this->unique_.path() + "/topic.t"), testing::SizeIs(4)) << "the bell and the subscribers";
}

TYPED_TEST(AnyTopic, has_more_publishers_than_a_subscriber_has_rows_at_first) {
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  std::vector<Publisher<TypeParam>> publishers;
  constexpr std::uint64_t many = 70;
  for (std::uint64_t i = 0; i < many; ++i) {
    publishers.push_back(Publisher<TypeParam>::create(this->holder_, "t", {.depth = 2}).or_throw());
    ASSERT_TRUE(publishers.back().try_publish(numbered<TypeParam>(i)));
  }
  for (int round = 0; round < 3; ++round) {
    std::vector<std::uint64_t> seen;
    while (seen.size() < many) {
      seen.push_back(subscriber.receive(never).or_throw()->number);
    }
    std::ranges::sort(seen);
    for (std::uint64_t i = 0; i < many; ++i) {
      EXPECT_EQ(seen[i], i);
      ASSERT_TRUE(publishers[i].publish(numbered<TypeParam>(i), never));
    }
  }
}

// F61
TYPED_TEST(AnyTopic, evicts_the_slowest_when_it_was_told_to) {
  auto publisher =
      Publisher<TypeParam>::create(
          this->holder_, "t", {.depth = 4, .when_full = WhenFull::evict, .evict_after = std::chrono::milliseconds(1)})
          .or_throw();
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  for (std::uint64_t i = 1; i <= 20; ++i) {
    ASSERT_TRUE(publisher.publish(numbered<TypeParam>(i), never));
  }
  EXPECT_TRUE(publisher.subscribers()[0].evicted);
  std::uint64_t received = 0;
  while (const auto sample = subscriber.try_receive()) {
    ++received;
  }
  EXPECT_GT(subscriber.lost(), 0U);
  EXPECT_EQ(received + subscriber.lost(), 20U);
  EXPECT_FALSE(publisher.subscribers()[0].evicted) << "it has caught up, and is waited for again";
}

TYPED_TEST(AnyTopic, stamps_messages_with_the_time_unless_it_was_told_not_to) {
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  auto exact = Publisher<TypeParam>::create(this->holder_, "t").or_throw();
  const std::int64_t before = monotonic_now();
  ASSERT_TRUE(exact.try_publish(numbered<TypeParam>(1)));
  const std::int64_t behind = monotonic_now();
  const std::int64_t time = subscriber.receive(never).or_throw().time();
  constexpr std::int64_t clocks_apart = 1'000'000;
  EXPECT_GE(time, before - clocks_apart);
  EXPECT_LE(time, behind + clocks_apart);
  auto without = Publisher<TypeParam>::create(this->holder_, "t", {.timestamps = Timestamps::none}).or_throw();
  ASSERT_TRUE(without.try_publish(numbered<TypeParam>(2)));
  EXPECT_EQ(subscriber.receive(never).or_throw().time(), 0);
}

TYPED_TEST(AnyTopic, says_before_how_much_memory_it_takes) {
  const PublisherOptions options{.depth = 100};
  auto publisher = Publisher<TypeParam>::create(this->holder_, "t", options).or_throw();
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  const std::string folder = this->unique_.path() + "/topic.t";
  for (const std::string& name : kit::names_in(folder)) {
    struct stat status{};
    ASSERT_EQ(::stat((folder + "/" + name).c_str(), &status), 0);
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    if (name.starts_with("pub.")) {
      EXPECT_EQ(bytes, Publisher<TypeParam>::memory_needed(options).or_throw());
    } else if (name.starts_with("sub.")) {
      EXPECT_EQ(bytes, Subscriber<TypeParam>::memory_needed());
    }
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << name;
    EXPECT_EQ(static_cast<std::uint64_t>(status.st_blocks) * 512, bytes) << name << ": all of it is there";
  }
}

class TopicTest : public testing::Test, protected Fixture {};

TEST_F(TopicTest, receives_nothing_after_its_deadline_or_stop) {
  auto subscriber = Subscriber<Pose>::create(holder_, "t").or_throw();
  EXPECT_TRUE(subscriber.receive(immediately).failed_with(Errc::timed_out));
  EXPECT_TRUE(subscriber.receive(after(std::chrono::milliseconds(5))).failed_with(Errc::timed_out));
  Stop stop = Stop::create().or_throw();
  stop.request();
  EXPECT_TRUE(subscriber.receive(immediately.or_stop(stop)).failed_with(Errc::stopped));
  for (const Waiting waiting : {Waiting::adaptive, Waiting::spin, Waiting::sleep}) {
    auto one = Subscriber<Pose>::create(holder_, "t", {.waiting = waiting}).or_throw();
    EXPECT_TRUE(one.receive(never.or_stop(stop)).failed_with(Errc::stopped));
    EXPECT_TRUE(one.receive(after(std::chrono::milliseconds(5))).failed_with(Errc::timed_out));
  }
}

// F61: its publisher would wait for it.
TEST_F(TopicTest, meets_who_has_come_at_the_next_look_however_seldom_it_looks) {
  for (const bool tries : {false, true}) {
    auto subscriber = Subscriber<Pose>::create(holder_, "t").or_throw();
    const auto look = [&] { return tries ? subscriber.try_receive() : subscriber.receive(immediately); };
    EXPECT_FALSE(look());
    auto publisher = Publisher<Pose>::create(holder_, "t").or_throw();
    ASSERT_TRUE(publisher.try_publish(numbered<Pose>(1)));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // as long as it takes between two looks
    EXPECT_TRUE(look()) << tries;
    std::move(publisher).close().or_throw();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_TRUE(look().failed_with(Errc::closed)) << tries;
  }
}

TEST_F(TopicTest, leaves_nothing_behind) {
  {
    auto publisher = Publisher<Pose>::create(holder_, "t").or_throw();
    auto subscriber = Subscriber<Pose>::create(holder_, "t").or_throw();
    ASSERT_TRUE(publisher.try_publish(numbered<Pose>(1)));
    EXPECT_EQ(kit::names_in(unique_.path() + "/topic.t").size(), 3U);
  }
  EXPECT_THAT(kit::names_in(unique_.path()), testing::Not(testing::Contains("topic.t")));
}

TEST_F(TopicTest, holds_long_messages_while_its_publisher_goes_on) {
  auto publisher = Publisher<Image>::create(holder_, "t", {.depth = 2, .held = 3}).or_throw();
  auto subscriber = Subscriber<Image>::create(holder_, "t", {.max_held = 3}).or_throw();
  std::vector<Sample<Image>> held;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    ASSERT_TRUE(publisher.try_publish(numbered<Image>(i))) << i;
    auto sample = subscriber.try_receive().or_throw();
    if (i <= 2) {
      held.push_back(std::move(sample));
    }
  }
  for (std::uint64_t i = 1; i <= 2; ++i) {
    EXPECT_EQ(held[i - 1]->number, i);
    EXPECT_TRUE(std::ranges::all_of(held[i - 1]->rest, [i](std::uint64_t word) { return word == i; }));
  }
  EXPECT_EQ(publisher.subscribers()[0].held, 2U);
}

TEST_F(TopicTest, whose_chunks_are_all_held_names_the_holders) {
  auto publisher = Publisher<Image>::create(holder_, "t", {.depth = 2, .max_loans = 1, .held = 0}).or_throw();
  auto subscriber = Subscriber<Image>::create(holder_, "t", {.max_held = 64}).or_throw();
  std::vector<Sample<Image>> held;
  Result<void> published;
  for (std::uint64_t i = 1; i <= 64 && published; ++i) {
    published = publisher.try_publish(numbered<Image>(i));
    if (published) {
      held.push_back(subscriber.try_receive().or_throw());
    }
  }
  ASSERT_TRUE(published.failed_with(Errc::limit_reached));
  EXPECT_THAT(published.error().message(), HasSubstr("pid " + std::to_string(::getpid()) + " holds"));
  held.pop_back();
  held.erase(held.begin());
  EXPECT_TRUE(publisher.try_publish(numbered<Image>(1000)));
}

TEST_F(TopicTest, lends_no_more_than_a_subscriber_said_it_would_hold) {
  auto publisher = Publisher<Image>::create(holder_, "t").or_throw();
  auto subscriber = Subscriber<Image>::create(holder_, "t", {.max_held = 2}).or_throw();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(publisher.try_publish(numbered<Image>(i)));
  }
  auto one = subscriber.try_receive().or_throw();
  auto two = subscriber.try_receive().or_throw();
  const auto third = subscriber.try_receive();
  ASSERT_TRUE(third.failed_with(Errc::limit_reached));
  EXPECT_THAT(third.error().message(), HasSubstr("max_held"));
  one.release();
  EXPECT_EQ(subscriber.try_receive().or_throw()->number, 3U) << "the message was not lost";
}

// F58
TEST_F(TopicTest, takes_back_a_loan_that_was_not_published) {
  auto publisher = Publisher<Image>::create(holder_, "t", {.depth = 2, .max_loans = 1, .held = 0}).or_throw();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(publisher.loan());
  }
  std::vector<Loan<Image>> lent;
  Result<void> more;
  while (more) {
    more = publisher.loan().transform([&](Loan<Image> loan) { lent.push_back(std::move(loan)); });
  }
  ASSERT_TRUE(more.failed_with(Errc::limit_reached));
  EXPECT_THAT(more.error().message(), HasSubstr("all chunks are lent"));
}

}  // namespace

namespace other {
struct Pose {
  std::uint64_t number;
  float x;
  double y;
};
TENON_FIELDS(Pose, number, x, y);
}  // namespace other

namespace {

// F30
TEST_F(TopicTest, of_another_type_than_its_publishers_is_refused_naming_the_first_field_that_differs) {
  auto publisher = Publisher<Pose>::create(holder_, "t").or_throw();
  const auto second = Publisher<other::Pose>::create(holder_, "t");
  ASSERT_TRUE(second.failed_with(Errc::type_mismatch));
  EXPECT_THAT(second.error().message(), HasSubstr("field 2 is x (f64 at byte 8) there and x (f32 at byte 8) here"));
  EXPECT_TRUE(Subscriber<other::Pose>::create(holder_, "t").failed_with(Errc::type_mismatch));
  EXPECT_TRUE(Subscriber<other::Pose>::create(holder_, "u"));
}

// F30: what it says of its type keeps no publisher out.
TEST_F(TopicTest, a_subscriber_of_another_type_learns_it_when_a_publisher_comes) {
  auto other = Subscriber<other::Pose>::create(holder_, "t").or_throw();
  auto publisher = Publisher<Pose>::create(holder_, "t", {.depth = 4}).or_throw();
  auto subscriber = Subscriber<Pose>::create(holder_, "t").or_throw();
  const auto got = other.receive(never);
  ASSERT_TRUE(got.failed_with(Errc::type_mismatch));
  EXPECT_THAT(got.error().message(), HasSubstr("field 2 is x (f64 at byte 8) there and x (f32 at byte 8) here"));
  for (std::uint64_t number = 1; number <= 10; ++number) {
    publisher.publish({.number = number, .x = 0, .y = 0}, immediately).or_throw();  // it waits for the subscriber alone
    EXPECT_EQ(subscriber.receive(never).or_throw()->number, number);
  }
}

// F1 F2
TEST_F(TopicTest, refuses_names_that_are_none) {
  for (const std::string& name : {std::string(), std::string("a/b"), std::string("a\0b", 3), std::string(250, 'x')}) {
    EXPECT_TRUE(Publisher<Pose>::create(holder_, name).failed_with(Errc::invalid_name));
    EXPECT_TRUE(Subscriber<Pose>::create(holder_, name).failed_with(Errc::invalid_name));
  }
  EXPECT_TRUE(Publisher<Pose>::create(holder_, std::string(249, 'x')));
}

// F14 F15
TEST_F(TopicTest, larger_than_memory_is_refused_before_and_leaves_nothing) {
  const auto publisher = Publisher<Image>::create(holder_, "t", {.depth = 1 << 26});
  ASSERT_FALSE(publisher);
  EXPECT_TRUE(publisher.error() == Errc::no_space || publisher.error() == Errc::no_memory)
      << publisher.error().message();
  EXPECT_TRUE(Publisher<Image>::create(holder_, "t", {.depth = UINT32_MAX}).failed_with(Errc::limit_reached));
  EXPECT_THAT(kit::names_in(unique_.path()), testing::Not(testing::Contains("topic.t")));
}

}  // namespace

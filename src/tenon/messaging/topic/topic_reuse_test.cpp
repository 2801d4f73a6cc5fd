// Where a long message is written: in the chunk of the one before, as soon as nobody needs that any more.
#include <tenon/messaging/topic/topic.hpp>

#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <gtest/gtest.h>

using namespace tenon;

namespace {

using Words = Slice<std::uint64_t>;
constexpr std::size_t long_words = (512 << 10) / 8;

class TopicReuse : public testing::Test {
 protected:
  Publisher<Words> publisher(std::uint32_t depth) {
    return Publisher<Words>::create(holder_, "t", {.depth = depth, .longest = long_words}).or_throw();
  }
  // Returns where it was written.
  static std::uint64_t* publish(Publisher<Words>& publisher, std::uint64_t value) {
    auto loan = publisher.loan(long_words).or_throw();
    std::uint64_t* const place = loan.data();
    place[0] = value;
    publisher.publish(std::move(loan), immediately).or_throw();
    return place;
  }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a topic that reuses its chunks"};
};

TEST_F(TopicReuse, of_depth_one_writes_each_message_over_the_last_one) {
  auto sender = publisher(1);
  auto subscriber = Subscriber<Words>::create(holder_, "t").or_throw();
  const std::uint64_t* const place = publish(sender, 0);
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ((*subscriber.receive(never).or_throw())[0], i);
    EXPECT_EQ(publish(sender, i + 1), place);
  }
}

TEST_F(TopicReuse, keeps_what_is_held) {
  auto sender = publisher(1);
  auto subscriber = Subscriber<Words>::create(holder_, "t").or_throw();
  const std::uint64_t* const place = publish(sender, 7);
  const auto held = subscriber.receive(never).or_throw();
  EXPECT_NE(publish(sender, 8), place);
  EXPECT_EQ(held[0], 7U);
}

// F61: a loan that cannot be published yet takes nothing from who is waited for.
TEST_F(TopicReuse, keeps_what_a_reliable_subscriber_has_not_received) {
  for (const std::uint32_t depth : {1U, 2U, 3U}) {
    auto sender = publisher(depth);
    auto subscriber = Subscriber<Words>::create(holder_, "t").or_throw();
    for (std::uint64_t i = 0; i < depth; ++i) {
      publish(sender, i);
    }
    auto loan = sender.loan(long_words).or_throw();
    loan[0] = depth;
    ASSERT_TRUE(sender.publish(std::move(loan), immediately).failed_with(Errc::would_block));
    for (std::uint64_t i = 0; i < depth; ++i) {
      EXPECT_EQ((*subscriber.try_receive().or_throw())[0], i) << depth;
    }
    EXPECT_TRUE(sender.publish(std::move(loan), immediately));
    EXPECT_EQ((*subscriber.try_receive().or_throw())[0], depth);
    EXPECT_EQ(subscriber.lost(), 0U);
  }
}

TEST_F(TopicReuse, tells_a_lossy_subscriber_what_it_lost_by_a_loan) {
  auto sender = publisher(2);
  auto subscriber = Subscriber<Words>::create(holder_, "t", {.reliable = false}).or_throw();
  publish(sender, 0);
  publish(sender, 1);
  const auto loan = sender.loan(long_words).or_throw();
  const auto sample = subscriber.try_receive().or_throw();
  EXPECT_EQ(sample[0], 1U);
  EXPECT_EQ(sample.lost_before(), 1U);
  EXPECT_TRUE(subscriber.try_receive().failed_with(Errc::would_block));
}

// Else who is not waited for would have each message for no longer than until the next loan.
TEST_F(TopicReuse, of_depth_one_keeps_the_last_one_until_all_have_received_it) {
  auto sender = publisher(1);
  auto subscriber = Subscriber<Words>::create(holder_, "t", {.reliable = false}).or_throw();
  const std::uint64_t* const place = publish(sender, 0);
  {
    const auto loan = sender.loan(long_words).or_throw();
    EXPECT_NE(loan.data(), place);
    EXPECT_EQ((*subscriber.try_receive().or_throw())[0], 0U);
  }
  EXPECT_EQ(publish(sender, 1), place) << "now it may be written over";
}

TEST_F(TopicReuse, keeps_the_last_one_where_nobody_is_there_yet) {
  auto sender = publisher(1);
  publish(sender, 5);
  const auto loan = sender.loan(long_words).or_throw();
  auto late = Subscriber<Words>::create(holder_, "t", {.history = 1}).or_throw();
  EXPECT_EQ((*late.try_receive().or_throw())[0], 5U);
}

// A ring of four entries of which three are to be kept: two are taken back.
TEST_F(TopicReuse, tells_of_all_that_one_loan_took_back) {
  auto sender = publisher(3);
  auto subscriber = Subscriber<Words>::create(holder_, "t", {.reliable = false}).or_throw();
  for (std::uint64_t i = 0; i < 4; ++i) {
    publish(sender, i);
  }
  const auto loan = sender.loan(long_words).or_throw();
  const auto sample = subscriber.try_receive().or_throw();
  EXPECT_EQ(sample[0], 2U);
  EXPECT_EQ(sample.lost_before(), 2U);
  EXPECT_EQ((*subscriber.try_receive().or_throw())[0], 3U);
}

TEST_F(TopicReuse, lets_go_of_what_is_assigned_over) {
  auto sender = publisher(2);
  auto subscriber = Subscriber<Words>::create(holder_, "t", {.max_held = 2}).or_throw();
  publish(sender, 0);
  publish(sender, 1);
  auto first = subscriber.try_receive().or_throw();
  auto second = subscriber.try_receive().or_throw();
  first = std::move(second);
  EXPECT_EQ(first[0], 1U);
  EXPECT_EQ(sender.subscribers().front().held, 1U);
  auto& same = first;
  first = std::move(same);
  EXPECT_EQ(first[0], 1U);
  first.release();
  EXPECT_EQ(sender.subscribers().front().held, 0U);
}

TEST_F(TopicReuse, goes_on_after_a_loan_that_went_back) {
  auto sender = publisher(2);
  auto subscriber = Subscriber<Words>::create(holder_, "t", {.history = 2}).or_throw();
  for (std::uint64_t i = 0; i < 5; ++i) {
    {
      const auto dropped = sender.loan(long_words).or_throw();
    }
    publish(sender, i);
    EXPECT_EQ((*subscriber.try_receive().or_throw())[0], i);
  }
  // Its history has the last one yet: the one before went with the next loan.
  {
    const auto dropped = sender.loan(long_words).or_throw();
  }
  auto late = Subscriber<Words>::create(holder_, "t", {.history = 2}).or_throw();
  EXPECT_EQ((*late.try_receive().or_throw())[0], 4U);
  EXPECT_EQ(late.history_short(), 1U);
}

}  // namespace

// Publishers that come and go while a subscriber is busy with others: each is met, and the end of each is told.
#include <tenon/messaging/topic/topic.hpp>

#include <kit/numbers.hpp>
#include <kit/patience.hpp>
#include <kit/unique.hpp>

#include <gtest/gtest.h>

using namespace tenon;

namespace {

using kit::numbered;
using Short = kit::Numbers<2>;
using Long = kit::Numbers<100>;

template <class T>
class TopicTurns : public testing::Test {
 protected:
  Publisher<T> publisher() { return Publisher<T>::create(holder_, "t", {.depth = 64}).or_throw(); }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
};
using Sizes = testing::Types<Short, Long>;
TYPED_TEST_SUITE(TopicTurns, Sizes);

// F63
TYPED_TEST(TopicTurns, tell_of_an_end_that_is_seen_at_the_same_look_as_somebody_new) {
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  auto first = this->publisher();
  first.publish(numbered<TypeParam>(1), never).or_throw();
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 1U);
  std::move(first).close().or_throw();
  auto second = this->publisher();
  second.publish(numbered<TypeParam>(2), never).or_throw();

  int messages = 0;
  int ends = 0;
  constexpr int looks = 1000;
  for (int i = 0; i < looks; ++i) {
    const auto sample = subscriber.try_receive();
    messages += sample ? 1 : 0;
    ends += sample.failed_with(Errc::closed) ? 1 : 0;
  }
  EXPECT_EQ(messages, 1);
  EXPECT_EQ(ends, 1);
}

// F61
TYPED_TEST(TopicTurns, come_to_a_publisher_that_joins_while_another_never_lets_the_subscriber_run_out_of_messages) {
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  auto busy = this->publisher();
  busy.publish(numbered<TypeParam>(1), never).or_throw();
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 1U);
  busy.publish(numbered<TypeParam>(1), never).or_throw();
  auto late = this->publisher();
  late.publish(numbered<TypeParam>(2), never).or_throw();

  const Deadline deadline = after(kit::patient(kit::default_limit));
  bool is_heard = false;
  while (!is_heard && !deadline.passed()) {
    busy.publish(numbered<TypeParam>(1), never).or_throw();
    is_heard = subscriber.receive(never).or_throw()->number == 2;
  }
  EXPECT_TRUE(is_heard);
}

// F63
TYPED_TEST(TopicTurns, tell_of_an_end_while_another_never_lets_the_subscriber_run_out_of_messages) {
  auto subscriber = Subscriber<TypeParam>::create(this->holder_, "t").or_throw();
  auto busy = this->publisher();
  auto ending = this->publisher();
  busy.publish(numbered<TypeParam>(1), never).or_throw();
  ending.publish(numbered<TypeParam>(1), never).or_throw();
  ASSERT_TRUE(subscriber.receive(never));
  ASSERT_TRUE(subscriber.receive(never));
  busy.publish(numbered<TypeParam>(1), never).or_throw();
  std::move(ending).close().or_throw();

  const Deadline deadline = after(kit::patient(kit::default_limit));
  bool is_told = false;
  while (!is_told && !deadline.passed()) {
    busy.publish(numbered<TypeParam>(1), never).or_throw();
    const auto sample = subscriber.receive(never);
    ASSERT_TRUE(sample || sample.failed_with(Errc::closed));
    is_told = !sample;
  }
  EXPECT_TRUE(is_told);
}

}  // namespace

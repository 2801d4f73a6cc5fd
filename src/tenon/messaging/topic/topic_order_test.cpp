#include <tenon/messaging/topic/topic.hpp>

#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/topic/time_order.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/poll.hpp>

#include <kit/numbers.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <span>
#include <vector>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

using Short = kit::Numbers<2>;
using Long = kit::Numbers<100>;
using kit::numbered;

constexpr ClockOrigin monotonic{.pair = {}, .kind = StampKind::monotonic};

TEST(TimeOrder, lets_the_oldest_go_when_all_have_shown_theirs) {
  TimeOrder<int> order(1h);
  int a = 0;
  int b = 0;
  order.begin();
  EXPECT_EQ(order.next(), nullptr);
  order.count(a, 30, monotonic);
  order.count(b, 20, monotonic);
  EXPECT_EQ(order.next(), &b);
  EXPECT_EQ(order.due(), 0);
}

TEST(TimeOrder, keeps_a_message_while_somebody_is_silent_until_it_is_due) {
  TimeOrder<int> order(1h);
  int a = 0;
  const std::int64_t now = monotonic_now();
  order.begin();
  order.count(a, static_cast<std::uint64_t>(now), monotonic);
  order.count_silent();
  EXPECT_EQ(order.next(), nullptr);
  EXPECT_EQ(order.due(), now + std::chrono::nanoseconds(1h).count());
  order.begin();
  order.count(a, static_cast<std::uint64_t>(now - std::chrono::nanoseconds(2h).count()), monotonic);
  order.count_silent();
  EXPECT_EQ(order.next(), &a);
  EXPECT_EQ(order.due(), 0);
}

// F20: whatever a publisher's clock says, a message waits no longer than was asked
TEST(TimeOrder, keeps_a_message_from_the_future_as_long_as_one_from_now) {
  TimeOrder<int> order(1ms);
  int a = 0;
  const auto look = [&] {
    order.begin();
    order.count(a, static_cast<std::uint64_t>(INT64_MAX - 1), monotonic);
    order.count_silent();
    return order.next();
  };
  EXPECT_EQ(look(), nullptr);
  const std::int64_t due = order.due();
  EXPECT_LE(due, monotonic_now() + std::chrono::nanoseconds(1ms).count());
  while (monotonic_now() < due) {
  }
  EXPECT_EQ(look(), &a);
}

TEST(TimeOrder, keeps_a_message_for_ever_if_that_was_asked) {
  TimeOrder<int> order(std::chrono::nanoseconds::max());
  int a = 0;
  order.begin();
  order.count(a, static_cast<std::uint64_t>(monotonic_now()), monotonic);
  order.count_silent();
  EXPECT_EQ(order.next(), nullptr);
}

// F50: a counter that wraps
TEST(TimeOrder, counts_on_where_the_clock_wraps) {
  TimeOrder<int> order(1h);
  int a = 0;
  int b = 0;
  order.begin();
  order.count(a, 2, monotonic);
  order.count(b, UINT64_MAX - 1, monotonic);
  EXPECT_EQ(order.next(), &b);
}

TEST(TimeOrder, counts_what_comes_after_a_later_one) {
  TimeOrder<int> order(1ns);
  int a = 0;
  for (const std::uint64_t time : {10U, 12U, 11U, 12U, 13U, 9U}) {
    order.begin();
    order.count(a, time, monotonic);
    ASSERT_EQ(order.next(), &a);
    order.pass();
  }
  EXPECT_EQ(order.late(), 2U);
}

template <class T>
class OrderedTopic : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"an ordered topic"};

  Publisher<T> publisher() { return Publisher<T>::create(holder_, "t").or_throw(); }
  Subscriber<T> subscriber(std::chrono::nanoseconds within) {
    return Subscriber<T>::create(holder_, "t", {.ordered_within = within}).or_throw();
  }
};
using Sizes = testing::Types<Short, Long>;
TYPED_TEST_SUITE(OrderedTopic, Sizes);

TYPED_TEST(OrderedTopic, is_received_in_the_order_of_its_times) {
  auto subscriber = this->subscriber(1h);
  constexpr int publishers = 3;
  std::vector<Publisher<TypeParam>> all;
  for (int i = 0; i < publishers; ++i) {
    all.push_back(this->publisher());
  }
  std::minstd_rand random(1);
  constexpr std::uint64_t messages = 60;
  for (std::uint64_t number = 1; number <= messages; ++number) {
    all[random() % publishers].publish(numbered<TypeParam>(number), never).or_throw();
  }
  for (auto& publisher : all) {
    std::move(publisher).close().or_throw();  // nobody is waited for any more
  }
  std::uint64_t number = 0;
  int ended = 0;
  while (ended < publishers) {
    auto sample = subscriber.receive(never);
    if (!sample) {
      ASSERT_TRUE(sample.failed_with(Errc::closed)) << sample.error().message();
      ++ended;
      continue;
    }
    ASSERT_EQ((*sample)->number, ++number);
  }
  EXPECT_EQ(number, messages);
  EXPECT_EQ(subscriber.late(), 0U);
}

TYPED_TEST(OrderedTopic, waits_for_who_is_silent_but_no_longer_than_asked) {
  auto subscriber = this->subscriber(80ms);
  auto one = this->publisher();
  auto other = this->publisher();
  one.publish(numbered<TypeParam>(1), never).or_throw();
  EXPECT_TRUE(subscriber.try_receive().failed_with(Errc::would_block));
  EXPECT_TRUE(subscriber.receive(after(1ms)).failed_with(Errc::timed_out));
  other.publish(numbered<TypeParam>(2), never).or_throw();
  EXPECT_EQ(subscriber.try_receive().or_throw()->number, 1U);  // the other has shown a later one
  const auto second = subscriber.receive(never).or_throw();
  EXPECT_EQ(second->number, 2U);
  EXPECT_GE(monotonic_now(), second.time() + std::chrono::nanoseconds(80ms).count());
}

// The recheck alone, which comes at one moment for all, would give each message but the first a whole interval later.
template <class T>
void expect_when_due(Publisher<T>& publisher, const std::function<Result<Sample<T>>()>& receive) {
  std::vector<std::chrono::nanoseconds> waited;
  for (std::uint64_t number = 1; number <= 6; ++number) {
    publisher.publish(numbered<T>(number), never).or_throw();
    const auto sample = receive().or_throw();
    ASSERT_EQ(sample->number, number);
    waited.emplace_back(monotonic_now() - sample.time());
  }
  EXPECT_LT(std::ranges::min(std::span(waited).subspan(1)), recheck_interval / 2);
}

TYPED_TEST(OrderedTopic, waits_no_longer_asleep_than_a_message_is_due) {
  auto subscriber = this->subscriber(1ms);
  auto one = this->publisher();
  auto silent = this->publisher();
  expect_when_due<TypeParam>(one, [&] { return subscriber.receive(never); });
}

TYPED_TEST(OrderedTopic, is_readable_when_a_message_is_due) {
  auto subscriber = this->subscriber(1ms);
  auto one = this->publisher();
  auto silent = this->publisher();
  const FdView fd = subscriber.fd().or_throw();
  expect_when_due<TypeParam>(one, [&] {
    auto sample = subscriber.try_receive();
    while (sample.failed_with(Errc::would_block)) {
      wait_ready(fd, Ready::reading, never).or_throw();
      sample = subscriber.try_receive();
    }
    return sample;
  });
}

// F44: the clock for the recheck goes on beside the one for a message that is due
TYPED_TEST(OrderedTopic, is_readable_at_a_recheck_while_a_message_waits) {
  auto subscriber = this->subscriber(1h);
  auto one = this->publisher();
  auto other = this->publisher();
  const FdView fd = subscriber.fd().or_throw();
  one.publish(numbered<TypeParam>(1), never).or_throw();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(subscriber.try_receive().failed_with(Errc::would_block));
    EXPECT_TRUE(wait_ready(fd, Ready::reading, after(10s)));
  }
}

using OrderedBatches = OrderedTopic<Short>;
TEST_F(OrderedBatches, end_where_anothers_message_is_older) {
  auto subscriber = this->subscriber(1h);
  auto one = this->publisher();
  auto other = this->publisher();
  one.publish(numbered<Short>(1), never).or_throw();
  one.publish(numbered<Short>(2), never).or_throw();
  other.publish(numbered<Short>(3), never).or_throw();
  one.publish(numbered<Short>(4), never).or_throw();
  std::array<Short, 8> room{};
  EXPECT_EQ(subscriber.receive_batch(room, never).or_throw(), 2U);
  EXPECT_EQ(room[1].number, 2U);
  EXPECT_EQ(subscriber.receive_batch(room, never).or_throw(), 1U);
  EXPECT_EQ(room[0].number, 3U);
  EXPECT_TRUE(subscriber.receive_batch(room, immediately).failed_with(Errc::timed_out) ||
              subscriber.receive_batch(room, immediately).failed_with(Errc::would_block));
}

}  // namespace

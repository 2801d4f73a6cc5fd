#include <tenon/messaging/topic/topic.hpp>

#include <tenon/memory/type_fields.hpp>

#include <kit/numbers.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>
#include <optional>
#include <vector>

using namespace tenon;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

struct Scan {
  double angle = 0;
  Tail<float> ranges;
  Tail<std::uint8_t> marks;
};
TENON_FIELDS(Scan, angle, ranges, marks);

namespace other {

struct Scan {
  double angle = 0;
  Tail<double> ranges;
  Tail<std::uint8_t> marks;
};
TENON_FIELDS(Scan, angle, ranges, marks);

}  // namespace other

using Long = kit::Numbers<100>;
using kit::is_whole;
using kit::numbered;

class TopicTail : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a topic with tails"};
};

// F33
TEST_F(TopicTail, is_received_where_it_was_written) {
  auto subscriber = Subscriber<Tailed<Scan>>::create(holder_, "scan").or_throw();
  auto publisher = Publisher<Tailed<Scan>>::create(holder_, "scan", {.longest = 4096}).or_throw();
  auto loan = publisher.loan().or_throw();
  loan->angle = 0.5;
  auto marks = loan.add(loan->marks, 3).or_throw();
  std::ranges::copy(std::array<std::uint8_t, 3>{7, 8, 9}, marks.begin());
  auto ranges = loan.add(loan->ranges, 1000).or_throw();
  std::iota(ranges.begin(), ranges.end(), 0.0F);
  publisher.publish(std::move(loan), never).or_throw();

  const auto scan = subscriber.receive(never).or_throw();
  EXPECT_EQ(scan->angle, 0.5);
  EXPECT_THAT(scan.tail(scan->marks).or_throw(), ElementsAre(7, 8, 9));
  const auto received = scan.tail(scan->ranges).or_throw();
  ASSERT_EQ(received.size(), 1000U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(received.data()) % alignof(float), 0U);
  EXPECT_EQ(received[999], 999.0F);
}

TEST_F(TopicTail, may_be_empty_and_as_long_as_said_and_no_longer) {
  auto subscriber = Subscriber<Tailed<Scan>>::create(holder_, "scan").or_throw();
  auto publisher = Publisher<Tailed<Scan>>::create(holder_, "scan", {.longest = 64}).or_throw();
  publisher.publish(publisher.loan().or_throw(), never).or_throw();
  const auto empty = subscriber.receive(never).or_throw();
  EXPECT_TRUE(empty.tail(empty->ranges).or_throw().empty());

  auto loan = publisher.loan().or_throw();
  EXPECT_EQ(loan.add(loan->ranges, 16).or_throw().size(), 16U);
  const auto one_more = loan.add(loan->marks, 1);
  ASSERT_TRUE(one_more.failed_with(Errc::message_too_long));
  EXPECT_THAT(one_more.error().message(), HasSubstr("64"));
  EXPECT_TRUE(loan.add(loan->ranges, SIZE_MAX).failed_with(Errc::message_too_long));
  publisher.publish(std::move(loan), never).or_throw();
  const auto full = subscriber.receive(never).or_throw();
  EXPECT_EQ(full.tail(full->ranges).or_throw().size(), 16U);
  EXPECT_TRUE(full.tail(full->marks).or_throw().empty());
}

// F20
TEST_F(TopicTail, is_refused_where_it_lies_outside_its_message) {
  auto subscriber = Subscriber<Tailed<Scan>>::create(holder_, "scan").or_throw();
  auto publisher = Publisher<Tailed<Scan>>::create(holder_, "scan", {.longest = 64}).or_throw();
  for (const Tail<float> wrong : {Tail<float>{.at = 4096, .count = 1}, Tail<float>{.at = sizeof(Scan), .count = 17},
                                  Tail<float>{.at = 1, .count = 1}, Tail<float>{.at = UINT64_MAX - 3, .count = 2},
                                  Tail<float>{.at = 0, .count = UINT64_MAX / 4 + 1}}) {
    auto loan = publisher.loan().or_throw();
    loan.add(loan->marks, 64).or_throw();
    loan->ranges = wrong;
    publisher.publish(std::move(loan), never).or_throw();
    const auto scan = subscriber.receive(never).or_throw();
    EXPECT_TRUE(scan.tail(scan->ranges).failed_with(Errc::corrupt)) << wrong.at;
    EXPECT_TRUE(scan.tail(scan->marks)) << wrong.at;
  }
}

// F30
TEST_F(TopicTail, of_other_elements_is_another_type) {
  const auto publisher = Publisher<Tailed<Scan>>::create(holder_, "scan").or_throw();
  const auto other = Subscriber<Tailed<other::Scan>>::create(holder_, "scan");
  ASSERT_TRUE(other.failed_with(Errc::type_mismatch));
  EXPECT_THAT(other.error().message(), HasSubstr("ranges"));
  EXPECT_TRUE(Subscriber<Scan>::create(holder_, "scan").failed_with(Errc::type_mismatch));
}

// F58
TEST_F(TopicTail, gives_a_dropped_loan_back) {
  auto publisher = Publisher<Tailed<Scan>>::create(holder_, "scan", {.depth = 1, .max_loans = 1, .held = 0}).or_throw();
  std::vector<Loan<Tailed<Scan>>> lent;
  auto next = publisher.loan();
  for (; next; next = publisher.loan()) {
    lent.push_back(std::move(*next));
  }
  EXPECT_TRUE(next.failed_with(Errc::limit_reached));
  lent.pop_back();
  EXPECT_TRUE(publisher.loan());
}

class LongBatches : public TopicTail {};

TEST_F(LongBatches, are_sent_and_received_at_once) {
  auto subscriber = Subscriber<Long>::create(holder_, "t", {.max_held = 3}).or_throw();
  auto publisher = Publisher<Long>::create(holder_, "t", {.depth = 8, .max_loans = 5}).or_throw();
  std::vector<Loan<Long>> loans;
  for (std::uint64_t number = 1; number <= 5; ++number) {
    loans.push_back(publisher.loan().or_throw());
    *loans.back() = numbered<Long>(number);
  }
  EXPECT_EQ(publisher.publish_batch(loans, never).or_throw(), 5U);
  loans.clear();

  std::vector<Sample<Long>> samples;
  EXPECT_EQ(subscriber.receive_batch(samples, 2, never).or_throw(), 2U);
  EXPECT_EQ(subscriber.receive_batch(samples, 8, never).or_throw(), 1U);  // so many may be held
  EXPECT_TRUE(subscriber.receive_batch(samples, 8, never).failed_with(Errc::limit_reached));
  samples.erase(samples.begin());
  EXPECT_EQ(subscriber.receive_batch(samples, 8, never).or_throw(), 1U);
  std::vector<std::uint64_t> numbers;
  std::ranges::transform(samples, std::back_inserter(numbers), [](const auto& sample) { return sample->number; });
  EXPECT_THAT(numbers, ElementsAre(2, 3, 4));
  samples.clear();
  EXPECT_EQ(subscriber.receive_batch(samples, 8, never).or_throw(), 1U);
  EXPECT_TRUE(is_whole(*samples.front()));
}

TEST_F(LongBatches, keep_what_is_held_while_all_chunks_go_round) {
  auto subscriber = Subscriber<Long>::create(holder_, "t", {.max_held = 8}).or_throw();
  auto publisher = Publisher<Long>::create(holder_, "t", {.depth = 4, .max_loans = 3, .held = 8}).or_throw();
  std::vector<Sample<Long>> held;
  for (std::uint64_t round = 0; round < 50; ++round) {
    std::vector<Loan<Long>> loans;
    for (std::uint64_t i = 0; i < 3; ++i) {
      loans.push_back(publisher.loan().or_throw());
      *loans.back() = numbered<Long>(3 * round + i);
    }
    ASSERT_EQ(publisher.publish_batch(loans, never).or_throw(), 3U);
    loans.clear();
    std::vector<Sample<Long>> samples;
    while (samples.size() < 3) {
      ASSERT_TRUE(subscriber.receive_batch(samples, 3 - samples.size(), never));
    }
    if (round == 0) {
      held = std::move(samples);
    }
    for (std::uint64_t i = 0; i < held.size(); ++i) {
      ASSERT_EQ(held[i]->number, i) << "what is held was written again, in round " << round;
    }
  }
}

// F61
TEST_F(LongBatches, end_where_there_is_no_more_room) {
  auto subscriber = Subscriber<Long>::create(holder_, "t").or_throw();
  auto publisher =
      Publisher<Long>::create(holder_, "t", {.depth = 2, .max_loans = 4, .when_full = WhenFull::refuse}).or_throw();
  std::vector<Loan<Long>> loans;
  for (int i = 0; i < 4; ++i) {
    loans.push_back(publisher.loan().or_throw());
  }
  EXPECT_EQ(publisher.publish_batch(loans, never).or_throw(), 2U);
  EXPECT_TRUE(publisher.publish_batch(std::span(loans).subspan(2), never).failed_with(Errc::would_block));
  ASSERT_TRUE(subscriber.receive(never));
  EXPECT_EQ(publisher.publish_batch(std::span(loans).subspan(2), never).or_throw(), 1U);
}

TEST_F(LongBatches, of_slices_are_of_all_lengths) {
  auto subscriber = Subscriber<Slice<std::uint32_t>>::create(holder_, "t").or_throw();
  auto publisher = Publisher<Slice<std::uint32_t>>::create(holder_, "t", {.longest = 1000}).or_throw();
  publisher.publish(std::array<std::uint32_t, 2>{1, 2}, never).or_throw();
  std::vector<Loan<Slice<std::uint32_t>>> loans;
  loans.push_back(publisher.loan(1000).or_throw());
  loans.push_back(publisher.loan(1).or_throw());
  EXPECT_EQ(publisher.publish_batch(loans, never).or_throw(), 2U);
  std::vector<Sample<Slice<std::uint32_t>>> samples;
  EXPECT_EQ(subscriber.receive_batch(samples, 8, never).or_throw(), 3U);
  EXPECT_THAT(*samples[0], ElementsAre(1, 2));
  EXPECT_EQ(samples[1].size(), 1000U);
  EXPECT_EQ(samples[2].size(), 1U);
}

}  // namespace

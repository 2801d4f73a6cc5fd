// Messages of a variable length, and batches of short ones.
#include <tenon/messaging/topic/topic.hpp>

#include <tenon/memory/type_fields.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/stop.hpp>

#include <kit/asleep.hpp>
#include <kit/patience.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>
#include <sched.h>
#include <vector>

using namespace tenon;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

namespace {

struct Point {
  float x;
  float y;
  float z;
};
TENON_FIELDS(Point, x, y, z);

using Words = Slice<std::uint64_t>;

std::vector<std::uint64_t> row(std::size_t count, std::uint64_t first) {
  std::vector<std::uint64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

class TopicSlice : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a topic of slices"};
};

// 5 and 6 elements are on either side of one cache line, 13 and 14 of the entry.
TEST_F(TopicSlice, of_any_length_arrives_as_it_was) {
  auto publisher = Publisher<Words>::create(holder_, "t", {.longest = 4096}).or_throw();
  auto subscriber = Subscriber<Words>::create(holder_, "t").or_throw();
  for (const std::size_t count : {0UL, 1UL, 5UL, 6UL, 13UL, 14UL, 100UL, 4095UL, 4096UL}) {
    ASSERT_TRUE(publisher.publish(row(count, count), never)) << count;
    const auto sample = subscriber.receive(never).or_throw();
    EXPECT_THAT(*sample, ElementsAreArray(row(count, count)));
  }
}

TEST_F(TopicSlice, longer_than_the_longest_is_refused_saying_how_long_it_may_be) {
  auto publisher = Publisher<Words>::create(holder_, "t", {.longest = 20}).or_throw();
  EXPECT_EQ(publisher.longest(), 20U);
  const auto published = publisher.publish(row(21, 0), never);
  ASSERT_TRUE(published.failed_with(Errc::message_too_long));
  EXPECT_THAT(published.error().message(), HasSubstr("20"));
  EXPECT_TRUE(publisher.loan(21).failed_with(Errc::message_too_long));
  EXPECT_TRUE(publisher.publish(row(20, 0), never));
}

TEST_F(TopicSlice, without_a_longest_has_room_for_64_KiB) {
  EXPECT_EQ(Publisher<Bytes>::create(holder_, "b").or_throw().longest(), 65536U);
  EXPECT_EQ(Publisher<Words>::create(holder_, "w").or_throw().longest(), 8192U);
}

TEST_F(TopicSlice, whose_memory_would_be_beyond_all_limits_is_refused) {
  EXPECT_TRUE(Publisher<Words>::memory_needed({.longest = UINT64_MAX}).failed_with(Errc::limit_reached));
  EXPECT_TRUE(
      Publisher<Words>::create(holder_, "t", {.longest = std::uint64_t{1} << 36}).failed_with(Errc::limit_reached));
}

TEST_F(TopicSlice, is_written_in_place_shortened_and_published) {
  auto publisher = Publisher<Words>::create(holder_, "t").or_throw();
  auto subscriber = Subscriber<Words>::create(holder_, "t").or_throw();
  auto loan = publisher.loan(100).or_throw();
  EXPECT_EQ(loan.size(), 100U);
  std::iota(loan.begin(), loan.end(), std::uint64_t{7});
  loan.shorten(3);
  ASSERT_TRUE(publisher.publish(std::move(loan), never));
  EXPECT_THAT(*subscriber.receive(never).or_throw(), ElementsAre(7U, 8U, 9U));
}

// F58
TEST_F(TopicSlice, lent_and_dropped_goes_back) {
  auto publisher = Publisher<Words>::create(holder_, "t", {.depth = 2, .max_loans = 1, .held = 0}).or_throw();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(publisher.loan(100)) << i;
  }
}

// Each place of the ring has had a chunk and then a short message, and the other way round.
TEST_F(TopicSlice, gives_a_chunk_back_that_a_short_message_overwrites) {
  auto publisher = Publisher<Words>::create(holder_, "t", {.depth = 2, .max_loans = 1, .held = 1}).or_throw();
  auto subscriber = Subscriber<Words>::create(holder_, "t").or_throw();
  for (std::size_t i = 0; i < 100; ++i) {
    const std::size_t count = i % 3 == 0 ? 3 : 50;
    ASSERT_TRUE(publisher.publish(row(count, i), immediately)) << i;
    EXPECT_THAT(*subscriber.try_receive().or_throw(), ElementsAreArray(row(count, i)));
  }
}

TEST_F(TopicSlice, that_is_long_is_held_while_its_publisher_goes_on) {
  auto publisher = Publisher<Words>::create(holder_, "t", {.depth = 2}).or_throw();
  auto subscriber = Subscriber<Words>::create(holder_, "t").or_throw();
  ASSERT_TRUE(publisher.publish(row(50, 1000), never));
  const auto held = subscriber.receive(never).or_throw();
  for (std::size_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(publisher.publish(row(i % 2 == 0 ? 50 : 2, i), immediately)) << i;
    ASSERT_TRUE(subscriber.try_receive()) << i;
  }
  EXPECT_THAT(*held, ElementsAreArray(row(50, 1000)));
}

TEST_F(TopicSlice, that_is_short_moves_with_its_sample) {
  auto publisher = Publisher<Words>::create(holder_, "t").or_throw();
  auto subscriber = Subscriber<Words>::create(holder_, "t").or_throw();
  ASSERT_TRUE(publisher.publish(row(3, 1), never));
  ASSERT_TRUE(publisher.publish(row(3, 5), never));
  auto first = subscriber.receive(never).or_throw();
  auto second = subscriber.receive(never).or_throw();
  first = std::move(second);
  EXPECT_THAT(*first, ElementsAre(5U, 6U, 7U));
  EXPECT_EQ(first.number(), 1U);
}

TEST_F(TopicSlice, of_structures_is_of_another_type_than_one_of_them) {
  auto publisher = Publisher<Slice<Point>>::create(holder_, "t").or_throw();
  auto subscriber = Subscriber<Slice<Point>>::create(holder_, "t").or_throw();
  ASSERT_TRUE(publisher.publish(std::array<Point, 2>{{{1, 2, 3}, {4, 5, 6}}}, never));
  EXPECT_EQ(subscriber.receive(never).or_throw()[1].y, 5);
  const auto other = Subscriber<Point>::create(holder_, "t");
  ASSERT_TRUE(other.failed_with(Errc::type_mismatch));
  EXPECT_THAT(other.error().message(), HasSubstr("Slice<Point>"));
  EXPECT_TRUE(Subscriber<Words>::create(holder_, "t").failed_with(Errc::type_mismatch));
}

TEST_F(TopicSlice, of_bytes_and_bytes_are_the_same) {
  auto publisher = Publisher<Bytes>::create(holder_, "t").or_throw();
  auto bytes = Subscriber<Bytes>::create(holder_, "t").or_throw();
  auto numbers = Subscriber<Slice<std::uint8_t>>::create(holder_, "t").or_throw();
  ASSERT_TRUE(publisher.publish(bytes_of("hello"), never));
  EXPECT_EQ(text_of(*bytes.receive(never).or_throw()), "hello");
  EXPECT_THAT(*numbers.receive(never).or_throw(), ElementsAre('h', 'e', 'l', 'l', 'o'));
}

TEST_F(TopicSlice, reaches_another_process_which_holds_it_after_its_publisher_was_killed) {
  auto subscriber = Subscriber<Words>::create(holder_, "t").or_throw();
  Child child = spawn([&] {
                  const Life life = Life::join(unique_.domain()).or_throw();
                  const Holder self = Holder::of(unique_.domain(), life).or_throw();
                  auto publisher = Publisher<Words>::create(self, "t").or_throw();
                  publisher.publish(row(500, 3), never).or_throw();
                  publisher.publish(row(2, 4), never).or_throw();
                  return ::raise(SIGKILL);
                }).or_throw();
  const auto longer = subscriber.receive(never).or_throw();
  EXPECT_EQ(child.wait(never).or_throw().signal(), SIGKILL);
  EXPECT_THAT(*subscriber.receive(never).or_throw(), ElementsAre(4U, 5U));
  EXPECT_TRUE(subscriber.receive(never).failed_with(Errc::peer_died));
  EXPECT_THAT(*longer, ElementsAreArray(row(500, 3)));
  sweep(unique_.domain()).or_throw();
}

// F35
TEST_F(TopicSlice, is_refused_in_a_forked_child) {
  auto publisher = Publisher<Words>::create(holder_, "t").or_throw();
  auto subscriber = Subscriber<Words>::create(holder_, "t").or_throw();
  ASSERT_TRUE(publisher.publish(row(2, 1), never));
  kit::ReportedChild child("child", [&] {
    EXPECT_TRUE(publisher.publish(row(2, 9), never).failed_with(Errc::in_child));
    EXPECT_TRUE(publisher.publish(row(200, 9), never).failed_with(Errc::in_child));
    EXPECT_TRUE(publisher.loan(2).failed_with(Errc::in_child));
    EXPECT_TRUE(subscriber.receive(never).failed_with(Errc::in_child));
  });
  ASSERT_TRUE(child.finish(after(kit::patient(kit::default_limit))));
  ASSERT_TRUE(publisher.publish(row(2, 5), never));
  EXPECT_THAT(*subscriber.receive(never).or_throw(), ElementsAre(1U, 2U));
  EXPECT_THAT(*subscriber.receive(never).or_throw(), ElementsAre(5U, 6U));
}

TEST_F(TopicSlice, that_was_published_or_moved_is_no_longer_written_to) {
  auto publisher = Publisher<Words>::create(holder_, "t").or_throw();
  auto loan = publisher.loan(3).or_throw();
  auto moved = std::move(loan);
  EXPECT_EQ(loan.size(), 0U);
  ASSERT_TRUE(publisher.publish(std::move(moved), never));
  EXPECT_EQ(moved.size(), 0U);
}

using TopicBatch = TopicSlice;

struct Tick {
  std::uint64_t number;
  double price;
};
TENON_FIELDS(Tick, number, price);

std::vector<Tick> ticks(std::size_t count, std::uint64_t first) {
  std::vector<Tick> all(count);
  for (Tick& tick : all) {
    tick = {.number = first++, .price = 1};
  }
  return all;
}

TEST_F(TopicBatch, is_received_in_order_singly_and_in_batches) {
  auto publisher = Publisher<Tick>::create(holder_, "t").or_throw();
  auto subscriber = Subscriber<Tick>::create(holder_, "t").or_throw();
  EXPECT_EQ(publisher.publish_batch(ticks(10, 0), never).or_throw(), 10U);
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 0U);
  std::array<Tick, 6> some{};
  EXPECT_EQ(subscriber.receive_batch(some, never).or_throw(), 6U);
  EXPECT_EQ(some[0].number, 1U);
  EXPECT_EQ(some[5].number, 6U);
  EXPECT_EQ(subscriber.receive_batch(some, never).or_throw(), 3U);
  EXPECT_EQ(some[2].number, 9U);
  EXPECT_TRUE(subscriber.receive_batch(some, immediately).failed_with(Errc::timed_out));
}

// F61
TEST_F(TopicBatch, says_how_many_there_was_room_for) {
  auto publisher = Publisher<Tick>::create(holder_, "t", {.depth = 4}).or_throw();
  auto subscriber = Subscriber<Tick>::create(holder_, "t").or_throw();
  EXPECT_EQ(publisher.publish_batch(ticks(6, 0), immediately).or_throw(), 4U);
  EXPECT_TRUE(publisher.publish_batch(ticks(1, 0), immediately).failed_with(Errc::would_block));
  EXPECT_EQ(publisher.publish_batch({}, immediately).or_throw(), 0U);
  std::array<Tick, 3> some{};
  EXPECT_EQ(subscriber.receive_batch(some, never).or_throw(), 3U);
  EXPECT_EQ(publisher.publish_batch(ticks(6, 4), immediately).or_throw(), 3U);
}

// F35
TEST_F(TopicBatch, is_refused_in_a_forked_child) {
  auto publisher = Publisher<Tick>::create(holder_, "t").or_throw();
  auto subscriber = Subscriber<Tick>::create(holder_, "t").or_throw();
  ASSERT_EQ(publisher.publish_batch(ticks(2, 0), never).or_throw(), 2U);
  kit::ReportedChild child("child", [&] {
    std::array<Tick, 2> some{};
    EXPECT_TRUE(publisher.publish_batch(ticks(2, 0), never).failed_with(Errc::in_child));
    EXPECT_TRUE(subscriber.receive_batch(some, never).failed_with(Errc::in_child));
  });
  ASSERT_TRUE(child.finish(after(kit::patient(kit::default_limit))));
  std::array<Tick, 4> some{};
  EXPECT_EQ(subscriber.receive_batch(some, never).or_throw(), 2U);
}

// The bell's word, which a sleeper has set, is another once it was rung.
TEST_F(TopicBatch, wakes_who_sleeps) {
  auto publisher = Publisher<Tick>::create(holder_, "t").or_throw();
  kit::ReportedChild child("subscriber", [&] {
    const Life life = Life::join(unique_.domain()).or_throw();
    const Holder self = Holder::of(unique_.domain(), life).or_throw();
    auto subscriber = Subscriber<Tick>::create(self, "t", {.waiting = Waiting::sleep}).or_throw();
    EXPECT_EQ(subscriber.receive(never).or_throw()->number, 0U);
  });
  while (publisher.subscribers().empty()) {
    ::sched_yield();
  }
  kit::until_asleep(child.process().pid());
  const Fd bell = Fd::adopt(::open((unique_.path() + "/topic.t/bell").c_str(), O_RDONLY | O_CLOEXEC));
  const auto word = [&] {
    std::uint32_t rung = 0;
    EXPECT_EQ(::pread(bell.raw(), &rung, sizeof rung, 0), static_cast<ssize_t>(sizeof rung));
    return rung;
  };
  const std::uint32_t before = word();
  ASSERT_EQ(publisher.publish_batch(ticks(3, 0), never).or_throw(), 3U);
  EXPECT_NE(word(), before);
  ASSERT_TRUE(child.finish(after(kit::patient(kit::default_limit))));
}

// The first look for room is made before the time is asked for, the second is not.
TEST_F(TopicBatch, ends_at_its_deadline_or_stop_where_there_is_always_room) {
  auto publisher = Publisher<Tick>::create(holder_, "t", {.depth = 4}).or_throw();
  auto subscriber = Subscriber<Tick>::create(holder_, "t", {.reliable = false}).or_throw();
  auto stop = Stop::create().or_throw();
  stop.request();
  EXPECT_EQ(publisher.publish_batch(ticks(100, 0), never.or_stop(stop)).or_throw(), 4U);
  EXPECT_EQ(publisher.publish_batch(ticks(100, 0), after(std::chrono::nanoseconds(1))).or_throw(), 4U);
  EXPECT_EQ(publisher.publish_batch(ticks(100, 0), immediately).or_throw(), 100U);
}

TEST_F(TopicBatch, longer_than_the_ring_goes_through_while_somebody_receives) {
  constexpr std::size_t all = 10'000;
  auto subscriber = Subscriber<Tick>::create(holder_, "t").or_throw();
  Child child = spawn([&] {
                  const Life life = Life::join(unique_.domain()).or_throw();
                  const Holder self = Holder::of(unique_.domain(), life).or_throw();
                  auto publisher = Publisher<Tick>::create(self, "t", {.depth = 16}).or_throw();
                  return publisher.publish_batch(ticks(all, 0), never).or_throw() == all ? 0 : 1;
                }).or_throw();
  std::uint64_t next = 0;
  std::array<Tick, 7> some{};
  while (next < all) {
    const std::size_t count = subscriber.receive_batch(some, never).or_throw();
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(some[i].number, next++);
    }
  }
  EXPECT_EQ(child.wait(never).or_throw().code(), 0);
  EXPECT_EQ(subscriber.lost(), 0U);
}

// F61
TEST_F(TopicBatch, of_whose_beginning_was_overwritten_is_counted_as_lost) {
  auto publisher = Publisher<Tick>::create(holder_, "t", {.depth = 8}).or_throw();
  auto subscriber = Subscriber<Tick>::create(holder_, "t", {.reliable = false}).or_throw();
  EXPECT_EQ(publisher.publish_batch(ticks(100, 0), never).or_throw(), 100U);
  std::array<Tick, 100> some{};
  const std::size_t count = subscriber.receive_batch(some, never).or_throw();
  EXPECT_EQ(some[count - 1].number, 99U);
  EXPECT_EQ(subscriber.lost() + count, 100U);
}

TEST_F(TopicBatch, has_one_time_where_the_publisher_says_so) {
  auto publisher = Publisher<Tick>::create(holder_, "t", {.timestamps = Timestamps::batch}).or_throw();
  auto exact = Publisher<Tick>::create(holder_, "u").or_throw();
  auto subscriber = Subscriber<Tick>::create(holder_, "t").or_throw();
  auto other = Subscriber<Tick>::create(holder_, "u").or_throw();
  for (auto* each : {&publisher, &exact}) {
    ASSERT_EQ(each->publish_batch(ticks(200, 0), never).or_throw(), 200U);
  }
  const std::uint64_t first = subscriber.receive(never).or_throw().ticks();
  const std::uint64_t first_exact = other.receive(never).or_throw().ticks();
  std::uint64_t last = 0;
  std::uint64_t last_exact = 0;
  for (int i = 1; i < 200; ++i) {
    last = subscriber.receive(never).or_throw().ticks();
    last_exact = other.receive(never).or_throw().ticks();
  }
  EXPECT_NE(first, 0U);
  EXPECT_EQ(first, last);
  EXPECT_LT(first_exact, last_exact);
  ASSERT_TRUE(publisher.publish({.number = 0, .price = 0}, never));
  EXPECT_LT(last, subscriber.receive(never).or_throw().ticks());
}

}  // namespace

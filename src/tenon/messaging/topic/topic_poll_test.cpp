#include <tenon/messaging/topic/topic.hpp>

#include <tenon/ipc/eventfd/eventfd.hpp>
#include <tenon/memory/type_fields.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/poll.hpp>

#include <kit/numbers.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

using Short = kit::Numbers<2>;
using kit::numbered;

class TopicPoll : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  const Domain& domain_ = unique_.domain();
  Life life_ = Life::join(domain_).or_throw();
  Holder holder_ = Holder::of(domain_, life_).or_throw();
  kit::Watchdog watchdog_{"a topic that is polled"};

  static bool is_readable(FdView fd) { return wait_ready(fd, Ready::reading, immediately).has_value(); }
  // Until it is killed.
  [[noreturn]] static void stay() {
    while (true) {
      ::pause();
    }
  }
  // Receives nothing, which makes it listen.
  template <class T>
  static void expect_nothing(Subscriber<T>& subscriber) {
    EXPECT_TRUE(subscriber.try_receive().failed_with(Errc::would_block));
  }
};

TEST_F(TopicPoll, is_readable_at_first_and_when_a_message_comes) {
  auto publisher = Publisher<Short>::create(holder_, "t").or_throw();
  auto subscriber = Subscriber<Short>::create(holder_, "t").or_throw();
  const FdView fd = subscriber.fd().or_throw();
  EXPECT_TRUE(is_readable(fd));
  // The clock that rings for the recheck may ring between any two of these lines, but not in each round.
  int silent = 0;
  constexpr int rounds = 20;
  for (int i = 1; i <= rounds; ++i) {
    expect_nothing(subscriber);
    silent += is_readable(fd) ? 0 : 1;
    publisher.publish(numbered<Short>(1), never).or_throw();
    ASSERT_TRUE(is_readable(fd)) << i;
    ASSERT_TRUE(subscriber.try_receive()) << i;
  }
  EXPECT_GT(silent, rounds / 2);
}

TEST_F(TopicPoll, is_rung_by_a_publisher_that_came_later_and_by_one_that_ends) {
  auto subscriber = Subscriber<Short>::create(holder_, "t").or_throw();
  const FdView fd = subscriber.fd().or_throw();
  for (int i = 0; i < 20; ++i) {
    expect_nothing(subscriber);
    auto publisher = Publisher<Short>::create(holder_, "t").or_throw();
    publisher.publish(numbered<Short>(1), never).or_throw();
    ASSERT_TRUE(is_readable(fd)) << i;
    ASSERT_TRUE(subscriber.try_receive()) << i;
    expect_nothing(subscriber);
    std::move(publisher).close().or_throw();
    ASSERT_TRUE(is_readable(fd)) << i;
    ASSERT_TRUE(subscriber.try_receive().failed_with(Errc::closed)) << i;
  }
}

TEST_F(TopicPoll, rings_every_subscription_that_listens_and_wakes_who_sleeps_beside_them) {
  auto publisher = Publisher<Short>::create(holder_, "t").or_throw();
  auto one = Subscriber<Short>::create(holder_, "t").or_throw();
  auto other = Subscriber<Short>::create(holder_, "t").or_throw();
  const FdView of_one = one.fd().or_throw();
  const FdView of_other = other.fd().or_throw();
  EventFd is_there = EventFd::create(0).or_throw();
  kit::ReportedChild sleeper("who sleeps", [&] {
    const Life life = Life::join(domain_).or_throw();
    const Holder self = Holder::of(domain_, life).or_throw();
    auto subscriber = Subscriber<Short>::create(self, "t", {.waiting = Waiting::sleep}).or_throw();
    is_there.post(1, never).or_throw();
    EXPECT_TRUE(subscriber.receive(never));
  });
  is_there.wait(never).or_throw();
  expect_nothing(one);
  expect_nothing(other);
  publisher.publish(numbered<Short>(1), never).or_throw();
  EXPECT_TRUE(is_readable(of_one));
  EXPECT_TRUE(is_readable(of_other));
  EXPECT_TRUE(one.try_receive());
  EXPECT_TRUE(other.try_receive());
  sleeper.finish(never).or_throw();
}

// F44
TEST_F(TopicPoll, rings_itself_within_a_recheck_if_nobody_else_does) {
  auto subscriber = Subscriber<Short>::create(holder_, "t").or_throw();
  const FdView fd = subscriber.fd().or_throw();
  for (int i = 0; i < 3; ++i) {
    expect_nothing(subscriber);
    EXPECT_TRUE(wait_ready(fd, Ready::reading, after(10s)));
  }
}

// F63
TEST_F(TopicPoll, learns_of_a_publishers_death) {
  auto subscriber = Subscriber<Short>::create(holder_, "t").or_throw();
  const FdView fd = subscriber.fd().or_throw();
  kit::ReportedChild child("publisher", [&] {
    const Life life = Life::join(domain_).or_throw();
    const Holder self = Holder::of(domain_, life).or_throw();
    auto publisher = Publisher<Short>::create(self, "t").or_throw();
    publisher.publish(numbered<Short>(1), never).or_throw();
    stay();
  });
  const auto next = [&] {
    auto received = subscriber.try_receive();
    for (; received.failed_with(Errc::would_block); received = subscriber.try_receive()) {
      wait_ready(fd, Ready::reading, never).or_throw();
    }
    return received;
  };
  EXPECT_TRUE(next());
  child.kill();
  EXPECT_TRUE(next().failed_with(Errc::peer_died));
  sweep(domain_).or_throw();
}

// F60, F64
TEST_F(TopicPoll, leaves_no_socket_behind) {
  auto publisher = Publisher<Short>::create(holder_, "t").or_throw();  // else all goes with the folder
  {
    auto subscriber = Subscriber<Short>::create(holder_, "t").or_throw();
    subscriber.fd().or_throw();
    EXPECT_THAT(kit::names_in(unique_.path() + "/topic.t"), testing::Contains(testing::StartsWith("wake.")));
  }
  EXPECT_THAT(kit::names_in(unique_.path() + "/topic.t"),
              testing::Not(testing::Contains(testing::StartsWith("wake."))));
  EventFd is_there = EventFd::create(0).or_throw();
  kit::ReportedChild child("subscriber", [&] {
    const Life life = Life::join(domain_).or_throw();
    const Holder self = Holder::of(domain_, life).or_throw();
    auto subscriber = Subscriber<Short>::create(self, "t").or_throw();
    subscriber.fd().or_throw();
    is_there.post(1, never).or_throw();
    stay();
  });
  is_there.wait(never).or_throw();
  child.kill();
  child.finish(never).or_throw();
  sweep(domain_).or_throw();
  std::move(publisher).close().or_throw();
  EXPECT_THAT(kit::names_in(unique_.path()), testing::Not(testing::Contains("topic.t")));
}

// F35
TEST_F(TopicPoll, is_refused_in_a_forked_child) {
  auto subscriber = Subscriber<Short>::create(holder_, "t").or_throw();
  kit::ReportedChild child("child", [&] { EXPECT_TRUE(subscriber.fd().failed_with(Errc::in_child)); });
  child.finish(never).or_throw();
}

}  // namespace

#include <tenon/messaging/dispatcher/dispatcher.hpp>

#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/dispatcher/task.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/stop.hpp>

#include <kit/numbers.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <chrono>
#include <gtest/gtest.h>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

using Short = kit::Numbers<2>;
using Long = kit::Numbers<100>;
using kit::numbered;

class DispatcherTest : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  const Domain& domain_ = unique_.domain();
  Life life_ = Life::join(domain_).or_throw();
  Holder holder_ = Holder::of(domain_, life_).or_throw();
  Dispatcher dispatcher_ = Dispatcher::create().or_throw();
  kit::Watchdog watchdog_{"a dispatcher"};

  template <class T = Short>
  Publisher<T> publisher(std::string_view topic) {
    return Publisher<T>::create(holder_, topic).or_throw();
  }
  template <class T = Short>
  Subscriber<T> subscriber(std::string_view topic) {
    return Subscriber<T>::create(holder_, topic).or_throw();
  }
  static void publish(Publisher<Short>& publisher, std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t number = first; number <= last; ++number) {
      publisher.publish(numbered<Short>(number), never).or_throw();
    }
  }
};

TEST_F(DispatcherTest, calls_each_ports_function_with_its_messages) {
  auto to_one = publisher("one");
  auto to_other = publisher("other");
  auto one = subscriber("one");
  auto other = subscriber("other");
  std::vector<std::uint64_t> of_one;
  std::vector<std::uint64_t> of_other;
  const auto numbers_into = [this](std::vector<std::uint64_t>& numbers) {
    return [this, &numbers](Result<Sample<Short>> sample) {
      numbers.push_back(std::move(sample).or_throw()->number);
      if (numbers.back() == 3) {
        dispatcher_.finish();
      }
    };
  };
  const Watch watch_one = dispatcher_.on_message(one, numbers_into(of_one)).or_throw();
  const Watch watch_other = dispatcher_.on_message(other, numbers_into(of_other)).or_throw();
  publish(to_one, 1, 2);
  publish(to_other, 1, 3);
  dispatcher_.run(never).or_throw();
  EXPECT_EQ(of_other, (std::vector<std::uint64_t>{1, 2, 3}));
  publish(to_one, 3, 3);
  dispatcher_.run(never).or_throw();
  EXPECT_EQ(of_one, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(DispatcherTest, is_woken_by_another_process_and_told_of_its_end) {
  auto port = subscriber("t");
  std::uint64_t received = 0;
  std::optional<Errc> end;
  const Watch watch = dispatcher_
                          .on_message(port,
                                      [&](Result<Sample<Short>> sample) {
                                        if (sample) {
                                          ++received;
                                        } else {
                                          end = sample.error().code();
                                          dispatcher_.finish();
                                        }
                                      })
                          .or_throw();
  constexpr std::uint64_t messages = 5000;
  kit::ReportedChild child("publisher", [&] {
    const Life life = Life::join(domain_).or_throw();
    const Holder self = Holder::of(domain_, life).or_throw();
    auto publisher = Publisher<Short>::create(self, "t").or_throw();
    publish(publisher, 1, messages);
    std::move(publisher).close().or_throw();
  });
  dispatcher_.run(never).or_throw();
  EXPECT_EQ(received, messages);
  EXPECT_EQ(end, Errc::closed);
  child.finish(never).or_throw();
}

TEST_F(DispatcherTest, gives_others_their_turn_beside_one_that_always_has_more) {
  auto to_busy = publisher("busy");
  auto busy = subscriber("busy");
  auto quiet = subscriber("quiet");
  auto to_quiet = publisher("quiet");
  publish(to_busy, 1, 1);
  publish(to_quiet, 1, 1);
  std::uint64_t handled = 0;
  const Watch endless = dispatcher_
                            .on_message(busy,
                                        [&](Result<Sample<Short>> sample) {
                                          ++handled;
                                          const std::uint64_t next = std::move(sample).or_throw()->number + 1;
                                          publish(to_busy, next, next);
                                        })
                            .or_throw();
  const Watch watch = dispatcher_.on_message(quiet, [&](Result<Sample<Short>>) { dispatcher_.finish(); }).or_throw();
  dispatcher_.run(never).or_throw();
  EXPECT_GE(handled, 1U);
  // And a deadline is kept.
  EXPECT_TRUE(dispatcher_.run(after(5ms)).failed_with(Errc::timed_out));
}

TEST_F(DispatcherTest, ends_with_its_deadline_or_stop) {
  auto port = subscriber("t");
  const Watch watch = dispatcher_.on_message(port, [](Result<Sample<Short>>) { FAIL(); }).or_throw();
  EXPECT_TRUE(dispatcher_.run(after(20ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(dispatcher_.run_once(immediately).has_value() ||
              dispatcher_.run_once(immediately).failed_with(Errc::timed_out));
  Stop stop = Stop::create().or_throw();
  stop.request();
  EXPECT_TRUE(dispatcher_.run(never.or_stop(stop)).failed_with(Errc::stopped));
}

TEST_F(DispatcherTest, calls_nothing_for_a_watch_that_was_dropped) {
  auto to_port = publisher("t");
  auto port = subscriber("t");
  int calls = 0;
  std::optional<Watch> watch;
  watch = dispatcher_
              .on_message(port,
                          [&](Result<Sample<Short>>) {
                            ++calls;
                            watch.reset();  // within its own function
                          })
              .or_throw();
  publish(to_port, 1, 3);
  EXPECT_TRUE(dispatcher_.run(after(20ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(port.try_receive().or_throw()->number, 2U);
}

TEST_F(DispatcherTest, asks_again_for_what_cannot_be_had_but_not_without_end) {
  auto to_port = publisher<Long>("t");
  auto port = Subscriber<Long>::create(holder_, "t", {.max_held = 1}).or_throw();
  std::optional<Sample<Long>> held;
  int refused = 0;
  const Watch watch = dispatcher_
                          .on_message(port,
                                      [&](Result<Sample<Long>> sample) {
                                        if (sample) {
                                          held.emplace(std::move(*sample));
                                        } else {
                                          EXPECT_TRUE(sample.failed_with(Errc::limit_reached));
                                          refused += 1;
                                        }
                                      })
                          .or_throw();
  to_port.publish(numbered<Long>(1), never).or_throw();
  to_port.publish(numbered<Long>(2), never).or_throw();
  EXPECT_TRUE(dispatcher_.run(after(300ms)).failed_with(Errc::timed_out));
  EXPECT_GE(refused, 2);
  EXPECT_LE(refused, 30);
  held.reset();
  while (!held) {
    dispatcher_.run_once(never).or_throw();
  }
  EXPECT_EQ((**held).number, 2U);
  held.reset();
}

TEST_F(DispatcherTest, survives_its_watches_and_they_it) {
  auto port = subscriber("t");
  std::optional<Dispatcher> dispatcher = Dispatcher::create().or_throw();
  const Watch watch = dispatcher->on_message(port, [](Result<Sample<Short>>) {}).or_throw();
  EXPECT_TRUE(dispatcher->on_message(port, [](Result<Sample<Short>>) {}).failed_with(Errc::already_exists));
  dispatcher.reset();
}

// GCC 12 keeps what a lambda captures only as long as the lambda: coroutines take parameters.
Task add_up(Dispatcher& dispatcher, Subscriber<Short>& port, std::uint64_t& sum, std::optional<Errc>& end) {
  while (true) {
    auto sample = co_await dispatcher.next(port);
    if (!sample) {
      end = sample.error().code();
      co_return;
    }
    sum += (*sample)->number;
  }
}

TEST_F(DispatcherTest, goes_on_with_a_coroutine_that_awaits_a_port) {
  auto to_port = publisher("t");
  auto port = subscriber("t");
  publish(to_port, 1, 2);
  std::uint64_t sum = 0;
  std::optional<Errc> end;
  const Task task = add_up(dispatcher_, port, sum, end);
  EXPECT_EQ(sum, 3U);  // what was there is received before it first awaits
  EXPECT_FALSE(task.is_done());
  publish(to_port, 3, 4);
  while (sum < 10) {
    dispatcher_.run_once(never).or_throw();
  }
  EXPECT_EQ(sum, 10U);
  std::move(to_port).close().or_throw();
  while (!task.is_done()) {
    dispatcher_.run_once(never).or_throw();
  }
  EXPECT_EQ(end, Errc::closed);
}

TEST_F(DispatcherTest, forgets_a_coroutine_that_is_dropped_while_it_awaits) {
  auto to_port = publisher("t");
  auto port = subscriber("t");
  std::uint64_t sum = 0;
  std::optional<Errc> end;
  {
    const Task task = add_up(dispatcher_, port, sum, end);
  }
  publish(to_port, 1, 1);
  EXPECT_TRUE(dispatcher_.run(after(20ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(sum, 0U);
  EXPECT_TRUE(port.try_receive());
}

Task throws_after_one(Dispatcher& dispatcher, Subscriber<Short>& port) {
  (co_await dispatcher.next(port)).or_throw();
  throw std::runtime_error("after one");
}

TEST_F(DispatcherTest, keeps_what_a_coroutine_throws) {
  auto to_port = publisher("t");
  auto port = subscriber("t");
  const Task task = throws_after_one(dispatcher_, port);
  EXPECT_NO_THROW(task.rethrow());
  publish(to_port, 1, 1);
  while (!task.is_done()) {
    dispatcher_.run_once(never).or_throw();
  }
  EXPECT_THROW(task.rethrow(), std::runtime_error);
}

TEST_F(DispatcherTest, that_was_finished_before_it_ran_ends_at_once_and_runs_again) {
  auto to_port = publisher("t");
  auto port = subscriber("t");
  int calls = 0;
  const Watch watch = dispatcher_.on_message(port, [&](Result<Sample<Short>>) { ++calls; }).or_throw();
  publish(to_port, 1, 1);
  dispatcher_.finish();
  EXPECT_TRUE(dispatcher_.run(never));
  EXPECT_EQ(calls, 0);
  while (calls == 0) {
    dispatcher_.run_once(never).or_throw();
  }
  EXPECT_EQ(calls, 1);
}

// GCC 12 miscompiles co_await within the condition of a loop.
Task receive_all(Dispatcher& dispatcher, Subscriber<Short>& port, int& received) {
  auto sample = co_await dispatcher.next(port);
  while (sample) {
    ++received;
    sample = co_await dispatcher.next(port);
  }
}

TEST_F(DispatcherTest, lets_others_have_their_turn_beside_a_coroutine_that_need_not_wait) {
  auto to_port = publisher("t");
  auto port = subscriber("t");
  constexpr int messages = 1000;
  publish(to_port, 1, messages);
  int received = 0;
  const Task task = receive_all(dispatcher_, port, received);
  EXPECT_GT(received, 0);
  EXPECT_LT(received, messages);
  while (received < messages) {
    dispatcher_.run_once(never).or_throw();
  }
}

// A function that throws is called again for what it has not taken.
TEST_F(DispatcherTest, goes_on_after_a_function_has_thrown) {
  auto to_port = publisher("t");
  auto port = subscriber("t");
  std::uint64_t last = 0;
  const Watch watch = dispatcher_
                          .on_message(port,
                                      [&](Result<Sample<Short>> sample) {
                                        last = std::move(sample).or_throw()->number;
                                        if (last == 1) {
                                          throw std::runtime_error("at the first");
                                        }
                                      })
                          .or_throw();
  publish(to_port, 1, 2);
  EXPECT_THROW((void)dispatcher_.run(never), std::runtime_error);
  EXPECT_TRUE(dispatcher_.run_once(immediately));
  EXPECT_EQ(last, 2U);
}

// F35
TEST_F(DispatcherTest, is_refused_in_a_forked_child_which_takes_nothing_from_its_parent) {
  auto to_port = publisher("t");
  auto port = subscriber("t");
  int calls = 0;
  std::optional<Watch> watch = dispatcher_.on_message(port, [&](Result<Sample<Short>>) { ++calls; }).or_throw();
  dispatcher_.run_once(never).or_throw();
  kit::ReportedChild child("child", [&] {
    EXPECT_TRUE(dispatcher_.run(never).failed_with(Errc::in_child));
    EXPECT_TRUE(dispatcher_.on_message(port, [](Result<Sample<Short>>) {}).failed_with(Errc::in_child));
    watch.reset();
  });
  child.finish(never).or_throw();
  publish(to_port, 1, 1);
  while (calls == 0) {
    dispatcher_.run_once(never).or_throw();
  }
  EXPECT_EQ(calls, 1);
}

}  // namespace

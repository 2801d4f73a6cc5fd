// Topics between processes: through, asleep, killed, forked, and beside one that writes garbage wherever it may.
#include <tenon/messaging/topic/topic.hpp>

#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <kit/asleep.hpp>
#include <kit/numbers.hpp>
#include <kit/patience.hpp>
#include <kit/reported_child.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace tenon;

namespace {

using kit::is_whole;
using kit::numbered;
using Short = kit::Numbers<2>;
using Long = kit::Numbers<100>;

// What each process of a test has for itself.
struct Member {
  explicit Member(const Domain& domain)
      : life(Life::join(domain).or_throw()), holder(Holder::of(domain, life).or_throw()) {}
  Life life;
  Holder holder;
};

template <class T>
class TopicBetweenProcesses : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  const Domain& domain_ = unique_.domain();
  kit::Watchdog watchdog_{"a topic between processes", std::chrono::seconds(60)};

  // What the killed have left goes with the next who come.
  void bury_the_dead() {
    sweep(domain_).or_throw();
    const Member self(domain_);
    Subscriber<T>::create(self.holder, "t").or_throw();
    EXPECT_THAT(kit::names_in(unique_.path()), testing::Not(testing::Contains("topic.t")));
  }

  // Receives up to number `last`, each once and in order; returns how many.
  static std::uint64_t receive_all(Subscriber<T>& subscriber, std::uint64_t last) {
    std::uint64_t received = 0;
    for (std::uint64_t number = 0; number != last; ++received) {
      const auto sample = subscriber.receive(never).or_throw();
      EXPECT_TRUE(is_whole(*sample)) << sample->number;
      EXPECT_EQ(sample->number, number + sample.lost_before() + 1);
      number = sample->number;
    }
    return received;
  }
};
using Sizes = testing::Types<Short, Long>;
TYPED_TEST_SUITE(TopicBetweenProcesses, Sizes);

// F33
TYPED_TEST(TopicBetweenProcesses, loses_nothing_on_the_way_to_reliable_subscribers_however_they_wait) {
  constexpr std::uint64_t messages = 20'000;
  const auto receive = [&](Waiting waiting) {
    return [&, waiting](kit::Stage& stage) {
      const Member self(this->domain_);
      auto subscriber = Subscriber<TypeParam>::create(self.holder, "t", {.waiting = waiting}).or_throw();
      stage.signal("there");
      EXPECT_EQ(this->receive_all(subscriber, messages), messages);
      EXPECT_EQ(subscriber.lost(), 0U);
    };
  };
  kit::run_sides({{"publisher",
                   [&](kit::Stage& stage) {
                     const Member self(this->domain_);
                     auto publisher = Publisher<TypeParam>::create(self.holder, "t", {.depth = 64}).or_throw();
                     stage.await("there", 2);
                     for (std::uint64_t i = 1; i <= messages; ++i) {
                       publisher.publish(numbered<TypeParam>(i), never).or_throw();
                     }
                   }},
                  {"asleep", receive(Waiting::sleep)},
                  {"adaptive", receive(Waiting::adaptive)}},
                 std::chrono::seconds(40));
}

// F24, F61
TYPED_TEST(TopicBetweenProcesses, shows_lossy_subscribers_whole_messages_and_counts_the_others) {
  constexpr std::uint64_t messages = 50'000;
  kit::run_sides({{"publisher",
                   [&](kit::Stage& stage) {
                     const Member self(this->domain_);
                     auto publisher = Publisher<TypeParam>::create(self.holder, "t", {.depth = 4}).or_throw();
                     stage.await("there");
                     for (std::uint64_t i = 1; i <= messages; ++i) {
                       publisher.publish(numbered<TypeParam>(i), immediately).or_throw();
                     }
                     stage.await("through");
                   }},
                  {"subscriber",
                   [&](kit::Stage& stage) {
                     const Member self(this->domain_);
                     auto subscriber = Subscriber<TypeParam>::create(self.holder, "t", {.reliable = false}).or_throw();
                     stage.signal("there");
                     const std::uint64_t received = this->receive_all(subscriber, messages);
                     EXPECT_EQ(received + subscriber.lost(), messages);
                     stage.signal("through");
                   }}},
                 std::chrono::seconds(40));
}

TYPED_TEST(TopicBetweenProcesses, wakes_a_subscriber_that_sleeps) {
  kit::Sides sides({{"subscriber",
                     [&](kit::Stage& stage) {
                       const Member self(this->domain_);
                       auto subscriber =
                           Subscriber<TypeParam>::create(self.holder, "t", {.waiting = Waiting::sleep}).or_throw();
                       stage.signal("there");
                       EXPECT_EQ(this->receive_all(subscriber, 3), 3U);
                     }},
                    {"publisher", [&](kit::Stage& stage) {
                       const Member self(this->domain_);
                       stage.await("there");
                       auto publisher = Publisher<TypeParam>::create(self.holder, "t").or_throw();
                       for (std::uint64_t i = 1; i <= 3; ++i) {
                         stage.await("asleep", static_cast<std::uint32_t>(i));
                         publisher.publish(numbered<TypeParam>(i), never).or_throw();
                         stage.signal("published");
                       }
                     }}});
  for (std::uint32_t i = 1; i <= 3; ++i) {
    sides.stage().await("there");
    kit::until_asleep(sides.side("subscriber").process().pid());
    sides.stage().signal("asleep");
    sides.stage().await("published", i);
  }
  sides.finish();
}

// F59, F63
TYPED_TEST(TopicBetweenProcesses, whose_publisher_is_killed_is_received_to_its_end_and_then_told) {
  const Member self(this->domain_);
  auto subscriber = Subscriber<TypeParam>::create(self.holder, "t").or_throw();
  kit::Sides sides({{"publisher", [&](kit::Stage& stage) {
                       const Member other(this->domain_);
                       auto publisher = Publisher<TypeParam>::create(other.holder, "t", {.depth = 16}).or_throw();
                       for (std::uint64_t i = 1; i <= 10; ++i) {
                         publisher.publish(numbered<TypeParam>(i), never).or_throw();
                       }
                       stage.signal("published");
                       stage.await("never");
                     }}});
  sides.stage().await("published");
  sides.side("publisher").kill();
  EXPECT_EQ(this->receive_all(subscriber, 10), 10U) << "it meets it dead";
  EXPECT_TRUE(subscriber.receive(never).failed_with(Errc::peer_died));
  EXPECT_THAT(kit::names_in(this->unique_.path() + "/topic.t"), testing::SizeIs(2)) << "the bell and the subscriber";
  auto next = Publisher<TypeParam>::create(self.holder, "t").or_throw();
  next.publish(numbered<TypeParam>(11), never).or_throw();
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 11U);
  sweep(this->domain_).or_throw();
}

// F60, F61
TYPED_TEST(TopicBetweenProcesses, whose_reliable_subscriber_is_killed_goes_on) {
  const Member self(this->domain_);
  auto publisher = Publisher<TypeParam>::create(self.holder, "t", {.depth = 4, .held = 4}).or_throw();
  kit::Sides sides({{"subscriber", [&](kit::Stage& stage) {
                       const Member other(this->domain_);
                       auto subscriber = Subscriber<TypeParam>::create(other.holder, "t").or_throw();
                       stage.signal("there");
                       std::vector<Sample<TypeParam>> held;
                       for (int i = 0; i < 3; ++i) {
                         held.push_back(subscriber.receive(never).or_throw());
                       }
                       stage.signal("holds");
                       stage.await("never");
                     }}});
  sides.stage().await("there");
  for (std::uint64_t i = 1; i <= 6; ++i) {
    publisher.publish(numbered<TypeParam>(i), never).or_throw();
  }
  sides.stage().await("holds");
  sides.side("subscriber").kill();
  for (std::uint64_t i = 7; i <= 100; ++i) {
    publisher.publish(numbered<TypeParam>(i), never).or_throw();
  }
  EXPECT_TRUE(publisher.subscribers().empty());
  sweep(this->domain_).or_throw();
}

// F62, F8
TYPED_TEST(TopicBetweenProcesses, is_clean_at_the_next_start_when_all_were_killed_at_once) {
  for (int round = 0; round < 3; ++round) {
    kit::Sides sides({{"publisher",
                       [&](kit::Stage& stage) {
                         const Member self(this->domain_);
                         auto publisher = Publisher<TypeParam>::create(self.holder, "t", {.depth = 4}).or_throw();
                         stage.barrier();
                         stage.signal("there");
                         for (std::uint64_t i = 1;; ++i) {
                           publisher.publish(numbered<TypeParam>(i), never).or_throw();
                         }
                       }},
                      {"subscriber", [&](kit::Stage& stage) {
                         const Member self(this->domain_);
                         auto subscriber = Subscriber<TypeParam>::create(self.holder, "t").or_throw();
                         stage.barrier();
                         stage.signal("there");
                         while (true) {
                           EXPECT_TRUE(is_whole(*subscriber.receive(never).or_throw()));
                         }
                       }}});
    sides.stage().await("there", 2);
    sides.side("publisher").kill();
    sides.side("subscriber").kill();
  }
  const Member self(this->domain_);
  {
    auto publisher = Publisher<TypeParam>::create(self.holder, "t", {.depth = 4}).or_throw();
    EXPECT_THAT(kit::names_in(this->unique_.path() + "/topic.t"), testing::SizeIs(2)) << "the bell and the publisher";
    for (std::uint64_t i = 1; i <= 10; ++i) {
      EXPECT_TRUE(publisher.try_publish(numbered<TypeParam>(i)));
    }
  }
  this->bury_the_dead();
}

// F35
TYPED_TEST(TopicBetweenProcesses, is_refused_in_a_forked_child_and_goes_on_in_the_parent) {
  const Member self(this->domain_);
  auto publisher = Publisher<TypeParam>::create(self.holder, "t").or_throw();
  auto subscriber = Subscriber<TypeParam>::create(self.holder, "t").or_throw();
  publisher.publish(numbered<TypeParam>(1), never).or_throw();
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 1U);
  publisher.publish(numbered<TypeParam>(2), never).or_throw();  // which the child must not take either
  kit::ReportedChild child("child", [&] {
    EXPECT_TRUE(publisher.publish(numbered<TypeParam>(3), never).failed_with(Errc::in_child));
    EXPECT_TRUE(publisher.loan().failed_with(Errc::in_child) || sizeof(TypeParam) < 100);
    EXPECT_TRUE(subscriber.receive(never).failed_with(Errc::in_child));
    EXPECT_TRUE(subscriber.try_receive().failed_with(Errc::in_child));
    EXPECT_TRUE(Publisher<TypeParam>::create(self.holder, "t").failed_with(Errc::in_child));
    EXPECT_TRUE(std::move(publisher).close().failed_with(Errc::in_child));
  });
  ASSERT_TRUE(child.finish(after(kit::patient(kit::default_limit))));
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 2U);
  publisher.publish(numbered<TypeParam>(3), never).or_throw();
  EXPECT_EQ(subscriber.receive(never).or_throw()->number, 3U);
}

// F35
TYPED_TEST(TopicBetweenProcesses, what_is_held_stays_as_it_is_when_a_forked_child_drops_its_copy) {
  const Member self(this->domain_);
  auto publisher = Publisher<TypeParam>::create(self.holder, "t", {.depth = 2}).or_throw();
  auto subscriber = Subscriber<TypeParam>::create(self.holder, "t", {.max_held = 2}).or_throw();
  publisher.publish(numbered<TypeParam>(1), never).or_throw();
  auto held = subscriber.receive(never).or_throw();
  kit::ReportedChild child("child", [&] { held.release(); });
  ASSERT_TRUE(child.finish(after(kit::patient(kit::default_limit))));
  for (std::uint64_t number = 2; number < 100; ++number) {
    publisher.publish(numbered<TypeParam>(number), never).or_throw();
    EXPECT_EQ(subscriber.receive(never).or_throw()->number, number);
  }
  EXPECT_EQ(held->number, 1U);
  EXPECT_TRUE(is_whole(*held));
}

// Where the subscriber's own file and the bell are mapped for writing, found by what /proc tells.
std::vector<std::span<std::atomic<std::uint32_t>>> own_pages(const std::string& topic) {
  std::vector<std::span<std::atomic<std::uint32_t>>> pages;
  std::FILE* const maps = std::fopen("/proc/self/maps", "r");
  std::array<char, 1024> line{};
  while (std::fgets(line.data(), line.size(), maps) != nullptr) {
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    std::array<char, 5> mode{};
    if (std::sscanf(line.data(), "%lx-%lx %4s", &from, &to, mode.data()) == 3 && mode[1] == 'w' &&
        std::string_view(line.data()).find(topic) != std::string_view::npos) {
      pages.push_back({reinterpret_cast<std::atomic<std::uint32_t>*>(from), (to - from) / 4});
    }
  }
  std::fclose(maps);
  return pages;
}

// F20, F21, F22
TYPED_TEST(TopicBetweenProcesses, is_right_for_the_others_beside_a_subscriber_that_writes_garbage_where_it_may) {
  constexpr std::uint64_t messages = 20'000;
  kit::Sides sides(
      {{"hostile",
        [&](kit::Stage& stage) {
          const Member self(this->domain_);
          auto subscriber =
              Subscriber<TypeParam>::create(self.holder, "t", {.reliable = false, .max_held = 64}).or_throw();
          const auto pages = own_pages("topic.t");
          EXPECT_EQ(pages.size(), 2U) << "its own file, and the bell";
          stage.signal("there");
          std::minstd_rand random(1);
          while (true) {
            const auto& page = pages[random() % pages.size()];
            page[random() % page.size()].store(random() % 3 == 0 ? static_cast<std::uint32_t>(random())
                                                                 : random() % 128);
          }
        }},
       {"subscriber",
        [&](kit::Stage& stage) {
          const Member self(this->domain_);
          auto subscriber = Subscriber<TypeParam>::create(self.holder, "t").or_throw();
          stage.signal("there");
          EXPECT_EQ(this->receive_all(subscriber, messages), messages);
        }},
       {"publisher",
        [&](kit::Stage& stage) {
          const Member self(this->domain_);
          auto publisher = Publisher<TypeParam>::create(self.holder, "t", {.depth = 64, .held = 200}).or_throw();
          stage.await("there", 2);
          for (std::uint64_t i = 1; i <= messages; ++i) {
            publisher.publish(numbered<TypeParam>(i), never).or_throw();
          }
          stage.signal("through");
        }}},
      std::chrono::seconds(50));
  sides.stage().await("through");
  sides.side("hostile").kill();
  sides.finish();
  this->bury_the_dead();
}

// F25
TYPED_TEST(TopicBetweenProcesses, ends_a_subscriber_that_writes_to_its_publishers_memory_and_nobody_else) {
  {
    const Member self(this->domain_);
    auto publisher = Publisher<Long>::create(self.holder, "t").or_throw();
    publisher.publish(numbered<Long>(1), never).or_throw();
    Child child = spawn([&] {
                    const Member other(this->domain_);
                    auto subscriber = Subscriber<Long>::create(other.holder, "t", {.history = 1}).or_throw();
                    const auto sample = subscriber.receive(never).or_throw();
                    ::signal(SIGSEGV, SIG_DFL);
                    const_cast<std::uint64_t volatile&>(sample->number) = 2;
                    return 0;
                  }).or_throw();
    EXPECT_EQ(child.wait(never).or_throw().signal(), SIGSEGV);
    auto subscriber = Subscriber<Long>::create(self.holder, "t", {.history = 1}).or_throw();
    EXPECT_EQ(subscriber.receive(never).or_throw()->number, 1U);
  }
  this->bury_the_dead();
}

}  // namespace

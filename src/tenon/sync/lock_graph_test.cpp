#include <tenon/sync/lock_graph.hpp>

#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/sync/lock_order_refusal.hpp>
#include <tenon/sync/lock_session.hpp>

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace tenon;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

/// A graph in a domain of its own, and what stands in its file.
class Scene {
 public:
  Scene() { domain_.directory().allow_leftovers(); }
  LockGraph graph() const { return LockGraph(LockOrderMapping::open_or_create(domain_.domain()).or_throw()); }
  LockOrderMapping file() const { return LockOrderMapping::open_or_create(domain_.domain()).or_throw(); }

 private:
  kit::UniqueDomain domain_;
};

LockIdentity lock_number(std::uint64_t number) {
  return {.kind = LockKind::mutex, .device = 1, .inode = 2, .offset = number, .name = "lock " + std::to_string(number)};
}

OrderStory story_in(const LockGraph& graph) {
  return {.token = Token::from(5),
          .pid = 17,
          .thread = 18,
          .held_at = graph.place(LockPlace("bank.cpp", 1)).or_throw(),
          .wanted_at = graph.place(LockPlace("bank.cpp", 2)).or_throw(),
          .name = "bank"};
}

/// Whether the second may be taken under the first.
bool allows(const LockGraph& graph, std::uint64_t first, std::uint64_t second) {
  const LockNode held = graph.lock(lock_number(first)).or_throw();
  const LockNode wanted = graph.lock(lock_number(second)).or_throw();
  return graph.order(held, wanted, story_in(graph)).or_throw().empty();
}

TEST(LockGraph, takes_any_orders_that_form_no_circle_and_each_again) {
  const Scene scene;
  const LockGraph graph = scene.graph();
  for (int again = 0; again < 2; ++again) {
    for (std::uint64_t first = 0; first < 12; ++first) {
      for (std::uint64_t second = first + 1; second < 12; ++second) {
        EXPECT_TRUE(allows(graph, first, second));
      }
    }
  }
  EXPECT_FALSE(allows(graph, 11, 0));
  EXPECT_FALSE(allows(graph, 11, 0));  // which it is again, also the second time
}

// F81
TEST(LockGraph, names_each_order_that_leads_back) {
  const Scene scene;
  const LockGraph graph = scene.graph();
  EXPECT_TRUE(allows(graph, 1, 2));
  EXPECT_TRUE(allows(graph, 2, 3));
  EXPECT_TRUE(allows(graph, 1, 4));
  const LockNode three = graph.lock(lock_number(3)).or_throw();
  const LockNode one = graph.lock(lock_number(1)).or_throw();
  const auto back = graph.order(three, one, story_in(graph)).or_throw();
  ASSERT_THAT(back, SizeIs(2));
  const std::string told = would_deadlock(graph, three, one, story_in(graph), back).message();
  EXPECT_THAT(told, AllOf(HasSubstr("lock(\"lock 1\"): deadlock: thread 18 of pid 17 (bank) holds lock 3 (taken at "
                                    "bank.cpp:1) and wants lock 1 at bank.cpp:2"),
                          HasSubstr("held lock 1 (taken at bank.cpp:1) and wanted lock 2 at bank.cpp:2, and thread 18"),
                          HasSubstr("held lock 2 (taken at bank.cpp:1) and wanted lock 3 at bank.cpp:2")));
}

TEST(LockGraph, is_the_same_for_all_who_open_it) {
  const Scene scene;
  EXPECT_TRUE(allows(scene.graph(), 1, 2));
  EXPECT_FALSE(allows(scene.graph(), 2, 1));
}

// F81
TEST(LockGraph, never_accepts_both_of_two_orders_that_are_proposed_at_once) {
  constexpr int rounds = 400;
  const kit::Watchdog watchdog("two processes that propose at once");
  const Scene scene;
  auto side = [&](std::uint64_t first, std::uint64_t second) {
    return [&, first, second](kit::Stage& stage) {
      const LockGraph graph = scene.graph();
      for (std::uint64_t i = 0; i < rounds; ++i) {
        stage.barrier();
        (void)allows(graph, 2 * i + first, 2 * i + second);
      }
    };
  };
  kit::run_sides({{"one", side(0, 1)}, {"other", side(1, 0)}});
  std::vector<int> accepted(most_locks, 0);
  int all = 0;
  const LockOrderMapping file = scene.file();
  for (const OrderRecord& record : file.content().orders) {
    if (OrderWord::standing(record.word) == OrderStanding::accepted) {
      const OrderWord order = OrderWord::of(record.word);
      EXPECT_LE(++accepted[std::min(order.held, order.wanted)] + ++accepted[std::max(order.held, order.wanted)], 2);
      ++all;
    }
  }
  EXPECT_GT(all, 0);
}

// F81
TEST(LockGraph, an_order_whose_proposer_was_killed_counts_until_somebody_wants_the_same) {
  const Scene scene;
  const LockGraph graph = scene.graph();
  const LockOrderMapping file = scene.file();
  EXPECT_TRUE(allows(graph, 1, 2));
  for (OrderRecord& record : file.content().orders) {
    if (record.word != 0) {
      record.word = OrderWord::with(record.word, OrderStanding::proposed);
      record.written = 0;
    }
  }
  const LockNode one = graph.lock(lock_number(1)).or_throw();
  const LockNode two = graph.lock(lock_number(2)).or_throw();
  const auto back = graph.order(two, one, story_in(graph)).or_throw();
  ASSERT_THAT(back, SizeIs(1));
  EXPECT_FALSE(graph.story(back.front()));
  EXPECT_THAT(would_deadlock(graph, two, one, story_in(graph), back).message(),
              HasSubstr("somebody, killed while it was written down, held lock 1 and wanted lock 2"));
  EXPECT_TRUE(allows(graph, 1, 2));
}

TEST(LockGraph, counts_no_order_of_a_lock_in_whose_place_another_was_made) {
  const Scene scene;
  const LockGraph graph = scene.graph();
  EXPECT_TRUE(allows(graph, 1, 2));
  graph.made_anew(lock_number(2).key());
  EXPECT_TRUE(allows(graph, 2, 1));
  graph.made_anew(lock_number(9).key());  // which nobody has locked yet
  EXPECT_FALSE(graph.find(lock_number(9).key()));
}

// F81
TEST(LockGraph, that_is_full_is_told_with_its_figures_and_refuses) {
  const Scene scene;
  const LockGraph graph = scene.graph();
  for (std::uint32_t line = 0; line < most_places; ++line) {
    ASSERT_TRUE(graph.place(LockPlace("full.cpp", line)));
  }
  const auto place = graph.place(LockPlace("full.cpp", most_places));
  ASSERT_TRUE(place.failed_with(Errc::limit_reached));
  EXPECT_THAT(place.error().message(), AllOf(HasSubstr("places in the domain's lock-order is 2048, 2049 wanted"),
                                             HasSubstr("tenon locks --forget")));
  for (std::uint64_t number = 0; number < most_locks; ++number) {
    ASSERT_TRUE(graph.lock(lock_number(number)));
  }
  EXPECT_TRUE(graph.lock(lock_number(most_locks)).failed_with(Errc::limit_reached));
  EXPECT_FALSE(graph.find(lock_number(most_locks).key()));
  const LockOrderMapping file = scene.file();
  for (OrderRecord& record : file.content().orders) {
    record.word = OrderWord::with(OrderWord{4000, 4001, 7, 7}.key(), OrderStanding::accepted);
  }
  const LockNode one = graph.lock(lock_number(1)).or_throw();
  const LockNode two = graph.lock(lock_number(2)).or_throw();
  const OrderStory story{.token = nobody, .pid = 1, .thread = 1, .held_at = 0, .wanted_at = 0, .name = {}};
  EXPECT_TRUE(graph.order(one, two, story).failed_with(Errc::limit_reached));
}

// F22
TEST(LockGraph, that_somebody_filled_with_garbage_leads_nobody_astray) {
  const kit::Watchdog watchdog("garbage");
  const Scene scene;
  const LockGraph graph = scene.graph();
  const LockOrderMapping file = scene.file();
  auto* const from = reinterpret_cast<std::uint64_t*>(&file.content().locks);
  const std::span<std::uint64_t> words(from, (sizeof(LockOrderFile) - sizeof(LockOrderHeader)) / sizeof *from);
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    std::mt19937_64 random(seed);
    for (std::uint64_t& word : words) {
      word = seed == 3 ? ~std::uint64_t{0} : random();
    }
    const LockNode held{.number = 1, .generation = 2};
    const LockNode wanted{.number = 3, .generation = 4};
    const OrderStory story{.token = nobody, .pid = 1, .thread = 1, .held_at = ~0U, .wanted_at = ~0U, .name = {}};
    EXPECT_TRUE(graph.lock(lock_number(1)).failed_with(Errc::limit_reached));
    EXPECT_TRUE(graph.order(held, wanted, story).failed_with(Errc::limit_reached));
    file.content().orders[5].word = 0;
    EXPECT_TRUE(graph.order(held, wanted, story));  // searched among what stands there, with whatever outcome
    EXPECT_FALSE(held_already(graph, held, story).message().empty());
    for (std::uint32_t number = 0; number < most_orders; ++number) {
      EXPECT_FALSE(would_deadlock(graph, held, wanted, story, std::span(&number, 1)).message().empty());
    }
  }
}

TEST(LockSession, frees_what_the_dead_hold_as_soon_as_somebody_needs_the_room) {
  const kit::Watchdog watchdog("one who holds all there is, and dies");
  kit::UniqueDomain domain;
  domain.directory().allow_leftovers();
  kit::Sides sides({{"hoarder", [&](kit::Stage& stage) {
                       const LockSession& own = *LockSession::current().or_throw();
                       while (own.graph().claim_hold(own.token())) {
                       }
                       stage.signal("full");
                       stage.await("refused");
                     }}});
  sides.stage().await("full");
  const LockSession& session = *LockSession::current().or_throw();
  const auto refused = session.claim_hold();
  ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
  EXPECT_THAT(refused.error().message(), HasSubstr("locks held at once in the domain is 4096, 4097 wanted"));
  sides.side("hoarder").kill();
  sides.finish();
  EXPECT_TRUE(session.claim_hold());
}

}  // namespace

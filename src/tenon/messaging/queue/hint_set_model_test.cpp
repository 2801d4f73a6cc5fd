// Hints of two levels under the deterministic scheduler: what was set is found, once, by whoever takes later, and what
// its setter wrote before is seen.
#include <tenon/messaging/queue/hint_set.hpp>

#include <kit/schedule.hpp>

#include <array>
#include <gtest/gtest.h>
#include <memory>

namespace {

using Hints = tenon::HintSet<kit::Atomic>;

constexpr std::uint32_t slots = 65;  // a word of 64, one of a single slot, and the root above both
constexpr std::uint32_t alone = 64;

struct Parts {
  std::array<kit::Atomic<std::uint64_t>, 2> words;
  kit::Atomic<std::uint64_t> root;
  Hints hints{root, words.data(), slots};
  std::array<kit::Plain<std::uint32_t>, slots> written;
  std::array<int, slots> found{};

  void set(std::uint32_t slot) {
    written[slot].write(slot + 1);
    hints.set(slot);
  }
  void has_found(std::uint32_t slot) {
    ++found[slot];
    kit::require(written[slot].read() == slot + 1, "what a setter wrote before is not seen");
  }
  bool take_one() {
    const auto taken = hints.take_one();
    if (taken) {
      has_found(*taken);
    }
    return taken.has_value();
  }
  void take_all() {
    hints.take_all([this](std::uint32_t slot) { has_found(slot); });
  }
};

using Body = void (*)(Parts&);

// All of what the threads set was found once, by them or by who looks when they have ended.
kit::Scenario scenario(std::vector<Body> bodies, std::vector<std::uint32_t> set) {
  auto parts = std::make_shared<Parts>();
  kit::Scenario made;
  for (const Body body : bodies) {
    made.threads.emplace_back([parts, body] { body(*parts); });
  }
  made.at_end = [parts, set] {
    while (parts->take_one()) {
    }
    for (const std::uint32_t slot : set) {
      kit::require(parts->found[slot] == 1, "what was set is lost, or found twice");
    }
  };
  return made;
}

void expect_all(const std::function<kit::Scenario()>& make) {
  const kit::ScheduleReport report = kit::explore(make, {});
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
  EXPECT_GT(report.runs, 20U);
}

void set_alone(Parts& parts) { parts.set(alone); }
void set_two(Parts& parts) {
  parts.set(0);
  parts.set(1);
}
void set_both_words(Parts& parts) {
  parts.set(2);
  parts.set(alone);
}
void take_one_twice(Parts& parts) {
  parts.take_one();
  parts.take_one();
}
void take_all_twice(Parts& parts) {
  parts.take_all();
  parts.take_all();
}

TEST(HintSetModel, what_is_set_while_one_takes_one_is_found_once_in_any_schedule) {
  expect_all([] { return scenario({set_two, take_one_twice}, {0, 1}); });
  expect_all([] { return scenario({set_both_words, take_one_twice}, {2, alone}); });
}

TEST(HintSetModel, what_is_set_while_two_take_is_found_once_in_any_schedule) {
  expect_all([] { return scenario({set_alone, take_one_twice, take_one_twice}, {alone}); });
  expect_all([] { return scenario({set_two, take_one_twice, take_one_twice}, {0, 1}); });
}

TEST(HintSetModel, what_two_set_while_one_takes_is_found_once_in_any_schedule) {
  expect_all([] { return scenario({set_two, set_both_words, take_one_twice}, {0, 1, 2, alone}); });
}

TEST(HintSetModel, what_is_set_while_all_is_taken_is_found_once_in_any_schedule) {
  expect_all([] { return scenario({set_two, take_all_twice}, {0, 1}); });
  expect_all([] { return scenario({set_two, set_both_words, take_all_twice}, {0, 1, 2, alone}); });
}

}  // namespace

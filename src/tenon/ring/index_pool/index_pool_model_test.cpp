// The pool under the deterministic scheduler: every schedule with a few preemptions and old values.
#include <tenon/ring/index_pool/index_pool.hpp>

#include <kit/schedule.hpp>

#include <array>
#include <gtest/gtest.h>
#include <memory>

namespace {

using Pool = tenon::IndexPool<kit::Atomic>;

struct Parts {
  Pool::Header header;
  std::array<Pool::Link, 2> links;
  Pool pool{header, links};
  std::array<kit::Plain<int>, 2> things;  // what an index stands for: written by who has it, and by nobody else
};

kit::Scenario three_users_of_two_indices() {
  auto parts = std::make_shared<Parts>();
  const auto use = [parts](int times) {
    return [parts, times] {
      for (int i = 0; i < times; ++i) {
        const auto index = kit::until([&] { return parts->pool.take(); });
        auto& thing = parts->things[*index];
        thing.write(thing.read() + 1);
        parts->pool.give(*index);
      }
    };
  };
  return {.threads = {use(1), use(1), use(1)}, .at_end = [parts] {
            kit::require(parts->things[0].read() + parts->things[1].read() == 3, "a use was lost");
          }};
}

TEST(IndexPoolModel, no_two_have_the_same_index_in_any_schedule) {
  const kit::ScheduleReport report = kit::explore(three_users_of_two_indices, {.stale_reads = 0});
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
  EXPECT_GT(report.runs, 100U);
}

// One stands between looking at the top and exchanging it, while another takes both indices and gives the first back.
kit::Scenario an_index_that_comes_back() {
  auto parts = std::make_shared<Parts>();
  const auto write = [parts](std::optional<std::uint32_t> index) {
    if (index) {
      parts->things[*index].write(1);
    }
  };
  const auto takes_what_there_is = [parts, write] {
    write(parts->pool.take());
    write(parts->pool.take());
  };
  const auto gives_the_first_back = [parts, write] {
    const auto first = parts->pool.take();
    const auto second = parts->pool.take();
    write(first);
    if (first) {
      parts->pool.give(*first);
    }
    write(second);
  };
  return {.threads = {takes_what_there_is, gives_the_first_back}};
}

TEST(IndexPoolModel, is_not_deceived_by_an_index_that_comes_back) {
  const kit::ScheduleReport report = kit::explore(an_index_that_comes_back);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
}

}  // namespace

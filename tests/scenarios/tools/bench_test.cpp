#include "fixture.hpp"

#include <kit/unique.hpp>

#include <sched.h>

namespace tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;

bool has_two_processors() {
  cpu_set_t processors;
  return ::sched_getaffinity(0, sizeof processors, &processors) == 0 && CPU_COUNT(&processors) > 1;
}

TEST(ToolsBench, measures_topics_beside_their_limits_as_the_schema_says) {
  if (!has_two_processors()) {
    GTEST_SKIP() << "there is one processor, and messages go from one to another";
  }
  kit::UniqueDirectory directory;
  directory.allow_leftovers();
  const std::string file = directory / "figures.json";
  const Finished finished = run({"bench", "topic", "--quick", "--size", "8", "--json", file});
  ASSERT_TRUE(finished.status.success()) << finished.errors;
  EXPECT_THAT(finished.output, AllOf(HasSubstr("8 B there and back"), HasSubstr("8 B one way"), HasSubstr("depth")));
  const json figures = json::parse(std::ifstream(file), nullptr, false);
  ASSERT_FALSE(figures.is_discarded());
  expect_schema(figures, schema("bench"));
  ASSERT_EQ(figures["rows"].size(), 2U);
  for (const json& row : figures["rows"]) {
    ASSERT_FALSE(row.contains("not_measured")) << row;
    EXPECT_GT(row["subject_ns"], 0) << row;
    EXPECT_GT(row["limit_ns"], 0) << row;
    EXPECT_GT(row["pairs"], 0) << row;
  }
}

TEST(ToolsBench, measures_streams_beside_a_bare_ring_and_a_pipe) {
  if (!has_two_processors()) {
    GTEST_SKIP() << "there is one processor, and bytes go from one to another";
  }
  kit::UniqueDirectory directory;
  directory.allow_leftovers();
  const std::string file = directory / "figures.json";
  const Finished finished = run({"bench", "stream", "--quick", "--size", "64", "--json", file});
  ASSERT_TRUE(finished.status.success()) << finished.errors;
  EXPECT_THAT(finished.output, AllOf(HasSubstr("64 B one way"), HasSubstr("pipe"), HasSubstr("64 B there and back")));
  const json figures = json::parse(std::ifstream(file), nullptr, false);
  ASSERT_FALSE(figures.is_discarded());
  expect_schema(figures, schema("bench"));
  ASSERT_EQ(figures["rows"].size(), 3U);
}

TEST(ToolsBench, says_at_once_what_it_cannot_do) {
  const Finished size = run({"bench", "topic", "--size", "9"});
  EXPECT_FALSE(size.status.success());
  EXPECT_THAT(size.errors, HasSubstr("a multiple of 8 bytes"));
  const Finished wait = run({"bench", "topic", "--wait", "sometimes"});
  EXPECT_FALSE(wait.status.success());
  EXPECT_THAT(wait.errors, HasSubstr("spin, adaptive or sleep"));
  const Finished file = run({"bench", "topic", "--json", "/proc/none/figures.json"});
  EXPECT_FALSE(file.status.success());
  EXPECT_THAT(file.errors, HasSubstr("/proc/none/figures.json"));
  EXPECT_EQ(file.output, "") << "nothing is measured that cannot be written";
  EXPECT_THAT(run({"bench", "topic", "--json", "/dev"}).errors, HasSubstr("no file's name"));
  EXPECT_THAT(run({"bench", "topic", "--json", ""}).errors, HasSubstr("no file's name"));
}

}  // namespace
}  // namespace tools

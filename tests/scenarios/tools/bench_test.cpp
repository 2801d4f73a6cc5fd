#include "fixture.hpp"

#include <kit/unique.hpp>

#include <sched.h>

namespace tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

bool has_two_processors() {
  cpu_set_t processors;
  return ::sched_getaffinity(0, sizeof processors, &processors) == 0 && CPU_COUNT(&processors) > 1;
}

/// A run whose figures nobody believes: other tests take the processors meanwhile.
class ToolsBench : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_two_processors()) {
      GTEST_SKIP() << "there is one processor, and messages go from one to another";
    }
    directory_.allow_leftovers();
  }
  Finished bench(std::vector<std::string> what) {
    std::vector<std::string> all = {"bench", "--quick", "--anyway", "--json", file()};
    all.insert(all.end(), what.begin(), what.end());
    return Command(all).finish(std::chrono::minutes(4));  // beside tests that take both processors
  }
  std::string file() const { return directory_ / "figures.json"; }
  json figures() const { return json::parse(std::ifstream(file()), nullptr, false); }
  std::vector<json> rows() const { return figures()["rows"]; }

 private:
  kit::UniqueDirectory directory_;
};

void expect_measured(const json& row) {
  ASSERT_FALSE(row.contains("not_measured")) << row;
  EXPECT_GT(row["ns"]["median"], 0) << row;
  EXPECT_GT(row["limit_ns"]["median"], 0) << row;
  EXPECT_GT(row["ratio"]["median"], 0) << row;
  EXPECT_LE(row["ns"]["low"], row["ns"]["median"]) << row;
  EXPECT_GE(row["ns"]["high"], row["ns"]["median"]) << row;
  EXPECT_EQ(row["repeats"].size(), 3U) << row;
}

TEST_F(ToolsBench, measures_every_mechanism_there_and_back_as_the_schema_says) {
  const Finished finished = bench({"--pattern", "roundtrip", "--wait", "sleep"});
  ASSERT_TRUE(finished.status.success()) << finished.errors;
  ASSERT_FALSE(figures().is_discarded());
  expect_schema(figures(), schema("bench"));
  std::vector<std::string> seen;
  for (const json& row : rows()) {
    expect_measured(row);
    EXPECT_EQ(row["pattern"], "roundtrip");
    EXPECT_FALSE(row["single_operations_ns"].is_null()) << row;
    if (row["place"] == "near") {
      seen.push_back(row["mechanism"]);
    }
  }
  EXPECT_THAT(seen, testing::ElementsAre("pipe", "fifo", "unix_stream", "unix_seqpacket", "unix_datagram", "tcp",
                                         "posix_queue", "sysv_queue", "posix_memory", "sysv_memory", "memfd", "topic",
                                         "queue", "stream", "service", "board"));
  EXPECT_GT(figures()["limits"].size(), 10U);
  EXPECT_THAT(finished.output, AllOf(HasSubstr("64 B there and back, sleep, near; limit: futex"), HasSubstr("memcpy")));
}

TEST_F(ToolsBench, counts_the_calls_of_a_message_and_its_delivery_to_many) {
  const Finished finished = bench({"pipe", "topic", "queue", "--pattern", "fanout:3"});
  ASSERT_TRUE(finished.status.success()) << finished.errors;
  ASSERT_EQ(rows().size(), 3U);
  for (const json& row : rows()) {
    expect_measured(row);
    EXPECT_EQ(row["peers"], 3);
  }
  const json pipe = rows()[0];
  EXPECT_EQ(pipe["mechanism"], "pipe");
  if (!pipe["system_calls"].is_null()) {
    EXPECT_GE(pipe["system_calls"]["median"], 1.99) << "a write and a read for each that receives it";
  }
}

TEST_F(ToolsBench, lets_an_urgent_message_pass_others_where_the_mechanism_has_priorities) {
  const Finished finished =
      bench({"pipe", "posix_queue", "sysv_queue", "queue", "--pattern", "oneway", "--backlog", "9"});
  ASSERT_TRUE(finished.status.success()) << finished.errors;
  std::map<std::string, std::map<std::string, double>> delay;
  for (const json& row : rows()) {
    expect_measured(row);
    delay[row["mechanism"]][row["pattern"]] = row["ns"]["median"];
  }
  ASSERT_EQ(delay.size(), 4U);
  for (const auto& [mechanism, of] : delay) {
    EXPECT_EQ(of.size(), 3U) << mechanism << ": one way, behind others, and urgent";
  }
}

TEST_F(ToolsBench, makes_room_for_a_backlog_or_says_what_is_in_the_way) {
  const Finished room = bench({"queue", "--pattern", "oneway", "--wait", "sleep", "--backlog", "300"});
  ASSERT_TRUE(room.status.success()) << room.errors << room.output;
  for (const json& row : rows()) {
    expect_measured(row);
  }
  const Finished refused = bench({"sysv_memory", "--pattern", "oneway", "--wait", "sleep", "--backlog", "40000"});
  ASSERT_TRUE(refused.status.success()) << refused.errors;
  ASSERT_EQ(rows().size(), 3U);
  EXPECT_THAT(rows()[1]["not_measured"], HasSubstr("a semaphore counts to 32767"));
}

TEST_F(ToolsBench, tells_the_memory_of_a_depth_and_why_there_is_no_deeper_line) {
  const Finished finished = bench({"pipe", "posix_queue", "--pattern", "oneway", "--depth", "8,100000"});
  ASSERT_TRUE(finished.status.success()) << finished.errors;
  bool refused = false;
  for (const json& row : rows()) {
    if (row.contains("not_measured")) {
      refused = refused || row["mechanism"] == "posix_queue";
      EXPECT_THAT(row["not_measured"], HasSubstr("limit reached")) << row;
    } else if (!row["depth"].is_null()) {
      EXPECT_GT(row["memory_bytes"], 0) << row;
    }
  }
  EXPECT_TRUE(refused) << "fs.mqueue.msg_max is 65536 at most";
}

TEST_F(ToolsBench, compares_with_a_run_before) {
  ASSERT_TRUE(bench({"pipe", "--pattern", "roundtrip", "--wait", "spin"}).status.success());
  json before = figures();
  const std::string old = file() + ".old";
  for (const char* key : {"ns", "ratio"}) {  // as if it had been ten times faster
    for (const char* end : {"median", "low", "high"}) {
      before["rows"][0][key][end] = before["rows"][0][key][end].get<double>() / 10;
    }
  }
  before["rows"].push_back(before["rows"][0]);
  before["rows"].back()["name"] = "horse, roundtrip";
  for (const char* distance : {"sibling", "near", "far"}) {
    before["rows"][0]["distance"] = distance;
    std::ofstream(old) << before;
    const Finished finished = bench({"pipe", "--pattern", "roundtrip", "--wait", "spin", "--compare", old});
    EXPECT_THAT(finished.output, HasSubstr("not measured now")) << "horses";
    if (rows()[0]["distance"] == distance) {
      EXPECT_THAT(finished.output, HasSubstr("SLOWER"));
      EXPECT_EQ(finished.status.code(), 1);
    } else {
      EXPECT_THAT(finished.output, AllOf(HasSubstr("cannot be told"), Not(HasSubstr("SLOWER"))));
      EXPECT_EQ(finished.status.code(), 0) << finished.errors;
    }
  }
}

TEST(ToolsBenchMistakes, are_told_at_once) {
  const Finished size = run({"bench", "topic", "--size", "9"});
  EXPECT_FALSE(size.status.success());
  EXPECT_THAT(size.errors, HasSubstr("a multiple of 8 bytes"));
  const Finished wait = run({"bench", "topic", "--wait", "sometimes"});
  EXPECT_FALSE(wait.status.success());
  EXPECT_THAT(wait.errors, HasSubstr("spin, adaptive, sleep or poll"));
  EXPECT_THAT(run({"bench", "pigeons"}).errors, HasSubstr("nothing that is measured: limits, pipe, fifo"));
  EXPECT_THAT(run({"bench", "--pattern", "roundtrip:4"}).errors, HasSubstr("no pattern"));
  EXPECT_THAT(run({"bench", "--pattern", "fanout:0"}).errors, HasSubstr("no pattern"));
  EXPECT_THAT(run({"bench", "--pattern", "fanout:63"}).errors, HasSubstr("up to 62"));
  EXPECT_THAT(run({"bench", "3"}).errors, HasSubstr("goes with --pattern fanout"));
  EXPECT_THAT(run({"bench", "--anyway", "service", "--pattern", "oneway"}).errors,
              HasSubstr("nothing of what was named"));
  EXPECT_THAT(run({"bench", "pipe", "--compare", "/tmp"}).errors, HasSubstr("cannot be read"));
  EXPECT_FALSE(run({"bench", "--depth", "0"}).status.success());
  const Finished file = run({"bench", "topic", "--json", "/proc/none/figures.json"});
  EXPECT_FALSE(file.status.success());
  EXPECT_THAT(file.errors, HasSubstr("/proc/none/figures.json"));
  EXPECT_EQ(file.output, "") << "nothing is measured that cannot be written";
  EXPECT_THAT(run({"bench", "topic", "--json", "/dev"}).errors, HasSubstr("no file's name"));
  EXPECT_THAT(run({"bench", "topic", "--json", ""}).errors, HasSubstr("no file's name"));
  const Finished old = run({"bench", "pipe", "--compare", "/proc/none/old.json"});
  EXPECT_EQ(old.status.code(), 1);
  EXPECT_THAT(old.errors, HasSubstr("/proc/none/old.json"));
  EXPECT_THAT(run({"bench", "pipe", "--compare", "/proc/self/comm"}).errors, HasSubstr("corrupt"));
}

}  // namespace
}  // namespace tools

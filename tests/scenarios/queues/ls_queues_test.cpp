// Queues as `tenon ls queues` shows them, beside programs that have them open.
#include "fixture.hpp"

#include <tenon/messaging/queue/queue.hpp>
#include <tenon/os/process.hpp>

#include <kit/two_processes.hpp>

#include <optional>
#include <unistd.h>

namespace queues {
namespace {

using namespace tenon;
using testing::ContainsRegex;
using testing::HasSubstr;
using tools::expect_schema;
using tools::parsed;
using tools::schema;

struct Job {
  std::uint64_t number;
  std::array<double, 3> rest;
};
TENON_FIELDS(Job, number, rest);

class LsQueues : public AtTheCommandLine {
 protected:
  ~LsQueues() override { static_cast<void>(Queue<Job>::remove(domain_.domain(), "jobs")); }

  json listed() const {
    const json all = parsed(told({"ls", "queues", "--json", "--interval", "0"}, 0));
    expect_schema(all, schema("queues"));
    EXPECT_EQ(all["queues"].size(), 1U);
    return all["queues"].at(0);
  }

  Membership member_ = join();
  Queue<Job> jobs_ = Queue<Job>::create(member_.holder, "jobs", {.messages = 5}).or_throw();
};

TEST_F(LsQueues, shows_what_waits_what_is_taken_and_by_whom) {
  for (std::uint64_t i = 0; i < 3; ++i) {
    jobs_.send({.number = i, .rest = {}}, never).or_throw();
  }
  auto taken = jobs_.take(never).or_throw();
  const json queue = listed();
  EXPECT_EQ(queue["name"], "jobs");
  EXPECT_EQ(queue["type"], "Job");
  EXPECT_EQ(queue["type_bytes"], sizeof(Job));
  EXPECT_EQ(queue["any_length"], false);
  EXPECT_EQ(queue["waiting"], 2);
  EXPECT_EQ(queue["taken"], 1);
  EXPECT_EQ(queue["most_messages"], 5);
  EXPECT_EQ(queue["sent"], 3);
  EXPECT_TRUE(queue["rate"].is_null());
  EXPECT_GE(queue["oldest_waits"], 0);
  EXPECT_EQ(queue["members"].size(), 1U);
  EXPECT_EQ(queue["members"][0]["pid"], ::getpid());
  EXPECT_EQ(queue["members"][0]["token"], member_.holder.token().hex());
  EXPECT_EQ(queue["members"][0]["taken"], 1);
  EXPECT_THAT(told({"ls", "queues"}, 0).output,
              ContainsRegex("jobs +Job +2 +1 +5 +- +0.0/s +[0-9.]+ s +- +1: [0-9]+ has 1 +"));
  std::move(taken).acknowledge().or_throw();
  EXPECT_EQ(listed()["taken"], 0);
}

TEST_F(LsQueues, shows_who_sleeps) {
  kit::Sides sides({{"receiver", [&](kit::Stage&) {
                       const Membership member = join();
                       auto jobs = Queue<Job>::open(member.holder, "jobs").or_throw();
                       jobs.receive(soon()).or_throw();
                     }}});
  transfer::eventually([&] { return listed()["receivers_sleep"] == true; });
  EXPECT_EQ(listed()["members"].size(), 2U);
  jobs_.send({.number = 1, .rest = {}}, never).or_throw();
  sides.finish();
  EXPECT_EQ(listed()["senders_sleep"], false);
}

TEST_F(LsQueues, shows_that_one_died_who_had_taken_a_message) {
  jobs_.send({.number = 1, .rest = {}}, never).or_throw();
  kit::Sides sides({{"worker", [&](kit::Stage& stage) {
                       const Membership member = join();
                       auto jobs = Queue<Job>::open(member.holder, "jobs").or_throw();
                       const auto taken = jobs.take(soon()).or_throw();
                       stage.signal("taken");
                       stage.await("nothing that ever comes");
                     }}});
  sides.stage().await("taken");
  sides.side("worker").kill();
  sides.finish();
  const json queue = listed();
  EXPECT_EQ(queue["taken"], 1);
  const auto dead = std::ranges::find_if(queue["members"], [](const json& one) { return one["alive"] == false; });
  ASSERT_NE(dead, queue["members"].end());
  EXPECT_EQ((*dead)["taken"], 1);
  EXPECT_THAT(told({"ls", "queues"}, 0).output, HasSubstr("(died) has 1"));
  EXPECT_EQ(jobs_.receive(soon()).or_throw().deliveries, 2U);
}

TEST_F(LsQueues, shows_the_room_for_long_messages) {
  auto texts = Queue<Bytes>::create(member_.holder, "texts", {.messages = 4, .bytes = 1 << 20}).or_throw();
  const std::vector<std::byte> text(1 << 19);
  texts.send(text, never).or_throw();
  const json all = parsed(told({"ls", "queues", "--json", "--interval", "0"}, 0));
  const json& queue = all["queues"].at(1);
  EXPECT_EQ(queue["name"], "texts");
  EXPECT_EQ(queue["any_length"], true);
  EXPECT_EQ(queue["bytes"], 1 << 20);
  EXPECT_EQ(queue["free_bytes"], 1 << 19);
  EXPECT_THAT(told({"ls", "queues"}, 0).output, HasSubstr("512.0 KiB of 1.0 MiB"));
  Queue<Bytes>::remove(domain_.domain(), "texts").or_throw();
  EXPECT_EQ(parsed(told({"ls", "queues", "--json", "--domain", domain_.path() + "/none"}, 0))["queues"].size(), 0U);
}

}  // namespace
}  // namespace queues

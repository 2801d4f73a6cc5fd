/// What programs read: tenon why --json, tenon graph.
#include <scenarios/tools/fixture.hpp>

#include "locks.hpp"
#include "room.hpp"

#include <tenon/os/procfs.hpp>

#include <kit/watchdog.hpp>

#include <chrono>
#include <sched.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace stuck {
namespace {

using testing::HasSubstr;
using testing::Not;
using tools::json;

// One who waits at a pipe that another would write, which waits at its own.
struct Two {
  Two() {
    const PipeEnds pipe = room.pipe();
    const PipeEnds own = room.pipe();
    name = name_of_pipe(pipe.out);
    second = room.start({pipe.in, own.out, own.in}, [&] { read_byte(own.out); });
    first = room.start({pipe.out}, [&] { read_byte(pipe.out); });
    room.let_go();
  }
  Room room;
  std::string name;
  pid_t first = 0;
  pid_t second = 0;
};

TEST(WhyJson, holds_the_schema_and_tells_each_link) {
  const kit::Watchdog watchdog("tenon why --json");
  const Two two;
  const auto answer = tools::run({"why", std::to_string(two.first), "--json"});
  EXPECT_EQ(answer.status.code(), 1) << answer.errors;
  const json all = tools::parsed(answer);
  tools::expect_schema(all, tools::schema("why"));
  ASSERT_EQ(all["stuck"], 1) << all;
  const json& chain = all["chains"][0];
  EXPECT_EQ(chain["ending"], "nobody");
  ASSERT_EQ(chain["links"].size(), 2U);
  EXPECT_EQ(chain["links"][0]["pid"], two.first);
  EXPECT_EQ(chain["links"][0]["objects"][0]["name"], two.name);
  EXPECT_EQ(chain["links"][0]["helpers"][0]["pid"], two.second);
  EXPECT_EQ(chain["links"][0]["helpers"][0]["role"], "writer");
  EXPECT_EQ(chain["links"][1]["pid"], two.second);
}

TEST(Why, says_what_it_can_of_who_does_not_wait_and_refuses_who_is_not_there) {
  Room room;
  const pid_t alive = room.start({}, live);
  const auto answer = tools::run({"why", std::to_string(alive)});
  EXPECT_EQ(answer.status.code(), 0);
  EXPECT_THAT(answer.output, HasSubstr("waits for nobody"));
  room.stop(alive);
  EXPECT_THAT(tools::run({"why", std::to_string(alive)}).output, HasSubstr("kill -CONT " + std::to_string(alive)));
  // Its main thread alone has ended: what is left of it lives.
  const pid_t headless = room.start({}, [] {
    std::thread([] { live(); }).detach();
    ::syscall(SYS_exit, 0);
  });
  while (true) {
    const auto process = tenon::procfs::process(headless);
    if (process && process->state == 'Z') {
      break;
    }
    ::sched_yield();
  }
  EXPECT_THAT(tools::run({"why", std::to_string(headless)}).output, Not(HasSubstr("has ended")));
  const auto nobody = tools::run({"why", kit::unique_name("nobody")});
  EXPECT_EQ(nobody.status.code(), 2);
  EXPECT_THAT(nobody.errors, HasSubstr("no process has that number or name"));
}

TEST(Graph, has_each_wait_in_all_three_formats) {
  const kit::Watchdog watchdog("tenon graph");
  const Two two;
  const std::string process = "p" + std::to_string(two.first);
  const json all = tools::parsed(tools::run({"graph", "--format", "json"}));
  tools::expect_schema(all, tools::schema("graph"));
  const auto is = [](const char* field, const std::string& value) {
    return [field, value](const json& one) { return one[field] == value; };
  };
  const auto wait = std::ranges::find_if(all["edges"], is("from", process));
  ASSERT_NE(wait, all["edges"].end());
  EXPECT_EQ((*wait)["label"], "read");
  EXPECT_EQ((*wait)["stuck"], true);
  const auto object = std::ranges::find_if(all["nodes"], is("id", (*wait)["to"]));
  EXPECT_EQ((*object)["label"], two.name);
  EXPECT_THAT(tools::run({"graph"}).output, HasSubstr("  " + process + " -> o"));
  const std::string picture = tools::run({"graph", "--format", "svg"}).output;
  EXPECT_THAT(picture, testing::StartsWith("<svg xmlns="));
  EXPECT_THAT(picture, testing::EndsWith("</svg>\n"));
  EXPECT_THAT(picture, HasSubstr(">" + two.name + "<"));
  EXPECT_EQ(tools::run({"graph", "--format", "png"}).status.code(), 2);
}

}  // namespace
}  // namespace stuck

#include "fixture.hpp"

#include <fstream>

namespace topics {
namespace {

using namespace tenon;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using tools::expect_schema;
using tools::schema;

json lines_of(const std::string& output) {
  json all = json::array();
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    all.push_back(json::parse(line));
  }
  return all;
}

class TopicFigures : public Topics {
 protected:
  TopicFigures() {
    for (int i = 0; i < 10; ++i) {
      publish();
      if (i < 7) {
        reliable_.receive(soon()).or_throw();
      }
    }
  }
  void publish() { publisher_.publish({.x = 1, .y = 2, .heading = 3}, soon()).or_throw(); }

  Membership member_ = join();
  Publisher<Pose> publisher_ = Publisher<Pose>::create(member_.holder, "t", {.depth = 16}).or_throw();
  Subscriber<Pose> reliable_ = Subscriber<Pose>::create(member_.holder, "t").or_throw();
  Subscriber<Pose> lossy_ = Subscriber<Pose>::create(member_.holder, "t", {.reliable = false}).or_throw();
};

TEST_F(TopicFigures, are_those_of_the_programs_that_take_part) {
  const json shown = lines_of(tools::run({"hz", "t", "--json", "--count", "1", "--interval", "0.01"}).output);
  ASSERT_EQ(shown.size(), 1U);
  expect_schema(shown[0], schema("hz"));
  EXPECT_EQ(shown[0]["type"], "Pose");
  EXPECT_EQ(shown[0]["lag"], 10);
  ASSERT_EQ(shown[0]["publishers"].size(), 1U);
  const json& publisher = shown[0]["publishers"][0];
  EXPECT_EQ(publisher["pid"], ::getpid());
  EXPECT_EQ(publisher["published"], 10);
  EXPECT_EQ(publisher["rate"], 0);
  EXPECT_EQ(publisher["depth"], 16);
  EXPECT_EQ(publisher["sizes"]["mean"], sizeof(Pose));
  ASSERT_EQ(shown[0]["subscribers"].size(), 2U);
  for (const json& one : shown[0]["subscribers"]) {
    const json& row = one["publishers"].at(0);
    EXPECT_EQ(row["lag"], one["reliable"] == true ? 3 : 10);
    EXPECT_EQ(row["received"], one["reliable"] == true ? 7 : 0);
    EXPECT_EQ(row["lost"], 0);
    EXPECT_EQ(row["publisher"], ::getpid());
  }
}

TEST_F(TopicFigures, change_with_what_is_published_between_two_looks) {
  auto hz = start({"hz", "t", "--json", "--interval", "0.05"});
  bool seen = false;
  std::string text;
  while (!seen) {
    publish();
    while (reliable_.try_receive()) {
    }
    std::array<std::byte, 4096> part;
    if (const auto got = hz->try_read_output(part); got) {
      text += text_of(Bytes(part).first(*got));
    }
    const std::size_t end = text.rfind('\n');
    for (const json& one : end == std::string::npos ? json::array() : lines_of(text.substr(0, end))) {
      const json& publisher = one["publishers"].at(0);
      seen = seen || (one["rate"] > 0 && publisher["rate"] == one["rate"] && publisher["published"] > 10);
    }
  }
  hz->signal(SIGINT);
  const Finished ended = hz->finish();
  EXPECT_EQ(ended.status, ExitStatus::exited(1));
  EXPECT_THAT(ended.errors, HasSubstr("stopped"));
}

TEST_F(TopicFigures, are_shown_to_people) {
  const Finished shown = tools::run({"hz", "t", "--count", "1", "--interval", "0.01"});
  const std::string pid = std::to_string(::getpid());
  EXPECT_THAT(shown.output, AllOf(HasSubstr("t: 0.0 messages/s of Pose\n"),
                                  HasSubstr("publisher " + pid + ": 0.0/s of 24 B, 10 published, depth 16\n"),
                                  HasSubstr("subscriber " + pid + ": reliable: 0.0/s, lag 3, 7 received, 0 lost\n"),
                                  HasSubstr("subscriber " + pid + ": lossy: 0.0/s, lag 10, 0 received, 0 lost\n")));
  EXPECT_EQ(shown.errors, "");
}

TEST_F(TopicFigures, are_looked_at_without_taking_part) {
  const auto before = kit::names_in(domain_.path() + "/topic.t");
  const auto members = kit::names_in(domain_.path());
  auto hz = start({"hz", "t", "--interval", "0.01"});
  std::array<std::byte, 4096> part;
  while (!hz->try_read_output(part)) {
  }
  EXPECT_EQ(kit::names_in(domain_.path() + "/topic.t"), before);
  EXPECT_EQ(kit::names_in(domain_.path()), members);
  EXPECT_EQ(publisher_.subscribers().size(), 2U);
}

TEST_F(TopicFigures, are_listed_for_every_topic_of_a_domain) {
  auto other = Publisher<Bytes>::create(member_.holder, "other").or_throw();
  const std::string pid = std::to_string(::getpid());
  const Finished shown = tools::run({"ls", "topics", "--interval", "0.01"});
  EXPECT_THAT(shown.output, AllOf(ContainsRegex("TOPIC +TYPE +PUBLISHERS +SUBSCRIBERS +RATE +LAG +MEMORY"),
                                  ContainsRegex("\nother +Slice<u8> +1: " + pid + " +0 +0.0/s +0 +[0-9.]+ [KM]iB"),
                                  ContainsRegex("\nt +Pose +1: " + pid + " +2: " + pid + ", " + pid + " +0.0/s +10 ")));
  const json all = tools::parsed(tools::run({"ls", "topics", "--json", "--interval", "0"}));
  expect_schema(all, schema("topics"));
  EXPECT_EQ(all["topics"].size(), 2U);
  EXPECT_EQ(all["topics"][1]["rate"], nullptr);
  EXPECT_EQ(all["domain"], domain_.path());
}

TEST_F(Topics, are_none_in_a_domain_without_any) {
  const json all = tools::parsed(tools::run({"ls", "topics", "--json", "--domain", domain_.path() + "/none"}));
  expect_schema(all, schema("topics"));
  EXPECT_THAT(all["topics"], IsEmpty());
  EXPECT_THAT(kit::names_in(domain_.path()), IsEmpty());
}

TEST_F(Topics, say_who_was_killed) {
  auto echo = start({"echo", "t", "--type", "bytes"});
  until_there("sub.");
  auto victim = start({"pub", "t"});
  until_there("pub.");
  echo->signal(SIGKILL);
  victim->signal(SIGKILL);
  EXPECT_EQ(victim->finish().status, ExitStatus::killed(SIGKILL));
  EXPECT_EQ(echo->finish().status, ExitStatus::killed(SIGKILL));
  transfer::eventually([&] {  // the kernel drops the lock on a life file a moment after the process has gone
    const std::string shown = tools::run({"ls", "topics", "--interval", "0"}).output;
    return shown.find("1: " + std::to_string(victim->process().pid()) + " (died)") != std::string::npos;
  });
  EXPECT_TRUE(pub({"t"}, "").status.success());
  EXPECT_EQ(names_of(domain_.path() + "/topic.t", "sub."), 0U);
}

TEST_F(TopicFigures, say_what_of_them_could_not_be_read) {
  const std::string rest = "0123456789abcdef.0123456789abcdef";
  std::ofstream(domain_.path() + "/topic.t/sub." + rest) << "garbage";
  const Finished shown = tools::run({"hz", "t", "--count", "1", "--interval", "0.01"});
  EXPECT_TRUE(shown.status.success());
  EXPECT_THAT(shown.errors, ContainsRegex("tenon hz: not seen: t/sub." + rest + ".*corrupt"));
  EXPECT_THAT(tools::run({"ls", "topics"}).errors, HasSubstr("tenon ls: not seen: t/sub." + rest));
  std::filesystem::remove(domain_.path() + "/topic.t/sub." + rest);
}

// A command whose output got nowhere has not done what it was asked for, and says so on one line.
TEST_F(TopicFigures, that_cannot_be_written_are_a_failure) {
  const std::vector<std::vector<std::string>> commands = {{"ls", "topics", "--interval", "0"},
                                                          {"ls", "topics", "--interval", "0", "--json"},
                                                          {"ls", "boards"},
                                                          {"ls", "boards", "--json"},
                                                          {"ls", "--mechanism", "sysv_queue"},
                                                          {"ls", "--mechanism", "sysv_queue", "--json"},
                                                          {"hz", "t", "--count", "1", "--interval", "0.01"}};
  for (const auto& arguments : commands) {
    // The FIFO's only reader has gone before the command starts: no race with it.
    for (const char* script : {"exec \"$@\" >/dev/full", "exec \"$@\" >&-",
                               "mkfifo $TENON_DOMAIN/gone && exec 3<>$TENON_DOMAIN/gone 4>$TENON_DOMAIN/gone 3>&- && "
                               "rm $TENON_DOMAIN/gone && exec \"$@\" >&4 4>&-"}) {
      const Finished finished = Command::by_shell(script, arguments).finish();
      const std::string what = testing::PrintToString(arguments) + " " + script + ": " + finished.errors;
      EXPECT_EQ(finished.status, ExitStatus::exited(1)) << what;
      EXPECT_EQ(std::ranges::count(finished.errors, '\n'), 1) << what;
      EXPECT_THAT(finished.errors, HasSubstr("tenon " + arguments[0] + ": ")) << what;
    }
  }
}

TEST_F(TopicFigures, that_cannot_be_looked_at_say_why) {
  const auto told = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "hz");
    Finished finished = tools::run(arguments);
    EXPECT_EQ(finished.status, ExitStatus::exited(1)) << finished.errors;
    EXPECT_EQ(std::ranges::count(finished.errors, '\n'), 1) << finished.errors;
    return finished.errors;
  };
  EXPECT_THAT(told({"nobody"}), AllOf(HasSubstr("not found: nobody takes part"), HasSubstr("see tenon ls topics")));
  EXPECT_EQ(told({"t", "--domain", domain_.path() + "/none"}),
            "tenon hz: \"" + domain_.path() + "/none\": not found: there is no such domain; name one with --domain\n");
  const std::string place = domain_.path() + "/topic.file";
  std::ofstream(place) << "no directory";
  EXPECT_THAT(told({"file"}), AllOf(HasSubstr(place), HasSubstr("wrong kind"), HasSubstr("remove it")));
  std::filesystem::remove(place);
  std::filesystem::create_directory(place);
  std::ofstream(place + "/sub.0123456789abcdef.0123456789abcdef") << "garbage";
  EXPECT_THAT(told({"file"}), AllOf(HasSubstr("file/sub."), HasSubstr("corrupt: it is shorter than its header")));
  std::filesystem::remove_all(place);
}

TEST_F(Topics, have_no_rate_of_no_time) {
  for (const char* no_interval : {"0", "-1", "1e9", "nan", "soon"}) {
    const Finished finished = tools::run({"hz", "t", "--interval", no_interval});
    EXPECT_EQ(finished.status, ExitStatus::exited(2)) << finished.errors;
    EXPECT_THAT(finished.errors, HasSubstr("is not a number of seconds from 0.001 to 86400")) << no_interval;
    EXPECT_EQ(std::ranges::count(finished.errors, '\n'), 1) << finished.errors;
  }
}

TEST_F(Topics, are_looked_at_a_whole_number_of_times) {
  for (const char* no_count : {"0", "-1", "1.5"}) {
    const Finished finished = tools::run({"hz", "t", "--count", no_count});
    EXPECT_EQ(finished.status, ExitStatus::exited(2)) << finished.errors;
    EXPECT_THAT(finished.errors, AllOf(HasSubstr("whole number"), HasSubstr(no_count)));
  }
}

}  // namespace
}  // namespace topics

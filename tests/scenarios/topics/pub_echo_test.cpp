#include "fixture.hpp"

#include <filesystem>
#include <fstream>

namespace topics {
namespace {

using namespace tenon;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(Topics, lines_that_are_published_are_echoed) {
  auto echo = start({"echo", "t", "--type", "bytes", "--count", "3"});
  until_there("sub.");
  const Finished sent = pub({"t"}, "one\n\nthree");
  EXPECT_EQ(sent.errors, "");
  EXPECT_TRUE(sent.status.success());
  const Finished shown = echo->finish();
  EXPECT_EQ(shown.output, "one\n\nthree\n");
  EXPECT_TRUE(shown.status.success());
}

TEST_F(Topics, json_that_is_published_reaches_a_program_that_knows_the_type) {
  const Membership member = join();
  auto knows = Subscriber<Pose>::create(member.holder, "t").or_throw();
  const Finished sent = pub({"t", "--json"}, "{\"x\": 1.5, \"y\": 2, \"heading\": 0.1}\n\n");
  EXPECT_EQ(sent.errors, "");
  const auto pose = knows.receive(soon()).or_throw();
  EXPECT_EQ(pose->x, 1.5);
  EXPECT_EQ(pose->heading, 0.1F);
}

TEST_F(Topics, what_a_program_publishes_is_shown_by_its_fields) {
  const Membership member = join();
  auto publisher = Publisher<Pose>::create(member.holder, "t").or_throw();
  for (const auto& [option, shown] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{}, "x=1.5 y=2 heading=0.1\n"},
           {{"--json"}, "{\"x\":1.5,\"y\":2.0,\"heading\":0.1}\n"},
           {{"--hex"}, "000000000000f83f 0000000000000040 cdcccc3d00000000\n"}}) {
    std::vector<std::string> arguments = {"echo", "t", "--count", "1"};
    arguments.insert(arguments.end(), option.begin(), option.end());
    auto echo = start(arguments);
    until_met();
    Pose pose;
    std::memset(&pose, 0, sizeof pose);
    pose = {.x = 1.5, .y = 2, .heading = 0.1F};
    publisher.publish(pose, soon()).or_throw();
    EXPECT_EQ(echo->finish().output, shown);
  }
}

TEST_F(Topics, the_type_may_be_said_where_nobody_is) {
  auto echo = start({"echo", "t", "--type", pose_type, "--json", "--count", "2"});
  until_there("sub.");
  const Finished sent = pub({"t", "--json", "--rate", "1000"},
                            "{\"x\":1,\"y\":2,\"heading\":3}\n{\"x\":4,\"y\":5,\"heading\":\"nan\"}\n");
  EXPECT_EQ(sent.errors, "");
  EXPECT_EQ(echo->finish().output,
            "{\"x\":1.0,\"y\":2.0,\"heading\":3.0}\n{\"x\":4.0,\"y\":5.0,\"heading\":\"nan\"}\n");
}

TEST_F(Topics, a_file_is_one_message_as_often_as_is_asked_for) {
  const kit::UniqueDirectory directory;
  std::string content(100'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) {
    content[i] = static_cast<char>(i * 7);
  }
  std::ofstream(directory / "file", std::ios::binary) << content;
  const Membership member = join();
  auto knows = Subscriber<Bytes>::create(member.holder, "t", {.max_held = 3}).or_throw();
  const Finished sent = pub({"t", "--file", directory / "file", "--count", "2"}, "");
  EXPECT_EQ(sent.errors, "");
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(text_of(*knows.receive(soon()).or_throw()) == content);
  }
  std::filesystem::remove(directory / "file");
  const Finished none = pub({"t", "--file", directory / "file"}, "");
  EXPECT_EQ(none.status, ExitStatus::exited(1));
  EXPECT_THAT(none.errors, ContainsRegex("^tenon pub: open.*/file.*not found\n$"));
}

TEST_F(Topics, pub_waits_for_subscribers_and_gives_up_after_its_timeout) {
  auto pub = start({"pub", "t", "--subscribers", "1", "--count", "1"});
  until_there("pub.");
  auto echo = start({"echo", "t", "--count", "1"});
  pub->input().write(bytes_of("late\nlater\n"), never).or_throw();
  EXPECT_EQ(echo->finish().output, "late\n");
  EXPECT_TRUE(pub->finish().status.success());
  const Finished alone = start({"pub", "t", "--subscribers", "2", "--timeout", "0.05"})->finish();
  EXPECT_EQ(alone.status, ExitStatus::exited(1));
  EXPECT_THAT(alone.errors, HasSubstr("0 of 2 subscribers have come within 0.05 s"));
}

TEST_F(Topics, messages_go_no_faster_than_their_rate) {
  const Membership member = join();
  auto knows = Subscriber<Bytes>::create(member.holder, "t", {.max_held = 20}).or_throw();
  EXPECT_TRUE(pub({"t", "--rate", "100"}, "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n").status.success());
  std::vector<std::int64_t> times;
  for (int i = 0; i < 10; ++i) {
    times.push_back(knows.receive(soon()).or_throw().time());
  }
  // Nine times 10 ms, were each published the moment that it is due: the first may be late by what the last is not.
  EXPECT_GE(times.back() - times.front(), 40'000'000);
}

TEST_F(Topics, a_line_that_is_no_such_message_is_named_with_its_member) {
  const auto refused = [&](const std::string& line) {
    const Finished sent = pub({"t", "--json", "--type", pose_type}, "{\"x\":1,\"y\":2,\"heading\":3}\n" + line + "\n");
    EXPECT_EQ(sent.status, ExitStatus::exited(1));
    EXPECT_EQ(std::ranges::count(sent.errors, '\n'), 1);
    return sent.errors;
  };
  EXPECT_THAT(refused("{\"x\":1,\"y\":2}"), AllOf(HasSubstr("line 2"), HasSubstr("\"heading\" is missing")));
  EXPECT_THAT(refused("{\"x\":1,\"y\":2,\"heading\":3,\"z\":4}"), HasSubstr("no member \"z\""));
  EXPECT_THAT(refused("{\"x\":\"a\",\"y\":2,\"heading\":3}"), HasSubstr("\"x\" is a string"));
  EXPECT_THAT(refused("{\"x\":1,\"y\":2,\"heading\":1e99}"), HasSubstr("\"heading\" is 1e+99"));
  EXPECT_THAT(refused("{\"x\":1,\"y\":2,\"heading\":3,\"x\":4}"), HasSubstr("\"x\" is there twice"));
  EXPECT_THAT(refused("nonsense"), AllOf(HasSubstr("line 2"), HasSubstr("no JSON")));
}

TEST_F(Topics, what_cannot_be_is_told_in_one_line_with_what_to_do) {
  const auto told = [&](const std::vector<std::string>& arguments, int code) {
    const Finished finished = start(arguments)->finish();
    EXPECT_EQ(finished.status, ExitStatus::exited(code)) << arguments.at(0);
    EXPECT_EQ(std::ranges::count(finished.errors, '\n'), 1) << finished.errors;
    return finished.errors;
  };
  for (const char* command : {"echo", "hz"}) {
    EXPECT_THAT(told({command, "none"}, 1),
                AllOf(HasSubstr("none"), HasSubstr("nobody takes part in this topic"), HasSubstr("tenon ls topics")));
    EXPECT_THAT(told({command, "a/b"}, 2), HasSubstr("a/b"));
    EXPECT_THAT(told({command, "t", "--domain", "/proc"}, 1), HasSubstr("/proc"));
  }
  EXPECT_THAT(told({"pub", "none", "--json"}, 1), HasSubstr("say its type with --type"));
  EXPECT_THAT(told({"pub", "none", "--json", "--type", "Pose{f65 x}"}, 2), HasSubstr("\"f65 x\""));
  EXPECT_THAT(told({"pub", "t", "--domain", "/proc"}, 1), HasSubstr("/proc"));
  EXPECT_THAT(told({"echo", "t", "--json", "--hex"}, 2), HasSubstr("--help"));
  EXPECT_THAT(kit::names_in(domain_.path()), IsEmpty());
}

TEST_F(Topics, lines_for_a_topic_of_another_type_are_refused_with_the_way_out) {
  const Membership member = join();
  auto publisher = Publisher<Pose>::create(member.holder, "t").or_throw();
  const Finished sent = pub({"t"}, "line\n");
  EXPECT_EQ(sent.status, ExitStatus::exited(1));
  EXPECT_THAT(sent.errors, AllOf(HasSubstr("Pose"), HasSubstr("Slice<u8>"), HasSubstr("--json")));
  EXPECT_THAT(start({"echo", "t", "--type", "bytes"})->finish().errors, AllOf(HasSubstr("Pose"), HasSubstr("Slice")));
}

TEST_F(Topics, echo_tells_of_a_publisher_that_closes_and_of_one_that_is_killed) {
  auto echo = start({"echo", "t", "--type", "bytes", "--count", "2"});
  until_there("sub.");
  EXPECT_TRUE(pub({"t"}, "first\n").status.success());
  auto victim = start({"pub", "t"});
  victim->input().write(bytes_of("second\n"), never).or_throw();
  until_there("pub.");
  victim->signal(SIGKILL);
  EXPECT_EQ(victim->finish().status, ExitStatus::killed(SIGKILL));
  EXPECT_TRUE(pub({"t"}, "third\nfourth\n").status.success());
  const Finished shown = echo->finish();
  EXPECT_THAT(shown.output, ContainsRegex("^first\n(second|third)\n$"));
  EXPECT_THAT(shown.errors, HasSubstr("tenon echo: a publisher has closed\n"));
}

TEST_F(Topics, echo_says_that_a_publisher_died) {
  auto victim = start({"pub", "t"});
  until_there("pub.");
  auto echo = start({"echo", "t", "--type", "bytes", "--timeout", "60"});
  until_met();
  victim->signal(SIGKILL);
  EXPECT_EQ(victim->finish().status, ExitStatus::killed(SIGKILL));
  transfer::eventually([&] { return names_of(domain_.path() + "/topic.t", "pub.") == 0; });  // drained, and told
  echo->signal(SIGINT);
  const Finished shown = echo->finish();
  EXPECT_THAT(shown.errors, HasSubstr("tenon echo: a publisher died\n"));
}

TEST_F(Topics, echo_never_keeps_a_publisher_waiting_and_counts_what_it_misses) {
  const Membership member = join();
  auto publisher = Publisher<Pose>::create(member.holder, "t", {.depth = 8}).or_throw();
  auto echo = start({"echo", "t", "--count", "1000"});
  until_met();
  echo->signal(SIGSTOP);
  for (int i = 0; i < 5000; ++i) {
    publisher.publish({.x = 1.0 * i, .y = 0, .heading = 0}, immediately).or_throw();
  }
  echo->signal(SIGCONT);
  transfer::eventually([&] {
    publisher.publish({.x = 0, .y = 0, .heading = 0}, immediately).or_throw();
    return publisher.subscribers().empty();
  });
  const Finished shown = echo->finish();
  EXPECT_THAT(shown.errors,
              ContainsRegex("^tenon echo: lost [0-9]+ messages of publisher " + std::to_string(::getpid()) + "\n"));
  EXPECT_EQ(std::ranges::count(shown.output, '\n'), 1000);
}

TEST_F(Topics, interrupted_they_leave_nothing) {
  for (const int number : {SIGINT, SIGTERM}) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"pub", "t"}, {"pub", "t", "--subscribers", "1"}, {"echo", "t", "--type", "bytes"}}) {
      auto waits = start(arguments);
      until_there(arguments[0] == "pub" ? "pub." : "sub.");
      waits->signal(number);
      const Finished ended = waits->finish();
      EXPECT_EQ(ended.status, ExitStatus::exited(1));
      EXPECT_THAT(ended.errors, HasSubstr("stopped"));
      EXPECT_THAT(kit::names_in(domain_.path()), IsEmpty()) << arguments[0];
    }
  }
}

TEST_F(Topics, interrupted_in_the_midst_of_messages_they_leave_nothing) {
  const kit::UniqueDirectory directory;
  std::ofstream(directory / "file") << "content";
  auto pub = start({"pub", "t", "--file", directory / "file", "--count", "1000000000000"});
  until_there("pub.");
  Command echo = Command::by_shell("exec \"$1\" echo t >" + (directory / "shown"), {});
  transfer::eventually([&] {
    return std::filesystem::exists(directory / "shown") && std::filesystem::file_size(directory / "shown") > 0;
  });
  echo.signal(SIGTERM);
  const Finished shown = echo.finish();
  EXPECT_EQ(shown.status, ExitStatus::exited(1)) << shown.errors;
  EXPECT_THAT(shown.errors, HasSubstr("stopped"));
  pub->signal(SIGTERM);
  EXPECT_EQ(pub->finish().status, ExitStatus::exited(1));
  EXPECT_THAT(kit::names_in(domain_.path()), IsEmpty());
  std::filesystem::remove(directory / "file");
  std::filesystem::remove(directory / "shown");
}

TEST_F(Topics, figures_that_cannot_be_are_refused_in_words) {
  const auto told = [&](const std::vector<std::string>& arguments) {
    const Finished finished = start(arguments)->finish();
    EXPECT_EQ(finished.status, ExitStatus::exited(2)) << arguments.at(2);
    EXPECT_EQ(std::ranges::count(finished.errors, '\n'), 1) << finished.errors;
    return finished.errors;
  };
  for (const char* rate : {"0", "-1", "nan", "inf", "1e-10", "1e300", "x"}) {
    EXPECT_THAT(told({"pub", "t", "--rate", rate}), HasSubstr("from 0.001 to 1e9"));
  }
  for (const char* count : {"0", "-1", "1.5", "99999999999999999999", "x"}) {
    EXPECT_THAT(told({"pub", "t", "--count", count}), HasSubstr("not a whole number"));
    EXPECT_THAT(told({"pub", "t", "--subscribers", count}), HasSubstr("not a whole number"));
  }
  EXPECT_THAT(told({"pub", "t", "--type", pose_type}), HasSubstr("give --json"));
}

TEST_F(Topics, a_line_that_is_too_long_is_told_how_to_make_room) {
  const Finished sent = pub({"t", "--longest", "10"}, "short\n" + std::string(100, 'x') + "\n");
  EXPECT_EQ(sent.status, ExitStatus::exited(1));
  EXPECT_THAT(sent.errors, AllOf(HasSubstr("line 2"), HasSubstr("--longest")));
}

TEST_F(Topics, echo_ends_when_nobody_reads_what_it_prints) {
  const Membership member = join();
  auto publisher = Publisher<Pose>::create(member.holder, "t").or_throw();
  auto echo = start({"echo", "t"});
  echo->close_output();
  until_met();
  publisher.publish({.x = 1, .y = 2, .heading = 3}, soon()).or_throw();
  const Finished ended = echo->finish();
  EXPECT_EQ(ended.status, ExitStatus::exited(1));
  EXPECT_THAT(ended.errors, HasSubstr("closed"));
  until_there("sub.", 0);
}

TEST_F(Topics, each_command_shows_an_example) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"pub", "--help"}, {"echo", "--help"}, {"hz", "--help"}, {"ls", "topics", "--help"}}) {
    const Finished help = start(arguments)->finish();
    EXPECT_TRUE(help.status.success());
    EXPECT_THAT(help.output, AllOf(HasSubstr("Example:"), HasSubstr("--domain")));
  }
}

}  // namespace
}  // namespace topics

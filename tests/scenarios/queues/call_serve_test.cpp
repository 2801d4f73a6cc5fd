// `tenon serve` and `tenon call` with real processes, and what they say when something goes wrong.
#include "fixture.hpp"

#include <tenon/messaging/service/service.hpp>
#include <tenon/os/procfs.hpp>

#include <set>
#include <sstream>
#include <unistd.h>

namespace queues {
namespace {

using namespace tenon;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using tools::expect_schema;
using tools::parsed;
using tools::schema;

class CallServe : public AtTheCommandLine {
 protected:
  static std::unique_ptr<Command> serve(const std::string& script, std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"serve", "s"});
    options.insert(options.end(), {"--", script});
    return start(options);
  }
  static std::unique_ptr<Command> call(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"call", "s"});
    auto command = start(arguments);
    if (!input.empty()) {
      command->input().write(bytes_of(input), never).or_throw();
    }
    command->close_input();
    return command;
  }
  // Ctrl-C, as a terminal sends it.
  static void interrupt(Command& command) {
    command.signal(SIGINT);
    const Finished ended = command.finish();
    EXPECT_TRUE(ended.status.success()) << ended.errors;
  }
  static void interrupt_in_a_call(Command& command) {
    command.signal(SIGINT);
    const Finished ended = command.finish();
    EXPECT_TRUE(ended.status.success());
    EXPECT_EQ(ended.errors, "tenon serve: stopped in the midst of a call, whose client is told\n");
  }
  void until_file(const std::string& name) const {
    transfer::eventually([&] { return std::filesystem::exists(directory_ / name); });
  }
  json services() const {
    const json all = parsed(told({"ls", "services", "--json", "--interval", "0"}, 0));
    expect_schema(all, schema("services"));
    return all["services"];
  }

  kit::UniqueDirectory directory_;
};

TEST_F(CallServe, answer_with_what_a_command_prints) {
  auto server = start({"serve", "s", "--", "tr", "a-z", "A-Z"});
  EXPECT_EQ(told({"call", "s", "hello"}, 0).output, "HELLO");
  EXPECT_EQ(call({}, "from\ninput\n")->finish().output, "FROM\nINPUT\n");
  EXPECT_EQ(call({"-"}, "x")->finish().output, "X");
  EXPECT_EQ(call({})->finish().output, "");
  interrupt(*server);
}

TEST_F(CallServe, run_one_text_by_the_shell) {
  auto server = serve("sort | uniq");
  EXPECT_EQ(call({}, "b\na\nb\n")->finish().output, "a\nb\n");
  interrupt(*server);
}

TEST_F(CallServe, carry_requests_and_responses_of_any_length) {
  auto server = serve("cat");
  for (const std::size_t size : {std::size_t{65535}, std::size_t{65536}, std::size_t{65537}, std::size_t{8} << 20}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 100) {
      text[i] = static_cast<char>('a' + i / 100 % 26);
    }
    const std::string path = directory_ / "request";
    std::ofstream(path, std::ios::binary) << text;
    const Finished got = Command::by_shell("\"$@\" <" + path, {"call", "s", "--timeout", "60"}).finish();
    EXPECT_EQ(got.errors, "");
    EXPECT_TRUE(got.output == text) << size;
    std::filesystem::remove(path);
  }
  interrupt(*server);
}

TEST_F(CallServe, show_a_long_response_as_it_comes) {
  auto server = serve("echo first; while [ ! -e " + (directory_ / "go") + " ]; do sleep 0.01; done; echo second");
  auto client = call({"--timeout", "0"});
  std::string text;
  std::array<std::byte, 64> part;
  transfer::eventually([&] {
    if (const auto got = client->try_read_output(part); got) {
      text += text_of(Bytes(part).first(*got));
    }
    return text == "first\n";
  });
  std::ofstream(directory_ / "go") << "go";
  EXPECT_EQ(client->finish().output, "second\n");
  std::filesystem::remove(directory_ / "go");
  interrupt(*server);
}

TEST_F(CallServe, fail_with_the_last_words_of_a_command_that_fails) {
  auto server = serve("echo some words >&2; echo the last words >&2; exit 3");
  const Finished failed = told({"call", "s", "x"}, 1);
  EXPECT_THAT(failed.errors, AllOf(HasSubstr("the last words (3)"), HasSubstr("pid")));
  EXPECT_THAT(failed.errors, testing::Not(HasSubstr("some words")));
  interrupt(*server);
  server = serve("kill -9 $$");
  EXPECT_THAT(told({"call", "s", "x"}, 1).errors, AllOf(HasSubstr("killed by signal 9"), HasSubstr("(137)")));
  interrupt(*server);
  server = start({"serve", "s", "--", "tenon-has-no-such-program", "x"});
  EXPECT_THAT(told({"call", "s", "x"}, 1).errors, AllOf(HasSubstr("tenon-has-no-such-program"), HasSubstr("(127)")));
  interrupt(*server);
}

TEST_F(CallServe, give_each_its_own_line_whatever_else_the_command_prints) {
  auto server = serve("while read line; do printf '<%s>\\nmore\\n' \"$line\"; done", {"--lines"});
  for (const char* asked : {"one", "two", "three"}) {
    EXPECT_EQ(told({"call", "s", asked}, 0).output, std::string("<") + asked + ">");
  }
  interrupt(*server);
}

TEST_F(CallServe, give_each_its_own_line_however_late_it_comes) {
  auto server = serve("while read line; do case $line in late) sleep 0.3;; esac; echo \"<$line>\"; done", {"--lines"});
  EXPECT_THAT(told({"call", "s", "late", "--timeout", "0.1"}, 1).errors, HasSubstr("timed out"));
  EXPECT_EQ(told({"call", "s", "one"}, 0).output, "<one>");
  EXPECT_EQ(told({"call", "s", "two"}, 0).output, "<two>");
  interrupt(*server);
}

TEST_F(CallServe, ask_one_command_line_by_line) {
  auto server = serve("while read line; do echo \"<$line>\"; done", {"--lines"});
  const Finished got = call({"--lines"}, "one\n\nthree")->finish();
  EXPECT_EQ(got.errors, "");
  EXPECT_EQ(got.output, "<one>\n<>\n<three>\n");
  EXPECT_EQ(told({"call", "s", "x"}, 0).output, "<x>");
  EXPECT_EQ(told({"call", "s", "x\n"}, 0).output, "<x>");
  EXPECT_THAT(told({"call", "s", "two\nlines"}, 1).errors, HasSubstr("one line"));
  const Finished shown = call({"--lines", "--json"}, "a\nb\n")->finish();
  std::istringstream lines(shown.output);
  std::vector<std::string> responses;
  for (std::string line; std::getline(lines, line);) {
    const json one = json::parse(line);
    expect_schema(one, schema("call"));
    responses.push_back(one["response"]);
  }
  EXPECT_THAT(responses, testing::ElementsAre("<a>", "<b>"));
  interrupt(*server);
}

TEST_F(CallServe, end_with_their_one_command) {
  auto server = serve("read line; exit 4", {"--lines"});
  EXPECT_THAT(told({"call", "s", "x"}, 1).errors, HasSubstr("exited with 4"));
  const Finished ended = server->finish();
  EXPECT_EQ(ended.status, ExitStatus::exited(1));
  EXPECT_THAT(ended.errors, HasSubstr("exited with 4"));
}

TEST_F(CallServe, tell_in_json_who_answered_and_what) {
  auto server = serve("printf '\\377\\001'");
  const json bytes = parsed(told({"call", "s", "x", "--json"}, 0));
  expect_schema(bytes, schema("call"));
  EXPECT_TRUE(bytes["response"].is_null());
  EXPECT_EQ(bytes["response_bytes"], (json{255, 1}));
  EXPECT_EQ(bytes["bytes"], 2);
  EXPECT_EQ(bytes["server"], server->process().pid());
  EXPECT_GT(bytes["seconds"], 0);
  interrupt(*server);
}

TEST_F(CallServe, wait_for_a_server_and_say_that_none_came) {
  const Finished waited = told({"call", "s", "x", "--timeout", "0.05"}, 1);
  EXPECT_THAT(waited.errors, AllOf(HasSubstr("no server has come within 0.05 s"), HasSubstr("tenon serve s")));
  auto early = call({"x", "--timeout", "0"});
  auto server = serve("cat");
  EXPECT_EQ(early->finish().output, "x");
  interrupt(*server);
}

TEST_F(CallServe, say_that_an_answer_is_late) {
  auto server = serve("sleep 1000");
  EXPECT_THAT(told({"call", "s", "x", "--timeout", "0.1"}, 1).errors, HasSubstr("within 0.1 s"));
  interrupt(*server);
}

TEST_F(CallServe, say_that_the_server_was_killed_over_a_request) {
  auto server = serve("kill -9 $PPID");
  const pid_t pid = server->process().pid();
  const Finished failed = told({"call", "s", "x", "--timeout", "0"}, 1);
  EXPECT_THAT(failed.errors,
              AllOf(HasSubstr("the server, pid " + std::to_string(pid) + ", died"), HasSubstr("may have begun")));
  EXPECT_EQ(server->finish().status, ExitStatus::killed(SIGKILL));
}

TEST_F(CallServe, kill_a_command_whose_caller_waits_no_more) {
  auto server = serve("echo $$ >" + (directory_ / "pid.new") + "; mv " + (directory_ / "pid.new") + " " +
                      (directory_ / "pid") + "; exec sleep 1000");
  auto client = call({"x", "--timeout", "0"});
  until_file("pid");
  pid_t pid = 0;
  std::ifstream(directory_ / "pid") >> pid;
  client->signal(SIGINT);
  const Finished stopped = client->finish();
  EXPECT_EQ(stopped.status, ExitStatus::exited(1));
  EXPECT_THAT(stopped.errors, HasSubstr("stopped"));
  transfer::eventually([&] { return ::kill(pid, 0) == -1; });
  std::filesystem::remove(directory_ / "pid");
  interrupt(*server);
}

TEST_F(CallServe, tell_the_caller_when_the_server_is_interrupted) {
  auto server = serve("touch " + (directory_ / "begun") + "; exec sleep 1000");
  auto client = call({"x", "--timeout", "0"});
  until_file("begun");
  interrupt_in_a_call(*server);
  const Finished told_so = client->finish();
  EXPECT_EQ(told_so.status, ExitStatus::exited(1));
  EXPECT_EQ(std::ranges::count(told_so.errors, '\n'), 1) << told_so.errors;
  std::filesystem::remove(directory_ / "begun");
}

TEST_F(CallServe, end_all_that_the_command_has_started_with_it) {
  auto server = serve("sleep 1000 & echo $! > " + (directory_ / "pid") + "; echo done");
  EXPECT_EQ(call({"x"})->finish().output, "done\n");
  pid_t left = 0;
  std::ifstream(directory_ / "pid") >> left;
  ASSERT_GT(left, 0);
  transfer::eventually([&] {
    const auto now = procfs::process(left);
    return !now || now->state == 'Z';  // who adopts it may reap it later
  });
  std::filesystem::remove(directory_ / "pid");
  interrupt(*server);
}

TEST_F(CallServe, called_wrongly_point_at_their_own_help) {
  EXPECT_THAT(told({"call"}, 2).errors, HasSubstr("see tenon call --help"));
  EXPECT_THAT(told({"serve", "s", "--line"}, 2).errors, HasSubstr("see tenon serve --help"));
}

TEST_F(CallServe, share_the_calls_among_servers) {
  auto one = serve("echo $PPID; while [ ! -e " + (directory_ / "go") + " ]; do sleep 0.01; done");
  auto other = serve("echo $PPID; while [ ! -e " + (directory_ / "go") + " ]; do sleep 0.01; done");
  transfer::eventually([&] {
    const json seen = services();
    return seen.size() == 1 && seen[0]["servers"].size() == 2;
  });
  std::vector<std::unique_ptr<Command>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(call({"x", "--timeout", "0"}));
  }
  transfer::eventually([&] {
    const json seen = services();
    return seen.size() == 1 && seen[0]["clients"].size() == 16;
  });
  std::ofstream(directory_ / "go") << "go";
  std::set<std::string> answered;
  for (const auto& client : clients) {
    answered.insert(client->finish().output);
  }
  EXPECT_EQ(answered.size(), 2U);
  std::filesystem::remove(directory_ / "go");
  interrupt(*one);
  interrupt(*other);
}

TEST_F(CallServe, are_listed_with_who_serves_and_who_calls) {
  auto server = serve("touch " + (directory_ / "begun") + "; exec sleep 1000");
  auto client = call({"x", "--timeout", "0"});
  until_file("begun");
  const json seen = services();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0]["name"], "s");
  EXPECT_THAT(std::string(seen[0]["type"]), HasSubstr("Service<"));
  EXPECT_EQ(seen[0]["servers"].at(0)["pid"], server->process().pid());
  EXPECT_EQ(seen[0]["servers"].at(0)["alive"], true);
  EXPECT_EQ(seen[0]["servers"].at(0)["received"], 1);
  EXPECT_EQ(seen[0]["clients"].at(0)["pid"], client->process().pid());
  EXPECT_EQ(seen[0]["waiting"], 0);
  EXPECT_THAT(told({"ls", "services"}, 0).output, ContainsRegex("s +Service<.*> +1: [0-9]+ +1: [0-9]+ +0 +0.0/s"));
  client->signal(SIGKILL);
  client->finish();
  transfer::eventually([&] {
    const json now = services();
    return now.at(0)["clients"].empty() || now.at(0)["clients"].at(0)["alive"] == false;
  });
  interrupt(*server);
  std::filesystem::remove(directory_ / "begun");
  EXPECT_EQ(parsed(told({"ls", "services", "--json", "--domain", domain_.path() + "/none"}, 0))["services"].size(), 0U);
}

TEST_F(CallServe, pass_over_what_is_no_service) {
  std::ofstream(domain_.path() + "/service.file") << "text";
  const std::string inbox = "server.0123456789abcdef.0123456789abcdef";
  std::filesystem::create_directories(domain_.path() + "/service.odd/" + inbox);
  std::ofstream(domain_.path() + "/service.odd/" + inbox + "/sub.0123456789abcdef.0123456789abcdef") << "text";
  std::ofstream(domain_.path() + "/service.odd/client.0123456789abcdef.0123456789abcdef") << "text";
  const Finished shown = tools::run({"ls", "services", "--interval", "0"});
  EXPECT_EQ(shown.status, ExitStatus::exited(0));
  EXPECT_THAT(shown.errors, AllOf(HasSubstr("service.file"), HasSubstr("odd/server."), HasSubstr("odd/client.")));
  EXPECT_THAT(shown.output, HasSubstr("odd"));
  std::filesystem::remove_all(domain_.path() + "/service.odd");
  std::filesystem::remove(domain_.path() + "/service.file");
}

TEST_F(CallServe, refuse_what_makes_no_sense) {
  EXPECT_THAT(told({"serve", "s"}, 2).errors, HasSubstr("COMMAND"));
  EXPECT_THAT(told({"call", "a/b", "x"}, 2).errors, HasSubstr("a/b"));
  EXPECT_THAT(told({"call", "s", "x", "--timeout", "soon"}, 2).errors, HasSubstr("soon"));
  const Membership member = join();
  auto numbers = Server<std::uint64_t, std::uint64_t>::create(member.holder, "numbers").or_throw();
  EXPECT_THAT(told({"call", "numbers", "x", "--timeout", "1"}, 1).errors, HasSubstr("u64"));
  std::move(numbers).close().or_throw();
}

}  // namespace
}  // namespace queues

/// What `tenon send` and `tenon recv` owe over every channel: the bytes, whoever starts first; the truth, whoever dies;
/// and nothing left behind. Long transfers: every_channel_long.cpp
#include "every_channel.hpp"

#include <csignal>
#include <sstream>

namespace transfer {
namespace {

using namespace tenon;
using testing::AllOf;
using testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(All, EveryChannel, testing::ValuesIn(channel_rows()), name_of);

TEST_P(EveryChannel, carries_files_of_every_size_whoever_starts_first) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, GetParam().limit, GetParam().limit + 1}) {
    for (const bool sender_first : {false, true}) {
      expect_arrives(random_bytes(size), sender_first);
    }
  }
}

TEST_P(EveryChannel, carries_200_million_bytes) { expect_arrives(random_bytes(200'000'000), false); }

TEST_P(EveryChannel, keeps_lines_apart_as_messages) {
  auto recv = start_recv({"--lines"});
  auto send = start_send({"--lines"});
  send->input().write(bytes_of("one\n\nthree"), never).or_throw();
  send->close_input();
  EXPECT_TRUE(send->finish().status.success());
  const Finished received = recv->finish();
  EXPECT_EQ(received.output, "one\n\nthree\n");
  EXPECT_TRUE(received.status.success());
}

TEST_P(EveryChannel, carries_the_messages_of_several_senders) {
  constexpr int senders = 3;
  constexpr int lines = 200;
  std::vector<std::unique_ptr<Command>> sending;
  std::vector<std::string> expected;
  for (int i = 0; i < senders; ++i) {
    sending.push_back(start_send({"--lines"}));
    std::string text;
    for (int line = 0; line < lines; ++line) {
      expected.push_back(std::to_string(i) + "." + std::to_string(line));
      text += expected.back() + "\n";
    }
    sending.back()->input().write(bytes_of(text), never).or_throw();
  }
  until_entered(senders);
  auto recv = start_recv({"--lines"});
  let_go();
  for (const auto& send : sending) {
    send->close_input();
  }
  const Finished received = recv->finish();
  EXPECT_EQ(received.errors, "");
  for (const auto& send : sending) {
    EXPECT_EQ(send->finish().errors, "");
  }
  std::istringstream shown(received.output);
  std::vector<std::string> got;
  for (std::string line; std::getline(shown, line);) {
    got.push_back(line);
  }
  std::ranges::sort(got);
  std::ranges::sort(expected);
  EXPECT_EQ(got, expected);
}

TEST_P(EveryChannel, whose_sender_is_killed_keeps_what_came_in_a_partial_file) {
  auto recv = start_recv({"-o", output()});
  auto send = start_send();
  begin(*send, 1'000'000);
  let_go();
  send->signal(SIGKILL);
  const std::int64_t killed = monotonic_now();
  const Finished received = recv->finish();
  RecordProperty("milliseconds_to_notice", static_cast<int>((monotonic_now() - killed) / 1'000'000));
  EXPECT_LT(monotonic_now() - killed, kit::slowness() * 1'000'000'000LL);
  EXPECT_EQ(received.status, ExitStatus::exited(1));
  EXPECT_THAT(received.errors, AllOf(HasSubstr("sender"), HasSubstr("died"), HasSubstr("output.partial")));
  EXPECT_TRUE(contents(partial()) == std::string(fs::file_size(partial()), 'x'));
  expect_only({"output.partial"});
}

TEST_P(EveryChannel, whose_receiver_is_killed_fails_within_a_second) {
  auto recv = start_recv({"-o", output()});
  auto send = start_send();
  begin(*send, 1'000'000);
  let_go();
  recv->signal(SIGKILL);
  const std::int64_t killed = monotonic_now();
  const Finished sent = send->finish();
  EXPECT_LT(monotonic_now() - killed, kit::slowness() * 1'000'000'000LL);
  EXPECT_EQ(sent.status, ExitStatus::exited(1));
  EXPECT_THAT(sent.errors, AllOf(HasSubstr("receiver"), HasSubstr("died")));
  expect_only({"output.partial"});
}

TEST_P(EveryChannel, both_of_whose_sides_were_killed_starts_anew) {
  {
    auto recv = start_recv({"-o", output()});
    auto send = start_send();
    begin(*send, 1'000'000);
    recv->signal(SIGKILL);
    send->signal(SIGKILL);
    EXPECT_EQ(recv->finish().status, ExitStatus::killed(SIGKILL));
    EXPECT_EQ(send->finish().status, ExitStatus::killed(SIGKILL));
  }
  fs::remove(partial());
  if (pipe_) {  // nothing of the old one can be in a new one
    pipe_ = Pipe::pair().or_throw();
  }
  expect_arrives("afterwards", true);
}

TEST_P(EveryChannel, interrupted_at_the_sender_tells_the_receiver) {
  auto recv = start_recv({"-o", output()});
  auto send = start_send();
  begin(*send, 100'000);
  let_go();
  send->signal(SIGINT);
  EXPECT_EQ(send->finish().status, ExitStatus::exited(1));
  const Finished received = recv->finish();
  EXPECT_EQ(received.status, ExitStatus::exited(1));
  EXPECT_THAT(received.errors, AllOf(HasSubstr("gave up"), HasSubstr("output.partial")));
  expect_only({"output.partial"});
}

TEST_P(EveryChannel, interrupted_at_the_receiver_tells_the_sender) {
  auto recv = start_recv({"-o", output()});
  auto send = start_send();
  begin(*send, 100'000);
  let_go();
  recv->signal(SIGINT);
  EXPECT_EQ(recv->finish().status, ExitStatus::exited(1));
  const Finished sent = send->finish();
  EXPECT_EQ(sent.status, ExitStatus::exited(1));
  EXPECT_THAT(sent.errors, AllOf(HasSubstr("receiver"), HasSubstr("left before")));
  expect_only({"output.partial"});
}

TEST_P(EveryChannel, interrupted_while_it_waits_for_the_other_side_leaves_nothing) {
  for (const char* command : {"send", "recv"}) {
    if (pipe_) {  // in the old one is the word that the sender gave up
      pipe_ = Pipe::pair().or_throw();
    }
    auto waiting = start(command, {});
    until_entered(1);
    waiting->signal(SIGINT);
    const Finished ended = waiting->finish();
    EXPECT_EQ(ended.status, ExitStatus::exited(1));
    EXPECT_THAT(ended.errors, HasSubstr("stopped"));
    expect_only({});
  }
}

TEST_P(EveryChannel, gives_up_after_its_timeout) {
  for (const char* command : {"send", "recv"}) {
    if (pipe_) {  // in the old one is the word that the sender gave up
      pipe_ = Pipe::pair().or_throw();
    }
    const Finished ended = start(command, {"--timeout", "0.05"})->finish();
    EXPECT_EQ(ended.status, ExitStatus::exited(1));
    EXPECT_THAT(ended.errors, AllOf(HasSubstr("timed out"), HasSubstr("within 0.05 s"))) << command;
  }
  expect_only({});
}

// F4: of two who come to receive, exactly one may.
TEST_P(EveryChannel, refuses_a_second_receiver_by_name) {
  auto first = start_recv({"-o", output()});
  until_entered(1);
  auto second = start_recv();
  const Finished refused = second->finish();
  EXPECT_EQ(refused.status, ExitStatus::exited(1));
  EXPECT_THAT(refused.errors, HasSubstr("pid " + std::to_string(first->process().pid())));
  first->signal(SIGTERM);
  first->finish();
}

// F80
TEST_P(EveryChannel, refuses_what_no_channel_sent) {
  auto recv = start_recv({"-o", output()});
  auto send = start_send();
  begin(*send, 1'000'000);
  inject(bytes_of(std::string(100, 'x')));
  const Finished received = recv->finish();
  EXPECT_EQ(received.status, ExitStatus::exited(1));
  EXPECT_THAT(received.errors, AllOf(HasSubstr("not sent by Tenon's channels"), HasSubstr("output.partial")));
  send->close_input();
  EXPECT_EQ(send->finish().status, ExitStatus::exited(1));
  expect_only({"output.partial"});
}

}  // namespace
}  // namespace transfer

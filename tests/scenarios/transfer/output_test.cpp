// Where the commands write, and what they say when that cannot be written to.
#include "fixture.hpp"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>

namespace {

using namespace transfer;
using std::chrono::seconds;
using tenon::after;
using tenon::bytes_of;
using tenon::ExitStatus;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A descriptor that only names a file, O_PATH, reads and writes nothing.
bool only_names(const fs::path& descriptors, const fs::path& number) {
  std::ifstream info(descriptors.parent_path() / "fdinfo" / number);
  for (std::string word; info >> word;) {
    if (word == "flags:") {
      unsigned flags = 0;
      info >> std::oct >> flags;
      return (flags & O_PATH) != 0;
    }
  }
  return true;  // it has just been closed
}

// Whether a process has the file at that path open to read or write it. It may have just begun, or be about to end.
bool uses(pid_t process, const std::string& path) {
  std::error_code error;
  const fs::path descriptors = "/proc/" + std::to_string(process) + "/fd";
  for (fs::directory_iterator at(descriptors, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    if (fs::read_symlink(at->path(), gone) == path && !only_names(descriptors, at->path().filename())) {
      return true;
    }
  }
  return false;
}

class Output : public Transfer {
 protected:
  std::string other_fifo() { return "fifo:" + (directory_ / "other"); }
};

TEST_F(Output, of_two_transfers_into_one_file_the_second_is_refused_and_the_first_is_whole) {
  Command recv({"recv", fifo(), "-o", output()});
  Command send({"send", fifo()});
  begin(send, 300'000);
  Command second({"recv", other_fifo(), "-o", output()});
  Command to_second({"send", other_fifo(), write_file("overwrites")});
  const Finished refused = second.finish();
  EXPECT_EQ(refused.status, ExitStatus::exited(1));
  EXPECT_THAT(refused.errors, AllOf(HasSubstr("output.partial"), HasSubstr("another transfer")));
  EXPECT_EQ(to_second.finish().status, ExitStatus::exited(1));
  send.close_input();
  EXPECT_TRUE(send.finish().status.success());
  EXPECT_TRUE(recv.finish().status.success());
  EXPECT_EQ(contents(output()), std::string(300'000, 'x'));
  expect_only({"file", "output"});
}

TEST_F(Output, a_fifo_that_nobody_reads_is_waited_for_until_the_timeout_or_a_signal) {
  ASSERT_EQ(::mkfifo(output().c_str(), 0600), 0);
  {
    Command recv({"recv", fifo(), "-o", output(), "--timeout", "0.5"});
    Command send({"send", fifo(), write_file("unread")});
    const Finished received = recv.finish();
    EXPECT_EQ(received.status, ExitStatus::exited(1));
    EXPECT_THAT(received.errors, AllOf(HasSubstr("timed out"), HasSubstr("nobody reads it")));
    EXPECT_EQ(send.finish().status, ExitStatus::exited(1));
  }
  Command recv({"recv", fifo(), "-o", output()});
  Command send({"send", fifo(), write_file("unread")});
  eventually([&] {  // they have met
    return uses(send.process().pid(), directory_ / "fifo") && uses(recv.process().pid(), directory_ / "fifo");
  });
  recv.signal(SIGTERM);
  const Finished received = recv.finish();
  EXPECT_EQ(received.status, ExitStatus::exited(1));
  EXPECT_THAT(received.errors, HasSubstr("stopped"));
  EXPECT_EQ(send.finish().status, ExitStatus::exited(1));
  expect_only({"file", "output"});
}

TEST_F(Output, standard_output_that_is_not_read_is_waited_for_until_the_timeout) {
  Command recv({"recv", fifo(), "--timeout", "0.5"});
  Command send({"send", fifo(), write_file(std::string(2'000'000, 'x'))});
  EXPECT_EQ(recv.process().wait(after(seconds(10))).or_throw(), ExitStatus::exited(1));
  EXPECT_THAT(recv.finish().errors, AllOf(HasSubstr("standard output"), HasSubstr("timed out")));
  EXPECT_EQ(send.finish().status, ExitStatus::exited(1));
  expect_only({"file"});
}

TEST_F(Output, an_input_from_which_nothing_comes_is_waited_for_until_the_timeout) {
  Command recv({"recv", fifo()});
  Command send({"send", fifo(), "--timeout", "0.5"});
  const Finished sent = send.finish();
  EXPECT_EQ(sent.status, ExitStatus::exited(1));
  EXPECT_THAT(sent.errors, HasSubstr("\"standard input\": timed out: nothing has come within 0.5 s"));
  EXPECT_EQ(recv.finish().status, ExitStatus::exited(1));
  expect_only({});
}

TEST_F(Output, errors_that_cannot_be_written_leave_the_exit_code_as_it_is) {
  for (const char* where : {"exec \"$@\" 2>/dev/full", "exec \"$@\" 2>&-"}) {
    EXPECT_EQ(Command::by_shell(where, {"send"}).finish().status, ExitStatus::exited(2)) << where;
    const std::vector<std::string> fails = {"send", fifo(), directory_ / "missing"};
    EXPECT_EQ(Command::by_shell(where, fails).finish().status, ExitStatus::exited(1)) << where;
  }
  expect_only({});
}

TEST_F(Output, arguments_that_would_upset_a_terminal_are_escaped_in_usage_messages) {
  const Finished finished = Command({"recv", fifo(), "superfluous", "\x1b[2Jx\n"}).finish();
  EXPECT_EQ(finished.status, ExitStatus::exited(2));
  EXPECT_THAT(finished.errors, AllOf(HasSubstr("[2Jx"), Not(HasSubstr("\x1b"))));
  EXPECT_EQ(std::ranges::count(finished.errors, '\n'), 1);
  expect_only({});
}

TEST_F(Output, a_tour_that_is_interrupted_says_so_and_calls_nothing_a_failure) {
  // Once its first entry has been printed, it is in the second.
  const std::string script = "\"$@\" >'" + output() + "' & while ! [ -s '" + output() +
                             "' ] && kill -0 $!; do sleep 0.01; done; kill -TERM $!; wait $!";
  Command tour = Command::by_shell(script, {"tour"});
  const Finished finished = tour.finish();
  EXPECT_EQ(finished.status, ExitStatus::exited(1));
  EXPECT_THAT(finished.errors, HasSubstr("stopped"));
  EXPECT_THAT(contents(output()), Not(HasSubstr("FAIL")));
  expect_only({"output"});
}

}  // namespace

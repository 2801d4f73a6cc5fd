/// `tenon send` and `tenon recv`: real files between unrelated processes, and everything that goes wrong on the way.
#include "fixture.hpp"

#include <tenon/ipc/fifo/fifo.hpp>

#include <csignal>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

namespace transfer {
namespace {

using namespace tenon;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

std::string random_bytes(std::size_t size) {
  std::mt19937_64 random(size);
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t value = random();
    bytes.replace(at, std::min(sizeof value, size - at), reinterpret_cast<const char*>(&value),
                  std::min(sizeof value, size - at));
  }
  return bytes;
}

class TransferSizes : public Transfer, public testing::WithParamInterface<std::size_t> {};

TEST_P(TransferSizes, arrive_byte_for_byte_over_a_fifo_whoever_starts_first) {
  const std::string bytes = random_bytes(GetParam());
  const std::string file = write_file(bytes);
  {
    Command recv({"recv", fifo(), "-o", output()});
    eventually([&] { return fs::exists(directory_ / "fifo"); });
    Command send({"send", fifo(), file});
    EXPECT_EQ(send.finish().errors, "");
    EXPECT_EQ(recv.finish().errors, "");
    EXPECT_TRUE(contents(output()) == bytes);
    fs::remove(output());
  }
  {
    Command send({"send", fifo(), file});
    eventually([&] { return fs::exists(directory_ / "fifo"); });
    Command recv({"recv", fifo(), "-o", output()});
    EXPECT_TRUE(send.finish().status.success());
    EXPECT_TRUE(recv.finish().status.success());
    EXPECT_TRUE(contents(output()) == bytes);
  }
  expect_only({"file", "output"});
}

TEST_P(TransferSizes, arrive_byte_for_byte_over_a_pipe) {
  const std::string bytes = random_bytes(GetParam());
  const std::string file = write_file(bytes);
  Pipe pipe = Pipe::pair().or_throw();
  Command send({"send", "pipe:1", file}, {}, std::move(pipe.writer).into_fd());
  Command recv({"recv", "pipe:0", "-o", output()}, std::move(pipe.reader).into_fd());
  EXPECT_EQ(send.finish().errors, "");
  EXPECT_EQ(recv.finish().errors, "");
  EXPECT_TRUE(contents(output()) == bytes);
  expect_only({"file", "output"});
}

INSTANTIATE_TEST_SUITE_P(Sizes, TransferSizes, testing::Values(0, 1, 4096, 4097, 200'000'000));

TEST_F(Transfer, of_lines_keeps_each_line_a_message) {
  Command recv({"recv", fifo(), "--lines"});
  Command send({"send", fifo(), "--lines"});
  send.input().write(bytes_of("one\n\nthree"), never).or_throw();
  send.close_input();
  EXPECT_TRUE(send.finish().status.success());
  const Finished received = recv.finish();
  EXPECT_EQ(received.output, "one\n\nthree\n");
  EXPECT_TRUE(received.status.success());
}

TEST_F(Transfer, whose_sender_is_killed_keeps_what_came_in_a_partial_file) {
  Command recv({"recv", fifo(), "-o", output()});
  Command send({"send", fifo()});
  begin(send, 1'000'000);
  send.signal(SIGKILL);
  const std::int64_t killed = monotonic_now();
  const Finished received = recv.finish();
  RecordProperty("milliseconds_to_notice", static_cast<int>((monotonic_now() - killed) / 1'000'000));
  EXPECT_LT(monotonic_now() - killed, kit::slowness() * 1'000'000'000LL);
  EXPECT_EQ(received.status, ExitStatus::exited(1));
  EXPECT_THAT(received.errors, AllOf(HasSubstr("sender"), HasSubstr("died"), HasSubstr("output.partial")));
  EXPECT_TRUE(contents(partial()) == std::string(fs::file_size(partial()), 'x'));
  expect_only({"output.partial"});
}

TEST_F(Transfer, whose_receiver_is_killed_fails_within_a_second) {
  Command recv({"recv", fifo(), "-o", output()});
  Command send({"send", fifo()});
  begin(send, 1'000'000);
  recv.signal(SIGKILL);
  const std::int64_t killed = monotonic_now();
  // The pipe may take what is written now; the end it cannot confirm.
  [[maybe_unused]] const auto more =
      send.input().write(bytes_of(std::string(4'000'000, 'x')), after(milliseconds(500)));
  const Finished sent = send.finish();
  EXPECT_LT(monotonic_now() - killed, kit::slowness() * 1'000'000'000LL);
  EXPECT_EQ(sent.status, ExitStatus::exited(1));
  EXPECT_THAT(sent.errors, AllOf(HasSubstr("receiver"), HasSubstr("died")));
  expect_only({"output.partial"});
}

TEST_F(Transfer, interrupted_at_the_sender_tells_the_receiver) {
  Command recv({"recv", fifo(), "-o", output()});
  Command send({"send", fifo()});
  begin(send, 100'000);
  send.signal(SIGINT);
  EXPECT_EQ(send.finish().status, ExitStatus::exited(1));
  const Finished received = recv.finish();
  EXPECT_EQ(received.status, ExitStatus::exited(1));
  EXPECT_THAT(received.errors, AllOf(HasSubstr("gave up"), HasSubstr("output.partial")));
  expect_only({"output.partial"});
}

TEST_F(Transfer, interrupted_at_the_receiver_tells_the_sender) {
  Command recv({"recv", fifo(), "-o", output()});
  Command send({"send", fifo()});
  begin(send, 100'000);
  recv.signal(SIGINT);
  EXPECT_EQ(recv.finish().status, ExitStatus::exited(1));
  [[maybe_unused]] const auto more =
      send.input().write(bytes_of(std::string(4'000'000, 'x')), after(milliseconds(500)));
  const Finished sent = send.finish();
  EXPECT_EQ(sent.status, ExitStatus::exited(1));
  EXPECT_THAT(sent.errors, AllOf(HasSubstr("receiver"), HasSubstr("left before")));
  expect_only({"output.partial"});
}

TEST_F(Transfer, interrupted_while_it_waits_for_the_other_side_leaves_nothing) {
  for (const char* command : {"send", "recv"}) {
    Command waiting({command, fifo()});
    eventually([&] { return fs::exists(directory_ / "fifo"); });
    waiting.signal(SIGINT);
    const Finished ended = waiting.finish();
    EXPECT_EQ(ended.status, ExitStatus::exited(1));
    EXPECT_THAT(ended.errors, HasSubstr("stopped"));
    expect_only({});
  }
}

TEST_F(Transfer, gives_up_after_its_timeout) {
  Command recv({"recv", fifo(), "--timeout", "0.05"});
  const Finished ended = recv.finish();
  EXPECT_EQ(ended.status, ExitStatus::exited(1));
  EXPECT_THAT(ended.errors, HasSubstr("timed out"));
  expect_only({});
}

TEST_F(Transfer, refuses_a_second_receiver_by_name) {
  Command first({"recv", fifo(), "-o", output()});
  eventually([&] { return fs::exists(directory_ / "fifo"); });
  Command second({"recv", fifo()});
  const Finished refused = second.finish();
  EXPECT_EQ(refused.status, ExitStatus::exited(1));
  EXPECT_THAT(refused.errors, HasSubstr("process " + std::to_string(first.process().pid())));
  first.signal(SIGTERM);
  first.finish();
}

// F75
TEST_F(Transfer, refuses_what_was_planted_at_the_path) {
  const std::string path = directory_ / "fifo";
  const std::string elsewhere = directory_ / "elsewhere";
  const auto refused = [&](const std::string& why) {
    for (const char* command : {"send", "recv"}) {
      Command planted({command, fifo()});
      const Finished ended = planted.finish();
      EXPECT_EQ(ended.status, ExitStatus::exited(1)) << why;
      EXPECT_THAT(ended.errors, AllOf(HasSubstr(path), HasSubstr("permission denied"), HasSubstr(why)));
    }
    fs::remove(path);
  };
  std::ofstream(path) << "precious";
  refused("regular file");
  Fifo::create(elsewhere).or_throw();
  fs::create_symlink(elsewhere, path);
  refused("symlink");
  fs::create_hard_link(elsewhere, path);
  refused("hard link");
  expect_only({"elsewhere"});
}

TEST_F(Transfer, uses_a_fifo_that_was_there_and_leaves_it_there) {
  Fifo::create(directory_ / "fifo").or_throw();
  Command recv({"recv", fifo(), "-o", output()});
  Command send({"send", fifo(), write_file("hello")});
  EXPECT_TRUE(send.finish().status.success());
  EXPECT_TRUE(recv.finish().status.success());
  EXPECT_EQ(contents(output()), "hello");
  expect_only({"fifo", "file", "output"});
}

TEST_F(Transfer, called_wrongly_says_what_is_possible_and_exits_with_2) {
  const auto errors_of = [](std::vector<std::string> arguments) {
    Command command(std::move(arguments));
    const Finished ended = command.finish();
    EXPECT_EQ(ended.status, ExitStatus::exited(2));
    return ended.errors;
  };
  EXPECT_THAT(errors_of({"send", "pigeon:x"}), HasSubstr("fifo:PATH"));
  EXPECT_THAT(errors_of({"recv", "pipe:x"}), HasSubstr("number"));
  EXPECT_THAT(errors_of({"recv", "fifo:/tmp/.."}), HasSubstr("directory"));
  EXPECT_THAT(errors_of({"send"}), HasSubstr("URI"));
  EXPECT_THAT(errors_of({"send", "pipe:1", "--timeout", "-3"}), HasSubstr("number of seconds"));
  EXPECT_THAT(errors_of({"frobnicate"}), HasSubstr("frobnicate"));
}

TEST_F(Transfer, of_a_file_that_does_not_exist_says_so_and_makes_nothing) {
  Command send({"send", fifo(), directory_ / "missing"});
  const Finished ended = send.finish();
  EXPECT_EQ(ended.status, ExitStatus::exited(1));
  EXPECT_THAT(ended.errors, AllOf(HasSubstr("missing"), HasSubstr("not found")));
  expect_only({});
}

}  // namespace
}  // namespace transfer

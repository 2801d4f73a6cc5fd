/// `tenon send` and `tenon recv` as people call them, rightly and wrongly; what all channels owe is in
/// every_channel_test.cpp.
#include "fixture.hpp"

#include <tenon/ipc/fifo/fifo.hpp>

#include <unistd.h>

namespace transfer {
namespace {

using namespace tenon;
using testing::AllOf;
using testing::HasSubstr;

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
  EXPECT_THAT(errors_of({"recv", "mq:jobs"}), HasSubstr("begins with '/'"));
  EXPECT_THAT(errors_of({"send", "mq:/a/b"}), HasSubstr("contains '/'"));
  EXPECT_THAT(errors_of({"recv", "sysvq:jobs"}), HasSubstr("0x4d2"));
  EXPECT_THAT(errors_of({"recv", "sysvq:0"}), HasSubstr("IPC_PRIVATE"));
  EXPECT_THAT(errors_of({"frobnicate"}), HasSubstr("frobnicate"));
}

TEST_F(Transfer, with_a_priority_where_there_is_none_names_the_channels_that_have_it) {
  for (const std::string& uri : {fifo(), std::string("pipe:1")}) {
    Command send({"send", uri, "--priority", "3"});
    const Finished ended = send.finish();
    EXPECT_EQ(ended.status, ExitStatus::exited(2));
    EXPECT_THAT(ended.errors, AllOf(HasSubstr("no priorities"), HasSubstr("mq:/NAME"), HasSubstr("sysvq:KEY")));
  }
  Command too_high({"send", "mq:/x", "--priority", "32768"});
  EXPECT_EQ(too_high.finish().status, ExitStatus::exited(2));
  expect_only({});
}

// F79
TEST_F(Transfer, receives_only_from_the_user_asked_for_where_the_kernel_vouches) {
  const std::string own = std::to_string(::geteuid());
  const std::string other = std::to_string(::geteuid() + 1);
  for (const std::string scheme : {"unix:", "dgram:", "seqpacket:"}) {
    const std::string uri = scheme + (directory_ / "socket");
    {
      Command recv({"recv", uri, "-o", output(), "--from", "uid:" + own});
      Command send({"send", uri, write_file("hello")});
      EXPECT_TRUE(send.finish().status.success()) << uri;
      EXPECT_EQ(recv.finish().errors, "");
      EXPECT_EQ(contents(output()), "hello");
      expect_only({"file", "output"});
    }
    Command recv({"recv", uri, "-o", output(), "--from", "uid:" + other});
    Command send({"send", uri, write_file("hello")});
    const Finished refused = recv.finish();
    EXPECT_EQ(refused.status, ExitStatus::exited(1)) << uri;
    EXPECT_THAT(refused.errors, AllOf(HasSubstr("uid " + own + " sends"), HasSubstr("only uid " + other)));
    const Finished told = send.finish();
    EXPECT_EQ(told.status, ExitStatus::exited(1));
    EXPECT_THAT(told.errors, HasSubstr("receiver"));
    expect_only({"file"});
  }
}

TEST_F(Transfer, from_a_user_where_nobody_vouches_names_the_channels_that_do) {
  for (const std::string& uri : {fifo(), std::string("pipe:0"), std::string("mq:/x")}) {
    Command recv({"recv", uri, "--from", "uid:0"});
    const Finished ended = recv.finish();
    EXPECT_EQ(ended.status, ExitStatus::exited(2));
    EXPECT_THAT(ended.errors, AllOf(HasSubstr("unix:PATH"), HasSubstr("dgram:PATH"), HasSubstr("seqpacket:PATH")));
  }
  Command nobody({"recv", "unix:/tmp/x", "--from", "root"});
  const Finished ended = nobody.finish();
  EXPECT_EQ(ended.status, ExitStatus::exited(2));
  EXPECT_THAT(ended.errors, HasSubstr("uid:1000"));
  expect_only({});
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

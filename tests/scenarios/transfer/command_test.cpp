/// `tenon send` and `tenon recv` where their surroundings fail them: outputs that are full or closed, files that change
/// while they are sent, domains that are none, names that would upset a terminal, and terminals themselves.
#include "fixture.hpp"

#include <tenon/channel/receiver.hpp>
#include <tenon/channel/rendezvous_file.hpp>
#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/procfs.hpp>

#include <kit/private_namespaces.hpp>

#include <array>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace transfer {
namespace {

using namespace tenon;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Deadline soon() { return after(kit::patient(seconds(20))); }

using Surroundings = Transfer;

TEST_F(Surroundings, whoever_reads_standard_output_goes_and_both_sides_say_so) {
  Command recv({"recv", fifo()});
  Command send({"send", fifo()});
  recv.close_output();
  // The command learns it when it writes; how much fits before that is the kernel's business.
  [[maybe_unused]] const auto some = send.input().write(bytes_of(std::string(4'000'000, 'x')), after(seconds(5)));
  send.close_input();
  const Finished received = recv.finish();
  EXPECT_EQ(received.status, ExitStatus::exited(1));
  EXPECT_THAT(received.errors, AllOf(HasSubstr("standard output"), HasSubstr("closed")));
  const Finished sent = send.finish();
  EXPECT_EQ(sent.status, ExitStatus::exited(1));
  EXPECT_THAT(sent.errors, HasSubstr("receiver"));
  expect_only({});
}

TEST_F(Surroundings, standard_output_closed_from_the_start_is_an_error_and_no_file_is_written_instead) {
  Command recv = Command::by_shell("exec \"$@\" >&-", {"recv", fifo()});
  Command send({"send", fifo(), write_file("lost")});
  const Finished received = recv.finish();
  EXPECT_EQ(received.status, ExitStatus::exited(1));
  EXPECT_THAT(received.errors, HasSubstr("standard output"));
  EXPECT_EQ(send.finish().status, ExitStatus::exited(1));
  expect_only({"file"});
}

// F14
TEST_F(Surroundings, a_full_disk_keeps_the_partial_file_and_tells_both_sides) {
  const std::string bytes(8'000'000, 'x');
  kit::in_private_namespaces([&] {
    const std::string disk = directory_.path() + "/disk";
    fs::create_directories(disk);
    ASSERT_EQ(::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=1m"), 0) << std::strerror(errno);
    fs::create_directories(domain_.path());
    fs::permissions(domain_.path(), fs::perms::owner_all);
    Command recv({"recv", fifo(), "-o", disk + "/output"});
    Command send({"send", fifo(), write_file(bytes)});
    const Finished received = recv.finish();
    EXPECT_EQ(received.status, ExitStatus::exited(1));
    EXPECT_THAT(received.errors, AllOf(HasSubstr("no space"), HasSubstr("output.partial")));
    EXPECT_EQ(send.finish().status, ExitStatus::exited(1));
    EXPECT_EQ(fs::file_size(disk + "/output.partial"), 1U << 20);
    EXPECT_EQ(kit::names_in(disk), std::vector<std::string>{"output.partial"});
    EXPECT_EQ(kit::names_in(directory_.path()), (std::vector<std::string>{"disk", "file"}));
    EXPECT_EQ(kit::names_in(domain_.path()), std::vector<std::string>{});
  });
}

TEST_F(Surroundings, what_was_planted_at_the_partial_name_is_refused) {
  const std::string precious = directory_ / "precious";
  std::ofstream(precious) << "precious";
  fs::create_symlink(precious, partial());
  Command recv({"recv", fifo(), "-o", output()});
  Command send({"send", fifo(), write_file("overwrites")});
  const Finished received = recv.finish();
  EXPECT_EQ(received.status, ExitStatus::exited(1));
  EXPECT_THAT(received.errors, AllOf(HasSubstr("output.partial"), HasSubstr("permission denied")));
  EXPECT_EQ(send.finish().status, ExitStatus::exited(1));
  EXPECT_EQ(contents(precious), "precious");
  expect_only({"file", "output.partial", "precious"});
}

TEST_F(Surroundings, a_partial_file_of_an_earlier_transfer_is_written_over) {
  std::ofstream(partial()) << "much longer than what comes now";
  Command recv({"recv", fifo(), "-o", output()});
  Command send({"send", fifo(), write_file("short")});
  EXPECT_TRUE(send.finish().status.success());
  EXPECT_TRUE(recv.finish().status.success());
  EXPECT_EQ(contents(output()), "short");
  expect_only({"file", "output"});
}

TEST_F(Surroundings, a_file_that_shrinks_while_it_is_sent_is_no_whole_file) {
  const std::string file = write_file(std::string(8'000'000, 'x'));
  Command send({"send", fifo(), file});
  Receiver in = open_receiver(fifo(), soon()).or_throw();
  in.receive_part(soon()).or_throw();
  fs::resize_file(file, 4'000'000);
  auto part = in.receive_part(soon());
  while (part) {
    part = in.receive_part(soon());
  }
  EXPECT_TRUE(part.failed_with(Errc::aborted)) << part.error().message();
  std::move(in).abandon();
  const Finished sent = send.finish();
  EXPECT_EQ(sent.status, ExitStatus::exited(1));
  EXPECT_THAT(sent.errors, AllOf(HasSubstr("shrank"), HasSubstr("8000000"), HasSubstr("4000000")));
  expect_only({"file"});
}

TEST_F(Surroundings, a_file_that_grows_while_it_is_sent_arrives_as_far_as_it_has_got) {
  const std::string file = write_file(std::string(8'000'000, 'x'));
  Command send({"send", fifo(), file});
  Receiver in = open_receiver(fifo(), soon()).or_throw();
  std::size_t got = in.receive_part(soon()).or_throw().data.size();
  std::ofstream(file, std::ios::app) << std::string(1'000'000, 'y');
  for (bool last = false; !last;) {
    const Part part = in.receive_part(soon()).or_throw();
    got += part.data.size();
    last = part.last;
  }
  EXPECT_EQ(got, 9'000'000U);
  EXPECT_TRUE(in.receive_part(soon()).failed_with(Errc::closed));
  std::move(in).finish(soon()).or_throw();
  EXPECT_TRUE(send.finish().status.success());
  expect_only({"file"});
}

TEST_F(Surroundings, a_directory_is_no_file_to_send_and_nobody_is_waited_for) {
  Command send({"send", fifo(), directory_.path()});
  const Finished ended = send.finish();
  EXPECT_EQ(ended.status, ExitStatus::exited(1));
  EXPECT_THAT(ended.errors, HasSubstr("directory"));
  expect_only({});
}

TEST_F(Surroundings, lines_may_be_very_long_and_hold_any_byte) {
  const std::string text = std::string(3'000'000, 'a') + '\0' + std::string(1000, 'b') + "\n\n" +
                           std::string("\0\0\n", 3) + "\xff\xfe\n" + std::string(300'000, 'c');
  Command recv({"recv", fifo(), "--lines", "-o", output()});
  Command send({"send", fifo(), "--lines", write_file(text)});
  EXPECT_EQ(send.finish().errors, "");
  EXPECT_EQ(recv.finish().errors, "");
  EXPECT_TRUE(contents(output()) == text + "\n");
  expect_only({"file", "output"});
}

TEST_F(Surroundings, each_line_is_shown_before_the_next_one_is_waited_for) {
  Pipe shown = Pipe::pair().or_throw();
  Command recv({"recv", fifo(), "--lines"}, {}, std::move(shown.writer).into_fd());
  Command send({"send", fifo(), "--lines"});
  for (const std::string line : {"one\n", "two\n"}) {
    send.input().write(bytes_of(line), soon()).or_throw();
    std::array<std::byte, 16> got{};
    EXPECT_EQ(shown.reader.read(got, soon()).or_throw(), line.size());
    EXPECT_EQ(text_of(Bytes(got).first(line.size())), line);
  }
  send.close_input();
  EXPECT_TRUE(send.finish().status.success());
  EXPECT_TRUE(recv.finish().status.success());
}

// F3
TEST_F(Surroundings, names_that_would_upset_a_terminal_are_escaped_in_messages) {
  const std::string name = directory_ / "a\nb\x1b[2Jc-ü";
  Command recv({"recv", "fifo:" + name, "--timeout", "0.05"});
  const Finished ended = recv.finish();
  EXPECT_EQ(ended.status, ExitStatus::exited(1));
  EXPECT_THAT(ended.errors, AllOf(HasSubstr("a\\nb\\x1b[2Jc-ü"), Not(HasSubstr("\x1b"))));
  EXPECT_EQ(std::ranges::count(ended.errors, '\n'), 1) << ended.errors;
  expect_only({});
}

// F3
TEST_F(Surroundings, names_hold_any_byte_and_reach_the_other_side) {
  const std::string name = "fifo:" + (directory_ / "a\nb \xff ü");
  Command recv({"recv", name, "-o", directory_ / "out\nput"});
  Command send({"send", name, write_file("met")});
  EXPECT_EQ(send.finish().errors, "");
  EXPECT_EQ(recv.finish().errors, "");
  EXPECT_EQ(contents(directory_ / "out\nput"), "met");
  expect_only({"file", "out\nput"});
}

// F12
TEST_F(Surroundings, a_domain_that_is_none_is_named_with_what_is_wrong) {
  const auto errors_in = [&](const std::string& named) {
    ::setenv("TENON_DOMAIN", named.c_str(), 1);
    Command recv({"recv", fifo(), "--timeout", "0.05"});
    const Finished ended = recv.finish();
    ::setenv("TENON_DOMAIN", domain_.path().c_str(), 1);
    EXPECT_NE(ended.status, ExitStatus::exited(0));
    return ended.errors;
  };
  EXPECT_THAT(errors_in(directory_ / "missing/domain"), AllOf(HasSubstr("missing/domain"), HasSubstr("not found")));
  EXPECT_THAT(errors_in(write_file("no directory")), HasSubstr("not a directory"));
  const std::string open_to_all = directory_ / "open";
  fs::create_directory(open_to_all);
  fs::permissions(open_to_all, fs::perms::all);
  EXPECT_THAT(errors_in(open_to_all), HasSubstr("everybody may write"));
  if (::chown(open_to_all.c_str(), 12345, 12345) == 0) {
    fs::permissions(open_to_all, fs::perms::owner_all);
    EXPECT_THAT(errors_in(open_to_all), HasSubstr("uid 12345"));
  } else {
    std::puts("another user's domain was left out: only root can give one away");
  }
  expect_only({"file", "open"});
}

TEST_F(Surroundings, without_a_name_the_domain_is_the_users_own) {
  kit::in_private_namespaces([&] {
    ::unsetenv("TENON_DOMAIN");
    fs::create_directories(directory_.path());
    Command recv({"recv", fifo(), "-o", output()});
    Command send({"send", fifo(), write_file("met")});
    EXPECT_EQ(send.finish().errors, "");
    EXPECT_EQ(recv.finish().errors, "");
    EXPECT_TRUE(fs::is_directory("/dev/shm/tenon-" + std::to_string(::geteuid())));
  });
}

TEST_F(Surroundings, sides_in_different_domains_are_told_that_they_do_not_meet) {
  Fifo::create(directory_ / "fifo").or_throw();
  Command recv({"recv", fifo(), "-o", output()});
  eventually([&] { return fs::exists(domain_.path() + "/" + RendezvousFile::name_for(fifo())); });
  const kit::UniqueDomain other;
  Command send({"send", fifo(), write_file("to nobody")});
  const Finished sent = send.finish();
  EXPECT_EQ(sent.status, ExitStatus::exited(1));
  EXPECT_THAT(sent.errors, HasSubstr("domain"));
  recv.signal(SIGTERM);
  EXPECT_EQ(recv.finish().status, ExitStatus::exited(1));
  expect_only({"fifo", "file"});
}

TEST_F(Surroundings, a_second_ctrl_c_ends_what_hangs_in_spite_of_the_first) {
  Command recv({"recv", fifo()});
  eventually([&] { return fs::exists(directory_ / "fifo"); });
  // Somebody holds the rendezvous, so that leaving in good order has to wait.
  const auto held = RendezvousFile::lock(domain_.domain(), RendezvousFile::name_for(fifo()), soon()).or_throw();
  recv.signal(SIGINT);
  const std::string status = "/proc/" + std::to_string(recv.process().pid()) + "/status";
  eventually([&] {  // the first one has arrived when its handler is gone
    const std::string text = procfs::text(status).or_throw();
    const auto caught = std::strtoull(text.c_str() + text.find("SigCgt:") + 7, nullptr, 16);
    return (caught & (1ULL << (SIGINT - 1))) == 0;
  });
  recv.signal(SIGINT);
  EXPECT_EQ(recv.finish().status, ExitStatus::killed(SIGINT));
  fs::remove(directory_ / "fifo");
  for (const auto& entry : fs::directory_iterator(domain_.path())) {
    fs::remove(entry.path());
  }
}

TEST_F(Surroundings, a_hang_up_that_was_ignored_at_the_start_stays_ignored) {
  Command recv = Command::by_shell("trap '' HUP; exec \"$@\"", {"recv", fifo(), "-o", output()});
  eventually([&] { return fs::exists(directory_ / "fifo"); });
  recv.signal(SIGHUP);
  Command send({"send", fifo(), write_file("still there")});
  EXPECT_TRUE(send.finish().status.success());
  EXPECT_TRUE(recv.finish().status.success());
  expect_only({"file", "output"});
}

/// A terminal of which the test holds the other side.
struct Terminal {
  Fd master;
  Fd slave;

  static Terminal open() {
    Fd master = Fd::adopt(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (::grantpt(master.raw()) != 0 || ::unlockpt(master.raw()) != 0) {
      throw std::runtime_error("no pseudo-terminal can be had");
    }
    std::array<char, 64> name{};
    ::ptsname_r(master.raw(), name.data(), name.size());
    Fd slave = Fd::adopt(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    return {.master = std::move(master), .slave = std::move(slave)};
  }
  std::string shown() const {
    std::array<char, 4096> text{};
    const ssize_t got = ::read(master.raw(), text.data(), text.size());
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "";
  }
};

TEST_F(Surroundings, progress_appears_on_a_terminal_after_a_second_and_is_cleared_at_the_end) {
  Terminal terminal = Terminal::open();
  ::fcntl(terminal.master.raw(), F_SETFL, O_NONBLOCK);
  Command recv({"recv", fifo(), "-o", output()});
  const std::int64_t started = monotonic_now();
  Command send({"send", fifo()}, {}, {}, std::move(terminal.slave));
  std::string shown;
  while (shown.empty()) {
    send.input().write(bytes_of("x"), soon()).or_throw();
    shown = terminal.shown();
  }
  EXPECT_GE(monotonic_now() - started, 1'000'000'000);
  send.close_input();
  EXPECT_TRUE(send.finish().status.success());
  EXPECT_TRUE(recv.finish().status.success());
  for (std::string more = terminal.shown(); !more.empty(); more = terminal.shown()) {
    shown += more;
  }
  EXPECT_THAT(shown, AllOf(HasSubstr("sent "), HasSubstr("MB/s"), testing::EndsWith("\r\x1b[K")));
  expect_only({"output"});
}

TEST_F(Surroundings, progress_never_appears_where_no_terminal_is) {
  Command recv({"recv", fifo(), "-o", output()});
  Command send({"send", fifo()});
  const Deadline long_enough = after(milliseconds(1300));
  while (!long_enough.passed()) {
    send.input().write(bytes_of("x"), soon()).or_throw();
  }
  send.close_input();
  EXPECT_EQ(send.finish().errors, "");
  EXPECT_EQ(recv.finish().errors, "");
  expect_only({"output"});
}

}  // namespace
}  // namespace transfer

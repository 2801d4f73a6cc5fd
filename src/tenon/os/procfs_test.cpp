#include <tenon/os/procfs.hpp>

#include <tenon/os/process.hpp>

#include <kit/leak_check.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace procfs = tenon::procfs;
using tenon::Child;
using tenon::Errc;

std::string stat_line(std::string_view name) {
  return "12 (" + std::string(name) + ") S 3 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0\n";
}

// A child that runs until the handle goes.
Child paused() {
  return tenon::spawn([] { return ::pause(); }).or_throw();
}

void end(Child& child) {
  EXPECT_TRUE(child.signal(SIGKILL));
  EXPECT_TRUE(child.wait(tenon::never));
}

TEST(ProcfsText, holds_the_whole_file_however_long) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "file";
  for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 100'000U}) {
    std::ofstream(path) << std::string(size, 'x');
    EXPECT_EQ(procfs::text(path).or_throw(), std::string(size, 'x'));
  }
  ::unlink(path.c_str());
}

TEST(ProcfsText, what_is_not_there_is_not_found_by_name) {
  const kit::LeakCheck check;
  const auto missing = procfs::text("/proc/self/no-such-file");
  ASSERT_TRUE(missing.failed_with(Errc::not_found));
  EXPECT_EQ(missing.error().object(), "/proc/self/no-such-file");
  EXPECT_TRUE(procfs::text("/proc/self").failed_with(Errc::wrong_kind));
}

TEST(ProcfsText, a_process_that_ends_while_its_file_is_open_is_not_found) {
  Child child = paused();
  const std::string path = "/proc/" + std::to_string(child.pid()) + "/stat";
  const auto file = tenon::fd_from(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open").or_throw();
  end(child);
  EXPECT_TRUE(procfs::text("/proc/self/fd/" + std::to_string(file.raw())).failed_with(Errc::not_found));
}

TEST(ProcfsNumber, is_one_decimal_number_and_nothing_else) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "number";
  const auto number_in = [&](std::string_view text) {
    std::ofstream(path) << text;
    return procfs::number(path);
  };
  EXPECT_EQ(number_in("42\n").or_throw(), 42U);
  EXPECT_EQ(number_in("18446744073709551615").or_throw(), UINT64_MAX);
  for (const auto* text : {"", "\n", "max\n", "-1\n", "1 2\n", "0x10\n", "18446744073709551616\n", " 1\n"}) {
    EXPECT_TRUE(number_in(text).failed_with(Errc::corrupt)) << text;
  }
  EXPECT_GT(procfs::number("/proc/sys/kernel/pid_max").or_throw(), 0U);
  ::unlink(path.c_str());
}

TEST(ProcfsCountLines, counts_their_ends) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "lines";
  std::ofstream(path) << std::string(5000, '\n') << "unended";
  EXPECT_EQ(procfs::count_lines(path).or_throw(), 5000U);
  ::unlink(path.c_str());
}

TEST(ProcfsStat, a_name_may_hold_spaces_parentheses_and_line_ends) {
  for (const auto* name : {"plain", "a b", ")", "(", ") S 1 (", "a)\nb", "", "))))"}) {
    const auto process = procfs::parse_stat(stat_line(name)).or_throw();
    EXPECT_EQ(process.name, name);
    EXPECT_EQ(process.pid, 12);
    EXPECT_EQ(process.state, 'S');
    EXPECT_EQ(process.parent, 3);
    EXPECT_EQ(process.start_time, 777U);
  }
}

TEST(ProcfsStat, every_line_that_was_cut_short_is_corrupt) {
  const std::string whole = stat_line("name");
  const std::size_t needed = whole.find(" 777") + 2;  // one digit of the last number that is read
  for (std::size_t size = 0; size < needed; ++size) {
    ASSERT_TRUE(procfs::parse_stat(whole.substr(0, size)).failed_with(Errc::corrupt)) << whole.substr(0, size);
  }
  EXPECT_TRUE(procfs::parse_stat("x (name) S 3").failed_with(Errc::corrupt));
  EXPECT_TRUE(procfs::parse_stat(")(").failed_with(Errc::corrupt));
  EXPECT_TRUE(procfs::parse_stat("(name) S 3").failed_with(Errc::corrupt));
  EXPECT_TRUE(procfs::parse_stat("99999999999 " + whole.substr(3)).failed_with(Errc::corrupt));
}

TEST(ProcfsProcess, tells_of_a_running_process) {
  const auto self = procfs::process(::getpid()).or_throw();
  EXPECT_EQ(self.pid, ::getpid());
  EXPECT_EQ(self.parent, ::getppid());
  EXPECT_EQ(self.state, 'R');
  EXPECT_GT(self.start_time, 0U);
}

// F3
TEST(ProcfsProcess, a_name_with_any_byte_is_read_as_the_kernel_keeps_it) {
  kit::ReportedChild child("child", [] {
    const auto* const name = "a) R\n(\xff\\b";
    ASSERT_EQ(::prctl(PR_SET_NAME, name), 0);
    const auto self = procfs::process(::getpid()).or_throw();
    EXPECT_EQ(self.name, name);
    EXPECT_EQ(self.parent, ::getppid());
  });
  EXPECT_TRUE(child.finish(tenon::never));
}

TEST(ProcfsProcess, a_zombie_is_still_there_and_one_that_was_reaped_is_not) {
  Child child = tenon::spawn([] { return 0; }).or_throw();
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(procfs::process(child.pid()).or_throw().state, 'Z');
  EXPECT_TRUE(child.wait(tenon::never));
  EXPECT_TRUE(procfs::process(child.pid()).failed_with(Errc::not_found));
  EXPECT_TRUE(procfs::command(child.pid()).failed_with(Errc::not_found));
  EXPECT_TRUE(procfs::user(child.pid()).failed_with(Errc::not_found));
  EXPECT_TRUE(procfs::descriptors(child.pid()).failed_with(Errc::not_found));
}

TEST(ProcfsAllProcesses, are_in_ascending_order_with_this_one_among_them) {
  const auto all = procfs::all_processes();
  EXPECT_TRUE(std::ranges::is_sorted(all));
  EXPECT_TRUE(std::ranges::binary_search(all, ::getpid()));
}

TEST(ProcfsAllProcesses, can_be_read_while_they_come_and_go) {
  const kit::Watchdog watchdog("the processes are listed");
  kit::ReportedChild forks("forks", [] {
    for (int i = 0; i < 200; ++i) {
      (void)tenon::spawn([] { return 0; }).or_throw().wait(tenon::never);
    }
  });
  while (!forks.process().wait(tenon::immediately)) {
    for (const pid_t pid : procfs::all_processes()) {
      const auto found = procfs::process(pid);
      ASSERT_TRUE(found || found.failed_with(Errc::not_found)) << found.error().message();
      const auto command = procfs::command(pid);
      ASSERT_TRUE(command || command.failed_with(Errc::not_found)) << command.error().message();
    }
  }
  EXPECT_TRUE(forks.finish(tenon::never));
}

TEST(ProcfsCommand, is_the_command_line_or_the_name_in_brackets) {
  const kit::Watchdog watchdog("the command line is there");
  auto child = tenon::spawn_program("sleep", {"1000"}).or_throw();
  while (procfs::command(child.pid()).value_or("") != "sleep 1000") {  // until it runs what it was started for
  }
  EXPECT_TRUE(child.signal(SIGKILL));
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(procfs::command(child.pid()).or_throw(), "[sleep]");
  EXPECT_TRUE(child.wait(tenon::never));
}

TEST(ProcfsUser, is_the_effective_one) {
  EXPECT_EQ(procfs::user(::getpid()).or_throw(), ::geteuid());
  kit::ReportedChild child("child", [] {
    if (::seteuid(65534) == -1) {
      GTEST_SKIP() << "needs root to change the user";
    }
    EXPECT_EQ(procfs::user(::getpid()).or_throw(), 65534U);
  });
  EXPECT_TRUE(child.finish(tenon::never));
}

TEST(ProcfsDescriptors, say_what_each_leads_to) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "a\nfile";
  const auto file = tenon::fd_from(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), "open").or_throw();
  struct stat status{};
  ASSERT_EQ(::fstat(file.raw(), &status), 0);
  const auto all = procfs::descriptors(::getpid()).or_throw();
  const auto found = std::ranges::find(all, file.raw(), &procfs::OpenDescriptor::number);
  ASSERT_NE(found, all.end());
  EXPECT_EQ(found->target, path);
  EXPECT_EQ(found->device, status.st_dev);
  EXPECT_EQ(found->inode, status.st_ino);
  ::unlink(path.c_str());
}

TEST(ProcfsDescriptors, of_a_process_that_may_not_be_looked_at_are_denied) {
  kit::ReportedChild child("child", [] {
    if (::setuid(65534) == -1) {
      GTEST_SKIP() << "needs root to become another user";
    }
    EXPECT_TRUE(procfs::descriptors(1).failed_with(Errc::permission_denied));
  });
  EXPECT_TRUE(child.finish(tenon::never));
}

TEST(ProcfsMemory, is_told_in_bytes_line_by_line) {
  const auto total = procfs::memory("MemTotal").or_throw();
  EXPECT_GT(total, std::uint64_t{1} << 20);
  EXPECT_EQ(total % 1024, 0U);
  EXPECT_LE(procfs::memory("MemFree").or_throw(), total);
  EXPECT_TRUE(procfs::memory("Mem").failed_with(Errc::not_found));
  EXPECT_TRUE(procfs::memory("NoSuchLine").failed_with(Errc::not_found));
}

TEST(ProcfsField, is_what_stands_behind_its_own_label_on_a_line) {
  constexpr std::string_view status =
      "Name:\ta b\nTracerPid:\t0\nPid:  812\nnonvoluntary:\t7\nvoluntary   :  9\nEmpty:\nLast:\t1f";
  EXPECT_EQ(procfs::field(status, "Name"), "a b");
  EXPECT_EQ(procfs::field(status, "Pid"), "812");
  EXPECT_EQ(procfs::field(status, "voluntary"), "9");
  EXPECT_EQ(procfs::field(status, "Empty"), "");
  EXPECT_EQ(procfs::field(status, "Last"), "1f");
  EXPECT_EQ(procfs::field(status, "Las"), std::nullopt);
  EXPECT_EQ(procfs::field(status, "a b"), std::nullopt);
  EXPECT_EQ(procfs::field("", "Name"), std::nullopt);
  EXPECT_EQ(procfs::number_of(status, "Pid"), 812U);
  EXPECT_EQ(procfs::number_of(status, "Last", 16), 31U);
  EXPECT_EQ(procfs::number_of(status, "Name"), std::nullopt);
  EXPECT_EQ(procfs::number_of(status, "Empty"), std::nullopt);
}

TEST(ProcfsNamespace, is_the_one_that_proc_names) {
  struct stat status{};
  ASSERT_EQ(::stat("/proc/self/ns/pid", &status), 0);
  EXPECT_EQ(procfs::own_pid_namespace(), status.st_ino);
  EXPECT_NE(procfs::own_pid_namespace(), 0U);
}

}  // namespace

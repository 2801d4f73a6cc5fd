#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>

#include <kit/leak_check.hpp>
#include <kit/reported_child.hpp>
#include <kit/watchdog.hpp>
#include <array>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <optional>
#include <set>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace std::string_literals;
using tenon::Errc;
using tenon::ExitStatus;
using tenon::Fd;
using tenon::FdView;
using tenon::ProgramOptions;
using tenon::spawn_program;

Fd memory_file(std::string_view text = "") {
  Fd file = tenon::fd_from(::memfd_create("file", MFD_CLOEXEC), "memfd_create").or_throw();
  EXPECT_EQ(::pwrite(file.raw(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  return file;
}

std::string text_in(const Fd& file) {
  std::string text(1 << 16, '\0');
  text.resize(static_cast<std::size_t>(::pread(file.raw(), text.data(), text.size(), 0)));
  return text;
}

// What a shell that runs `script` prints.
std::string output_of(const std::string& script, ProgramOptions options = {}) {
  const kit::Watchdog watchdog("the shell ends");
  const Fd out = memory_file();
  options.descriptors.emplace_back(out.view(), 1);
  auto child = spawn_program("sh", {"-c", script}, options).or_throw();
  EXPECT_EQ(child.wait(tenon::never).or_throw(), ExitStatus::exited(0));
  return text_in(out);
}

void in_child(const std::function<void()>& body) {
  kit::ReportedChild child("child", body);
  EXPECT_TRUE(child.finish(tenon::never));
}

TEST(SpawnProgram, finds_it_through_path_and_passes_its_arguments) {
  const kit::LeakCheck check;
  auto child = spawn_program("sh", {"-c", "test \"$1\" = 'a b' && exit 5", "sh", "a b"}).or_throw();
  EXPECT_EQ(child.wait(tenon::never).or_throw(), ExitStatus::exited(5));
}

TEST(SpawnProgram, one_that_does_not_exist_is_not_found) {
  for (const auto* program : {"tenon-has-no-such-program", "/nowhere/at/all", ""}) {
    const auto refused = spawn_program(program, {});
    ASSERT_TRUE(refused.failed_with(Errc::not_found)) << program;
    EXPECT_EQ(refused.error().object(), program);
  }
}

TEST(SpawnProgram, what_may_not_be_run_is_a_failure_that_names_it) {
  const auto refused = spawn_program("/dev/null", {});
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_EQ(refused.error().object(), "/dev/null");
}

// A shell that runs until it goes, with `options`.
class RunningShell {
 public:
  explicit RunningShell(ProgramOptions options = {}) {
    std::array<int, 2> said{};
    std::array<int, 2> asked{};
    EXPECT_EQ(::pipe2(said.data(), O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(asked.data(), O_CLOEXEC), 0);
    const Fd hears = Fd::adopt(said[0]);
    const Fd in = Fd::adopt(asked[0]);
    asks_ = Fd::adopt(asked[1]);
    Fd out = Fd::adopt(said[1]);
    options.descriptors.emplace_back(in.view(), 0);
    options.descriptors.emplace_back(out.view(), 1);
    child_.emplace(spawn_program("sh", {"-c", "echo; read line"}, options).or_throw());
    EXPECT_TRUE(std::move(out).close());
    char byte = 0;
    EXPECT_EQ(::read(hears.raw(), &byte, 1), 1) << "it did not start";
  }
  RunningShell(const RunningShell&) = delete;
  RunningShell& operator=(const RunningShell&) = delete;
  ~RunningShell() {
    EXPECT_TRUE(std::move(asks_).close());
    EXPECT_TRUE(child_->wait(tenon::never));
  }
  pid_t pid() const { return child_->pid(); }

 private:
  Fd asks_ = Fd::adopt(-1);
  std::optional<tenon::Child> child_;
};

// F36
TEST(SpawnProgram, gets_the_descriptors_it_was_given_and_none_beside) {
  // Whoever started this test may have left descriptors open that are not close-on-exec.
  std::set<int> expected = {0, 1, 2, 7};
  for (const auto& own : tenon::procfs::descriptors(::getpid()).or_throw()) {
    if (::fcntl(own.number, F_GETFD) == 0) {
      expected.insert(own.number);
    }
  }
  const Fd kept_back = memory_file();
  const Fd given = memory_file();
  const RunningShell shell({.descriptors = {{given.view(), 7}}});
  std::set<int> found;
  for (const auto& one : tenon::procfs::descriptors(shell.pid()).or_throw()) {
    found.insert(one.number);
  }
  EXPECT_EQ(found, expected);
}

TEST(SpawnProgram, descriptors_can_change_places) {
  const Fd first = memory_file("first");
  const Fd second = memory_file("second");
  const int a = first.raw();
  const int b = second.raw();
  const auto read_both = "cat /proc/self/fd/" + std::to_string(a) + " /proc/self/fd/" + std::to_string(b);
  EXPECT_EQ(output_of(read_both, {.descriptors = {{second.view(), a}, {first.view(), b}}}), "secondfirst");
}

TEST(SpawnProgram, a_descriptor_can_keep_its_number_and_have_several) {
  const Fd file = memory_file("text");
  const int raw = file.raw();
  const int other = raw + 20;
  const auto read_both = "cat /proc/self/fd/" + std::to_string(raw) + " /proc/self/fd/" + std::to_string(other);
  EXPECT_EQ(output_of(read_both, {.descriptors = {{file.view(), raw}, {file.view(), other}}}), "texttext");
  EXPECT_EQ(::fcntl(raw, F_GETFD), FD_CLOEXEC) << "here it is as it was";
}

TEST(SpawnProgram, a_descriptor_can_have_the_highest_number_there_is) {
  in_child([] {
    const rlimit few{.rlim_cur = 64, .rlim_max = 64};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    const Fd file = memory_file("text");
    EXPECT_EQ(output_of("cat /proc/self/fd/63", {.descriptors = {{file.view(), 63}}}), "text");
    EXPECT_TRUE(spawn_program("true", {}, {.descriptors = {{file.view(), 64}}}).failed_with(Errc::invalid_argument));
  });
}

TEST(SpawnProgram, a_number_that_cannot_be_a_descriptor_is_refused) {
  const kit::LeakCheck check;
  const Fd file = memory_file();
  for (const int number : {-1, INT_MIN, INT_MAX}) {
    EXPECT_TRUE(spawn_program("true", {}, {.descriptors = {{file.view(), number}}}).failed_with(Errc::invalid_argument))
        << number;
  }
  EXPECT_FALSE(spawn_program("true", {}, {.descriptors = {{FdView(-1), 5}}})) << "nothing to give";
}

TEST(SpawnProgram, what_it_is_given_replaces_a_variable_of_the_same_name) {
  ::setenv("TENON_TEST_VARIABLE", "inherited", 1);
  ::setenv("TENON_TEST_VARIABLE_LONGER", "kept", 1);
  const std::string given = "TENON_TEST_VARIABLE=given";
  EXPECT_EQ(output_of("echo $TENON_TEST_VARIABLE", {.environment = {given}}), "given\n");
  EXPECT_EQ(output_of("env | grep ^TENON_TEST_VARIABLE | sort", {.environment = {given}}),
            given + "\nTENON_TEST_VARIABLE_LONGER=kept\n");
  EXPECT_EQ(output_of("echo $TENON_TEST_VARIABLE"), "inherited\n");
  ::unsetenv("TENON_TEST_VARIABLE");
  ::unsetenv("TENON_TEST_VARIABLE_LONGER");
}

TEST(SpawnProgram, works_when_the_environment_was_cleared) {
  in_child([] {
    ::clearenv();
    EXPECT_EQ(output_of("echo $A", {.environment = {"A=b"}}), "b\n");
  });
}

// F1
TEST(SpawnProgram, a_nul_byte_in_any_text_is_refused_instead_of_cutting_it) {
  const std::string cut = "true\0 and more"s;
  EXPECT_TRUE(spawn_program(cut, {}).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(spawn_program("true", {cut}).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(spawn_program("true", {}, {.environment = {cut}}).failed_with(Errc::invalid_argument));
}

// The signals that a line of /proc/PID/status lists.
std::uint64_t signals_in(pid_t pid, const std::string& line) {
  const std::string status = tenon::procfs::text("/proc/" + std::to_string(pid) + "/status").or_throw();
  return std::stoull(status.substr(status.find(line) + line.size()), nullptr, 16);
}

TEST(SpawnProgram, signals_are_at_their_defaults_whatever_they_are_here) {
  in_child([] {
    ::signal(SIGTERM, SIG_IGN);
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t set;
    ::sigfillset(&set);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    const RunningShell shell;
    EXPECT_EQ(signals_in(shell.pid(), "SigBlk:"), 0U);
    constexpr std::uint64_t of_the_c_library = 3ULL << 31;  // 32 and 33, which glibc keeps for itself
    EXPECT_EQ(signals_in(shell.pid(), "SigIgn:") & ~of_the_c_library, 0U);
  });
}

}  // namespace

#include <tenon/os/process.hpp>

#include <tenon/os/poll.hpp>
#include <tenon/os/procfs.hpp>

#include <kit/leak_check.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/refused_call.hpp>
#include <kit/reported_child.hpp>
#include <kit/watchdog.hpp>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using tenon::Child;
using tenon::Errc;
using tenon::ExitStatus;
using tenon::spawn;
using tenon::WithParent;

ExitStatus end_of(Child child) { return child.wait(tenon::never).or_throw(); }

void in_child(const std::function<void()>& body) {
  kit::ReportedChild child("child", body);
  EXPECT_TRUE(child.finish(tenon::never));
}

// What a child of this process prints on standard output and standard error.
std::string printed_by(const std::function<void()>& run) {
  std::FILE* const file = std::tmpfile();
  kit::ReportedChild child("printing", [&] {
    ::dup2(::fileno(file), STDOUT_FILENO);
    ::dup2(::fileno(file), STDERR_FILENO);
    run();
  });
  EXPECT_TRUE(child.finish(tenon::never));
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(::pread(::fileno(file), text.data(), text.size(), 0)));
  std::fclose(file);
  return text;
}

TEST(ExitStatus, says_how_a_process_ended) {
  EXPECT_TRUE(ExitStatus::exited(0).success());
  EXPECT_FALSE(ExitStatus::exited(1).success());
  EXPECT_FALSE(ExitStatus::killed(9).success());
  EXPECT_EQ(ExitStatus::exited(1).message(), "exited with 1");
  EXPECT_EQ(ExitStatus::killed(9).message(), "killed by signal 9 (Killed)");
}

TEST(Spawn, the_child_exits_with_what_its_function_returns) {
  const kit::Watchdog watchdog("children end");
  const kit::LeakCheck check;
  for (const int code : {0, 1, 42, 255}) {
    EXPECT_EQ(end_of(spawn([&] { return code; }).or_throw()), ExitStatus::exited(code));
  }
}

TEST(Spawn, a_signal_that_ended_the_child_is_told) {
  EXPECT_EQ(end_of(spawn([] { return ::raise(SIGKILL); }).or_throw()), ExitStatus::killed(SIGKILL));
  EXPECT_EQ(end_of(spawn([]() -> int {
                     const rlimit no_core{};
                     ::setrlimit(RLIMIT_CORE, &no_core);
                     ::signal(SIGABRT, SIG_DFL);
                     std::abort();
                   }).or_throw()),
            ExitStatus::killed(SIGABRT));
}

TEST(Spawn, an_exception_ends_the_child_with_code_1_and_its_text) {
  EXPECT_EQ(printed_by([] {
              EXPECT_EQ(end_of(spawn([]() -> int { throw std::runtime_error("the reason"); }).or_throw()),
                        ExitStatus::exited(1));
            }),
            "the reason\n");
}

// Else the child would go on where its parent catches: as a second parent.
TEST(Spawn, an_exception_of_any_type_ends_the_child) {
  const pid_t self = ::getpid();
  EXPECT_EQ(printed_by([&] {
              const pid_t parent = ::getpid();
              try {
                EXPECT_EQ(end_of(spawn([]() -> int { throw 7; }).or_throw()), ExitStatus::exited(1));
              } catch (int) {
                ADD_FAILURE() << "it left its function, in the parent: " << (::getpid() == parent);
              }
            }),
            "an exception without a text\n");
  EXPECT_EQ(::getpid(), self);
}

TEST(Spawn, what_stood_in_the_parents_buffers_is_printed_once) {
  EXPECT_EQ(printed_by([] {
              std::setvbuf(stdout, nullptr, _IOFBF, 4096);
              std::printf("parent ");
              EXPECT_EQ(end_of(spawn([] { return std::printf("child ") > 0 ? 0 : 1; }).or_throw()),
                        ExitStatus::exited(0));
              std::fflush(stdout);
            }),
            "parent child ");
}

TEST(Spawn, starts_a_child_while_another_thread_waits_for_input) {
  in_child([] {
    const kit::Watchdog watchdog("a child is started although a stream is locked");
    std::array<int, 2> raw{};
    ASSERT_EQ(::pipe2(raw.data(), O_CLOEXEC), 0);
    std::FILE* const input = ::fdopen(raw[0], "r");
    std::thread reader([&] { EXPECT_EQ(std::fgetc(input), 'x'); });
    const auto locked = [&] {  // by the reader, until its byte comes
      const bool got = ::ftrylockfile(input) == 0;
      if (got) {
        ::funlockfile(input);
      }
      return !got;
    };
    while (!locked()) {
      std::this_thread::yield();
    }
    EXPECT_EQ(end_of(spawn([] { return 3; }).or_throw()), ExitStatus::exited(3));
    EXPECT_EQ(::write(raw[1], "x", 1), 1);
    reader.join();
    std::fclose(input);
    ::close(raw[1]);
  });
}

// F51
TEST(Spawn, ends_nobody_whose_id_might_be_anothers) {
  in_child([] {
    const kit::Watchdog watchdog("a child that could not be adopted ends by itself");
    if (!kit::refuse_call(SYS_pidfd_open, ESRCH)) {
      GTEST_SKIP() << "this kernel has no seccomp filters";
    }
    std::array<int, 2> raw{};
    ASSERT_EQ(::pipe2(raw.data(), O_CLOEXEC), 0);
    const auto child = spawn([&] {
      char byte = 0;
      return ::read(raw[0], &byte, 1) == 1 ? 7 : 1;
    });
    EXPECT_TRUE(child.failed_with(Errc::not_found));
    EXPECT_EQ(::write(raw[1], "x", 1), 1);
    int status = 0;
    EXPECT_GT(::waitpid(-1, &status, 0), 0) << "it was reaped";
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << "it was killed";
  });
}

TEST(Child, that_has_ended_takes_a_signal_without_effect_until_it_is_reaped) {
  Child child = spawn([] { return 3; }).or_throw();
  EXPECT_TRUE(wait_ready(child.fd(), tenon::Ready::reading, tenon::never));
  EXPECT_TRUE(child.signal(SIGKILL));
  EXPECT_EQ(child.wait(tenon::never).value(), ExitStatus::exited(3));
  EXPECT_TRUE(child.signal(SIGKILL).failed_with(Errc::not_found));
}

TEST(Spawn, a_child_dies_with_its_parent_unless_it_was_told_to_live_on) {
  const kit::Watchdog watchdog("the grandchildren's ends close");
  for (const WithParent with_parent : {WithParent::dies, WithParent::lives_on}) {
    std::array<int, 2> raw{};
    ASSERT_EQ(::pipe2(raw.data(), O_CLOEXEC), 0);
    const auto reader = tenon::Fd::adopt(raw[0]);
    auto writer = tenon::Fd::adopt(raw[1]);
    std::array<int, 2> word{};
    ASSERT_EQ(::pipe2(word.data(), O_CLOEXEC), 0);
    auto ears = tenon::Fd::adopt(word[0]);
    auto mouth = tenon::Fd::adopt(word[1]);
    auto parent = spawn([&] {
                    (void)spawn(
                        [&] {
                          {
                            const tenon::Fd closed = std::move(mouth);
                          }
                          char byte = 0;
                          // Ends when this test has closed its own end.
                          return ::read(ears.raw(), &byte, 1) == 0 && ::write(writer.raw(), "x", 1) == 1 ? 0 : 1;
                        },
                        with_parent)
                        .or_throw();
                    return 0;
                  }).or_throw();
    EXPECT_EQ(end_of(std::move(parent)), ExitStatus::exited(0));
    EXPECT_TRUE(std::move(writer).close());
    if (with_parent == WithParent::lives_on) {
      EXPECT_TRUE(std::move(mouth).close());
    }
    char byte = 0;
    EXPECT_EQ(::read(reader.raw(), &byte, 1), with_parent == WithParent::lives_on ? 1 : 0);
  }
}

TEST(Spawn, works_for_the_first_process_of_a_namespace) {
  in_child([] {
    if (::unshare(CLONE_NEWPID) == -1) {
      GTEST_SKIP() << "needs root to make a PID namespace";
    }
    EXPECT_EQ(end_of(spawn([] { return ::getpid() == 1 ? 0 : 1; }).or_throw()), ExitStatus::exited(0));
  });
}

TEST(Spawn, without_descriptors_left_no_child_runs_on) {
  in_child([] {
    const int next = ::dup(0);
    ::close(next);
    const rlimit none{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = static_cast<rlim_t>(next)};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    EXPECT_TRUE(spawn([] { return ::pause(); }).failed_with(Errc::limit_reached));
    EXPECT_TRUE(tenon::spawn_program("sleep", {"1000"}).failed_with(Errc::limit_reached));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
    EXPECT_EQ(errno, ECHILD);
  });
}

TEST(Child, wait_tells_the_same_as_often_as_it_is_asked) {
  Child child = spawn([] { return 3; }).or_throw();
  EXPECT_EQ(child.wait(tenon::never).value(), ExitStatus::exited(3));
  EXPECT_EQ(child.wait(tenon::immediately).value(), ExitStatus::exited(3));
}

TEST(Child, wait_times_out_while_it_runs_and_can_be_repeated) {
  Child child = spawn([] { return ::pause(); }).or_throw();
  EXPECT_TRUE(child.wait(tenon::immediately).failed_with(Errc::timed_out));
  EXPECT_TRUE(child.wait(tenon::after(1ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(child.signal(SIGTERM));
  EXPECT_EQ(child.wait(tenon::never).value(), ExitStatus::killed(SIGTERM));
}

TEST(Child, its_descriptor_is_readable_when_it_has_ended) {
  Child child = spawn([] { return 0; }).or_throw();
  EXPECT_TRUE(wait_ready(child.fd(), tenon::Ready::reading, tenon::never));
  EXPECT_TRUE(child.wait(tenon::immediately));
}

// A child with exactly this process id, which the last holder has left.
pid_t child_with_id(pid_t wanted) {
  clone_args arguments{};
  arguments.exit_signal = SIGCHLD;
  arguments.set_tid = reinterpret_cast<std::uintptr_t>(&wanted);
  arguments.set_tid_size = 1;
  const auto made = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
  if (made == 0) {
    ::pause();
    ::_exit(0);
  }
  return made;
}

// F51
TEST(Child, signals_nobody_else_who_got_its_id) {
  kit::in_private_namespaces(
      [] {
        const kit::Watchdog watchdog("the one with the same id lives");
        Child child = spawn([] { return 0; }).or_throw();
        EXPECT_TRUE(child.wait(tenon::never));
        ASSERT_EQ(child_with_id(child.pid()), child.pid()) << "the id could not be had again";
        EXPECT_TRUE(child.signal(SIGKILL).failed_with(Errc::not_found));
        Child other = Child::adopt(child.pid()).or_throw();
        EXPECT_EQ(child.wait(tenon::never).value(), ExitStatus::exited(0));
        EXPECT_TRUE(other.signal(SIGTERM));
        EXPECT_EQ(other.wait(tenon::never).value(), ExitStatus::killed(SIGTERM));
      },
      kit::Namespaces::objects_and_pids);
}

// F55
TEST(Child, stopped_by_sigstop_it_is_still_running) {
  const kit::Watchdog watchdog("a stopped child goes on");
  Child child = spawn([] { return ::pause(); }).or_throw();
  EXPECT_TRUE(child.signal(SIGSTOP));
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WSTOPPED | WNOWAIT), 0);
  EXPECT_EQ(tenon::procfs::process(child.pid()).value().state, 'T');
  EXPECT_TRUE(child.wait(tenon::after(1ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(child.signal(SIGTERM));
  EXPECT_TRUE(child.wait(tenon::after(1ms)).failed_with(Errc::timed_out)) << "the signal waits with it";
  EXPECT_TRUE(child.signal(SIGCONT));
  EXPECT_EQ(child.wait(tenon::never).value(), ExitStatus::killed(SIGTERM));
}

TEST(Child, whose_status_the_kernel_did_not_keep_has_ended_all_the_same) {
  in_child([] {
    const kit::Watchdog watchdog("a child that nobody reaps is seen to end");
    ::signal(SIGCHLD, SIG_IGN);
    Child child = spawn([] { return ::pause(); }).or_throw();
    EXPECT_TRUE(child.signal(SIGKILL));
    for (int i = 0; i < 2; ++i) {
      const auto status = child.wait(tenon::never);
      ASSERT_TRUE(status.failed_with(Errc::not_found));
      EXPECT_NE(status.error().detail().find("SIGCHLD is ignored"), std::string_view::npos);
    }
  });
}

TEST(Child, adopt_takes_over_one_that_was_forked_otherwise) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::_exit(9);
  }
  EXPECT_EQ(end_of(Child::adopt(pid).or_throw()), ExitStatus::exited(9));
  EXPECT_TRUE(Child::adopt(pid).failed_with(Errc::not_found));
}

TEST(Child, adopt_of_what_is_no_process_id_is_an_error) {
  EXPECT_FALSE(Child::adopt(0));
  EXPECT_FALSE(Child::adopt(-1));
}

}  // namespace

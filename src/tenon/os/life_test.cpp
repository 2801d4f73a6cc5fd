#include <tenon/os/life.hpp>

#include <kit/leak_check.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace {

using tenon::Errc;
using tenon::Life;
using tenon::Standing;
using tenon::Token;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string file_of(const kit::UniqueDomain& scene) { return scene.path() + "/" + kit::names_in(scene.path()).at(0); }

TEST(Life, is_seen_by_others_from_join_to_leave) {
  const kit::LeakCheck check;
  const kit::UniqueDomain scene;
  Life life = Life::join(scene.domain()).or_throw();
  const Token token = life.token();
  kit::run_sides(
      {{"other", [&](kit::Stage&) { EXPECT_EQ(standing_of(scene.domain(), token).or_throw(), Standing::alive); }}});
  std::move(life).leave().or_throw();
  EXPECT_EQ(standing_of(scene.domain(), token).or_throw(), Standing::absent);
}

TEST(Life, is_left_by_its_destructor) {
  const kit::UniqueDomain scene;
  {
    const Life life = Life::join(scene.domain()).or_throw();
  }
  EXPECT_THAT(kit::names_in(scene.path()), IsEmpty());
}

TEST(Life, moves_and_is_still_the_same_member) {
  const kit::UniqueDomain scene;
  Life first = Life::join(scene.domain()).or_throw();
  const Token token = first.token();
  Life second = std::move(first);
  EXPECT_EQ(second.token(), token);
  first = Life::join(scene.domain()).or_throw();
  second = std::move(first);
  EXPECT_NE(second.token(), token);
  EXPECT_TRUE(second.confirm());
}

TEST(Life, has_a_new_token_each_time) {  // F4: creators of the same process never meet
  const kit::UniqueDomain scene;
  const Life first = Life::join(scene.domain()).or_throw();
  const Life second = Life::join(scene.domain()).or_throw();
  EXPECT_NE(first.token(), second.token());
  EXPECT_THAT(kit::names_in(scene.path()), SizeIs(2));
}

TEST(Life, sees_another_membership_of_its_own_process_without_dropping_its_lock) {
  const kit::UniqueDomain scene;
  const Life first = Life::join(scene.domain()).or_throw();
  const Life second = Life::join(scene.domain()).or_throw();
  EXPECT_EQ(standing_of(scene.domain(), first.token()).or_throw(), Standing::alive);
  EXPECT_EQ(standing_of(scene.domain(), second.token()).or_throw(), Standing::alive);
  EXPECT_EQ(tenon::sweep(scene.domain()).or_throw().dead, 0U);
  kit::run_sides({{"other", [&](kit::Stage&) {
                     EXPECT_EQ(standing_of(scene.domain(), first.token()).or_throw(), Standing::alive);
                     EXPECT_EQ(standing_of(scene.domain(), second.token()).or_throw(), Standing::alive);
                   }}});
}

TEST(Life, is_known_alive_after_the_main_threads_end) {
  const kit::UniqueDomain scene;
  // /proc/self/fd belongs to the main thread, and is empty once that has ended.
  kit::run_sides({{"member", [&](kit::Stage&) {
                     auto child = tenon::spawn([&] {
                                    std::thread([&] {
                                      const auto path = "/proc/self/task/" + std::to_string(::getpid()) + "/fd";
                                      while (::access((path + "/0").c_str(), F_OK) == 0) {
                                        std::this_thread::yield();
                                      }
                                      const Life life = Life::join(scene.domain()).or_throw();
                                      (void)standing_of(scene.domain(), life.token());
                                      const bool locked = tenon::spawn([&] {
                                                            const auto seen = standing_of(scene.domain(), life.token());
                                                            return seen && *seen == Standing::alive ? 0 : 1;
                                                          })
                                                              .or_throw()
                                                              .wait(tenon::never)
                                                              .or_throw()
                                                              .success();
                                      (void)std::move(const_cast<Life&>(life)).leave();
                                      ::_exit(locked ? 0 : 7);
                                    }).detach();
                                    ::syscall(SYS_exit, 0);  // this thread alone
                                    return 1;
                                  }).or_throw();
                     EXPECT_EQ(child.wait(tenon::never).or_throw().code(), 0);
                   }}});
}

TEST(Life, refuses_to_be_used_in_a_forked_child) {  // F35
  const kit::UniqueDomain scene;
  Life life = Life::join(scene.domain()).or_throw();
  kit::run_sides({{"child", [&](kit::Stage&) {
                     EXPECT_TRUE(life.confirm().failed_with(Errc::in_child));
                     EXPECT_TRUE(std::move(life).leave().failed_with(Errc::in_child));
                   }}});
  EXPECT_TRUE(life.confirm());
  EXPECT_THAT(kit::names_in(scene.path()), SizeIs(1));
}

TEST(Life, leaves_no_copy_of_its_file_in_a_forked_child) {  // F35
  const kit::UniqueDomain scene;
  const Life life = Life::join(scene.domain()).or_throw();
  const std::string file = file_of(scene);
  kit::run_sides({{"child", [&](kit::Stage&) {
                     for (const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) {
                       std::error_code gone;
                       EXPECT_NE(std::filesystem::read_symlink(one, gone), file);
                     }
                   }}});
}

TEST(Life, keeps_off_the_numbers_of_the_standard_descriptors) {
  const kit::UniqueDomain scene;
  kit::run_sides({{"daemon", [&](kit::Stage&) {
                     for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
                       ::close(number);
                     }
                     const Life life = Life::join(scene.domain()).or_throw();
                     std::puts("this goes nowhere, and above all not into the record");
                     std::fflush(stdout);
                     for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
                       EXPECT_EQ(::fcntl(number, F_GETFD), -1) << number;
                     }
                     kit::run_sides({{"other", [&](kit::Stage&) {
                                        const auto peer = tenon::Peer::open(scene.domain(), life.token()).or_throw();
                                        EXPECT_EQ(peer.standing().or_throw(), Standing::alive);
                                        EXPECT_TRUE(peer.record());
                                      }}});
                   }}});
}

TEST(Life, is_close_on_exec) {  // F36
  const kit::UniqueDomain scene;
  const Life life = Life::join(scene.domain()).or_throw();
  auto child =
      tenon::spawn_program("/bin/sh", {"-c", "! ls -l /proc/self/fd | grep -q \"$0\"", scene.path()}).or_throw();
  EXPECT_TRUE(child.wait(tenon::never).or_throw().success());
}

TEST(Life, has_the_mode_of_its_domain_whatever_the_umask) {  // F13
  const kit::UniqueDomain scene;
  const auto before = ::umask(0777);
  const auto life = Life::join(scene.domain());
  ::umask(before);
  ASSERT_TRUE(life) << life.error().message();
  struct stat status{};
  ASSERT_EQ(::stat(file_of(scene).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST(Life, lets_a_shared_domains_group_read_its_file_and_nobody_write_it) {
  const kit::UniqueDomain scene;
  ASSERT_EQ(::chmod(scene.path().c_str(), 0770), 0);
  const Life life = Life::join(scene.domain()).or_throw();
  struct stat status{};
  ASSERT_EQ(::stat(file_of(scene).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
}

TEST(Life, learns_that_its_file_was_removed_from_outside) {  // F11
  const kit::UniqueDomain scene;
  Life life = Life::join(scene.domain()).or_throw();
  std::filesystem::remove(file_of(scene));
  EXPECT_TRUE(life.confirm().failed_with(Errc::not_found));
  EXPECT_TRUE(std::move(life).leave().failed_with(Errc::not_found));
}

TEST(Life, cannot_join_a_domain_that_was_removed) {
  kit::UniqueDomain scene;
  const std::string path = scene.directory() / "inner";
  const auto inner = tenon::Domain::open(path).or_throw();
  std::filesystem::remove(path);
  EXPECT_TRUE(Life::join(inner).failed_with(Errc::not_found));
  EXPECT_TRUE(standing_of(inner, Token::random()).failed_with(Errc::not_found));
  EXPECT_TRUE(tenon::sweep(inner).failed_with(Errc::not_found));
}

TEST(Life, says_no_space_and_leaves_nothing_when_the_file_system_is_full) {  // F14
  kit::in_private_namespaces([] {
    kit::UniqueDirectory directory;
    ASSERT_EQ(::mount("none", directory.path().c_str(), "tmpfs", 0, "size=4k,mode=0700"), 0);
    const auto domain = tenon::Domain::open(directory.path()).or_throw();
    std::ofstream(directory / "filler") << std::string(4096, 'x');
    EXPECT_TRUE(Life::join(domain).failed_with(Errc::no_space));
    EXPECT_THAT(kit::names_in(directory.path()), SizeIs(1));
    ::umount2(directory.path().c_str(), MNT_DETACH);
  });
}

TEST(Life, names_the_limit_when_there_are_no_descriptors_left) {
  const kit::UniqueDomain scene;
  kit::run_sides({{"poor", [&](kit::Stage&) {
                     std::vector<tenon::Fd> all;
                     while (auto one = tenon::FdView(0).duplicate()) {
                       all.push_back(std::move(*one));
                     }
                     auto life = Life::join(scene.domain());
                     all.clear();
                     ASSERT_TRUE(life.failed_with(Errc::limit_reached));
                     EXPECT_THAT(life.error().message(), HasSubstr("RLIMIT_NOFILE"));
                   }}});
}

TEST(Life, joins_and_leaves_in_many_threads_while_others_fork) {
  const kit::Watchdog watchdog("threads join, leave, look and fork");
  const kit::UniqueDomain scene;
  const Life steady = Life::join(scene.domain()).or_throw();
  std::atomic<int> wrong = 0;
  auto join_and_leave = [&] {
    for (int round = 0; round < 100; ++round) {
      Life life = Life::join(scene.domain()).or_throw();
      wrong += standing_of(scene.domain(), life.token()).or_throw() != Standing::alive;
      wrong += standing_of(scene.domain(), steady.token()).or_throw() != Standing::alive;
      std::move(life).leave().or_throw();
    }
  };
  {
    const std::jthread first(join_and_leave), second(join_and_leave);
    for (int round = 0; round < 50; ++round) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::syscall(SYS_exit_group, 0);  // past a sanitizer that would miss the threads
      }
      ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_THAT(kit::names_in(scene.path()), SizeIs(1));
}

// Registered before any membership's own handlers, so what it does it does between them and the fork.
constinit bool interrupts_fork = false;
[[maybe_unused]] const int registered = ::pthread_atfork(
    [] {
      if (std::exchange(interrupts_fork, false)) {
        ::raise(SIGUSR1);
      }
    },
    nullptr, nullptr);

TEST(Life, lets_a_signal_handler_fork_that_interrupts_a_fork) {
  const kit::UniqueDomain scene;
  kit::run_sides({{"member", [&](kit::Stage&) {
                     const kit::Watchdog watchdog("a signal handler forks in the midst of a fork");
                     Life life = Life::join(scene.domain()).or_throw();
                     static volatile std::sig_atomic_t forked = 0;
                     ::signal(SIGUSR1, [](int) {
                       const pid_t child = ::fork();
                       if (child == 0) {
                         ::_exit(0);
                       }
                       forked = ::waitpid(child, nullptr, 0) == child ? 1 : 0;
                     });
                     interrupts_fork = true;
                     const pid_t child = ::fork();
                     if (child == 0) {
                       sigset_t mask;
                       ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
                       ::_exit(::sigismember(&mask, SIGUSR1) == 0 ? 0 : 1);
                     }
                     int status = -1;
                     ASSERT_EQ(::waitpid(child, &status, 0), child);
                     EXPECT_EQ(status, 0) << "the child keeps signals blocked";
                     EXPECT_EQ(forked, 1);
                     sigset_t after;
                     ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
                     EXPECT_EQ(::sigismember(&after, SIGUSR1), 0);
                     std::move(life).leave().or_throw();
                   }}});
}

TEST(Life, starts_again_when_a_cleaner_takes_its_unfinished_file) {  // F9
  const kit::Watchdog watchdog("joins against cleaners");
  const kit::UniqueDomain scene;
  kit::run_sides({{"joiner",
                   [&](kit::Stage& stage) {
                     for (int round = 0; round < 500; ++round) {
                       const Life life = Life::join(scene.domain()).or_throw();
                       life.confirm().or_throw();
                     }
                     stage.signal("done");
                   }},
                  {"cleaner", [&](kit::Stage&) {
                     for (int round = 0; round < 500; ++round) {
                       EXPECT_EQ(tenon::sweep(scene.domain()).or_throw().dead, 0U);
                     }
                   }}});
}

}  // namespace

#include <tenon/ipc/posix_queue/posix_queue.hpp>

#include <kit/leak_check.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/ipc/posix_queue/posix_queue_limits.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::AllOf;
using testing::HasSubstr;

constexpr uid_t stranger = 54325;
constexpr PosixQueue::Limits small{.messages = 2, .message_bytes = 16};

// A queue whose name goes with it.
struct Named {
  explicit Named(PosixQueue::Limits limits = small, Permissions permissions = owner_only)
      : name("/" + kit::unique_name()), queue(PosixQueue::create(name, limits, permissions).or_throw()) {}
  std::string name;
  PosixQueue queue;
  UnlinkOnExit guard{PosixQueue::unlink, name};
};

mode_t mode_of(const PosixQueue& queue) {
  struct stat status{};
  EXPECT_EQ(::fstat(queue.fd().raw(), &status), 0);
  return status.st_mode & 07777;
}

std::string received(PosixQueue& queue, Deadline deadline = never) {
  std::array<std::byte, 8192> into;
  const auto got = queue.receive(into, deadline).or_throw();
  return std::string(text_of(Bytes(into).first(got.bytes))) + "/" + std::to_string(got.priority);
}

void fill(PosixQueue& queue) {
  while (queue.try_send(bytes_of("x"), 0)) {
  }
}

std::array<std::byte, 8192> ignored;

TEST(PosixQueue, has_exactly_the_mode_asked_for_whatever_the_umask) {  // F13
  kit::ReportedChild child("creator", [] {
    for (const mode_t mask : {0U, 022U, 077U, 0777U}) {
      ::umask(mask);
      for (const std::uint32_t mode : {0600U, 0640U, 0666U, 0200U, 0777U}) {
        const Named one(small, Permissions(mode));
        EXPECT_EQ(mode_of(one.queue), mode) << "umask " << mask;
      }
    }
  });
  (void)child.finish(never);
}

TEST(PosixQueue, refuses_names_before_any_system_call) {  // F1 F2
  for (const std::string& name :
       {std::string(), std::string("/"), std::string("jobs"), std::string("/a/b"), std::string("/."),
        std::string("/.."), std::string("/a\0b", 4), "/" + std::string(256, 'x')}) {
    EXPECT_TRUE(PosixQueue::create(name, small).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(PosixQueue::open(name).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(PosixQueue::open_or_create(name, small).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(PosixQueue::unlink(name).failed_with(Errc::invalid_name)) << name;
  }
  const std::string longest = "/" + kit::unique_name(std::string(255 - 17, 'x'));
  ASSERT_EQ(longest.size(), 256U);
  EXPECT_TRUE(PosixQueue::create(longest, small));
  EXPECT_TRUE(PosixQueue::unlink(longest));
}

TEST(PosixQueue, is_created_by_exactly_one_of_many_who_race) {  // F4
  const kit::Shared<std::atomic<int>> winners;
  const std::string stem = "/" + kit::unique_name();
  constexpr int rounds = 30;
  auto race = [&](kit::Stage& stage) {
    for (int round = 0; round < rounds; ++round) {
      stage.barrier();
      const std::string name = stem + std::to_string(round);
      const auto created = PosixQueue::create(name, small);
      *winners += created ? 1 : 0;
      EXPECT_TRUE(created || created.failed_with(Errc::already_exists));
      EXPECT_TRUE(PosixQueue::open_or_create(name, small)) << "whoever lost opens what the other made";
      stage.barrier();
      [[maybe_unused]] const auto removed = PosixQueue::unlink(name);
    }
  };
  kit::run_sides({{"a", race}, {"b", race}, {"c", race}});
  EXPECT_EQ(*winners, rounds);
}

TEST(PosixQueue, of_another_user_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's queue";
  }
  const Named one(small, Permissions(0666));
  ASSERT_EQ(::fchown(one.queue.fd().raw(), stranger, stranger), 0);
  for (const auto& opened : {PosixQueue::open(one.name), PosixQueue::open_or_create(one.name, small)}) {
    ASSERT_TRUE(opened.failed_with(Errc::permission_denied));
    EXPECT_THAT(opened.error().message(),
                AllOf(HasSubstr("it belongs to uid 54325, not to uid 0"), HasSubstr(one.name)));
  }
  EXPECT_TRUE(PosixQueue::open(one.name, PosixQueue::Use::both, stranger)) << "whoever expects that owner may";
}

TEST(PosixQueue, that_the_mode_keeps_others_out_of_names_its_owner) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become somebody else";
  }
  kit::in_private_namespaces([] {
    const Named one;
    kit::ReportedChild child("stranger", [&] {
      ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
      const auto opened = PosixQueue::open(one.name);
      ASSERT_TRUE(opened.failed_with(Errc::permission_denied));
      EXPECT_THAT(opened.error().message(), HasSubstr("it belongs to uid 0, and its mode is 0600"));
      const auto unlinked = PosixQueue::unlink(one.name);
      ASSERT_TRUE(unlinked.failed_with(Errc::permission_denied));
      EXPECT_THAT(unlinked.error().message(), HasSubstr("mq_unlink"));
    });
    (void)child.finish(never);
  });
}

TEST(PosixQueue, keeps_boundaries_and_takes_the_highest_priority_first_and_the_oldest_within) {
  Named one({.messages = 5, .message_bytes = 16});
  const std::vector<std::pair<std::string, std::uint32_t>> sent = {
      {"low", 0}, {"high", 9}, {"middle", 5}, {"high too", 9}, {"", PosixQueue::most_priority}};
  for (const auto& [text, priority] : sent) {
    one.queue.send(bytes_of(text), priority, never).or_throw();
  }
  for (const char* expected : {"/32767", "high/9", "high too/9", "middle/5", "low/0"}) {
    EXPECT_EQ(received(one.queue), expected);
  }
  const auto beyond = one.queue.send(bytes_of("x"), PosixQueue::most_priority + 1, never);
  ASSERT_TRUE(beyond.failed_with(Errc::invalid_argument));
  EXPECT_THAT(beyond.error().message(), HasSubstr("from 0 to 32767"));
}

TEST(PosixQueue, tells_its_four_attributes_and_keeps_those_it_was_made_with) {
  const Named one;
  auto again = PosixQueue::open_or_create(one.name, {.messages = 7, .message_bytes = 70}).or_throw();
  again.send(bytes_of("x"), 1, never).or_throw();
  again.send(bytes_of("yz"), 0, never).or_throw();
  const auto attributes = one.queue.attributes().or_throw();
  EXPECT_EQ(attributes.messages, small.messages) << "what another asks for later does not change it";
  EXPECT_EQ(attributes.message_bytes, small.message_bytes);
  EXPECT_EQ(attributes.waiting, 2U);
  EXPECT_FALSE(attributes.non_blocking);
  EXPECT_EQ(one.queue.buffered().or_throw(), 3U);
  const auto sending = PosixQueue::open(one.name, PosixQueue::Use::sending).or_throw();
  EXPECT_TRUE(sending.buffered().failed_with(Errc::permission_denied));
}

TEST(PosixQueue, full_oversize_and_removed_are_three_outcomes) {  // F69
  const kit::Watchdog watchdog("a full queue");
  Named one;
  fill(one.queue);
  EXPECT_TRUE(one.queue.try_send(bytes_of("x"), 0).failed_with(Errc::would_block));
  EXPECT_TRUE(one.queue.send(bytes_of("x"), 0, after(20ms)).failed_with(Errc::timed_out));
  const auto oversize = one.queue.try_send(bytes_of(std::string(17, 'x')), 0);
  ASSERT_TRUE(oversize.failed_with(Errc::message_too_long));
  ASSERT_NE(oversize.error().limit(), nullptr);
  EXPECT_EQ(oversize.error().limit()->value, 16U);
  EXPECT_EQ(oversize.error().limit()->wanted, 17U);
  // Removed while somebody waits: those who have it go on, and can tell.
  EXPECT_FALSE(one.queue.is_unlinked().or_throw());
  std::jthread sender([&] { EXPECT_TRUE(one.queue.send(bytes_of("late"), 0, never)); });
  EXPECT_TRUE(PosixQueue::unlink(one.name));
  EXPECT_TRUE(one.queue.is_unlinked().or_throw());
  EXPECT_TRUE(PosixQueue::open(one.name).failed_with(Errc::not_found));
  EXPECT_TRUE(PosixQueue::unlink(one.name).failed_with(Errc::not_found));
  EXPECT_EQ(received(one.queue), "x/0");
  EXPECT_EQ(received(one.queue), "x/0");
  EXPECT_EQ(received(one.queue), "late/0");
}

TEST(PosixQueue, whose_receive_buffer_is_too_small_keeps_the_message) {  // F68
  Named one;
  one.queue.send(bytes_of("kept"), 3, never).or_throw();
  std::array<std::byte, 15> room;
  for (const Deadline deadline : {never, immediately, after(1h)}) {
    const auto refused = one.queue.receive(room, deadline);
    ASSERT_TRUE(refused.failed_with(Errc::message_too_long)) << "although the message itself would fit";
    EXPECT_THAT(refused.error().message(),
                AllOf(HasSubstr("16 bytes"), HasSubstr("has 15"), HasSubstr("nothing was taken")));
  }
  EXPECT_TRUE(one.queue.try_receive(room).failed_with(Errc::message_too_long));
  EXPECT_EQ(received(one.queue), "kept/3");
}

TEST(PosixQueue, says_for_what_it_was_opened) {
  const Named one;
  auto sending = PosixQueue::open(one.name, PosixQueue::Use::sending).or_throw();
  auto receiving = PosixQueue::open(one.name, PosixQueue::Use::receiving).or_throw();
  EXPECT_TRUE(sending.try_receive(ignored).failed_with(Errc::permission_denied));
  EXPECT_TRUE(receiving.try_send(bytes_of("x"), 0).failed_with(Errc::permission_denied));
  sending.send(bytes_of("x"), 0, never).or_throw();
  EXPECT_EQ(received(receiving), "x/0");
}

TEST(PosixQueue, adopted_non_blocking_waits_all_the_same) {
  const kit::Watchdog watchdog("an adopted queue");
  const Named one;
  PosixQueue adopted = PosixQueue::adopt(Fd::adopt(::mq_open(one.name.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)));
  EXPECT_TRUE(adopted.attributes().or_throw().non_blocking);
  EXPECT_TRUE(adopted.try_receive(ignored).failed_with(Errc::would_block));
  EXPECT_TRUE(adopted.receive(ignored, after(5ms)).failed_with(Errc::timed_out));
  fill(adopted);
  EXPECT_TRUE(adopted.send(bytes_of("x"), 0, after(5ms)).failed_with(Errc::timed_out));
  std::jthread receiver([&] {
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(adopted.receive(ignored, never));
    }
  });
  EXPECT_TRUE(adopted.send(bytes_of("x"), 0, never));
}

TEST(PosixQueue, keeps_its_first_deadline_in_a_storm_of_signals) {  // F71
  const kit::Watchdog watchdog("a queue under signals");
  Named one;
  const kit::SignalStorm storm;
  const Deadline first = after(60ms);
  EXPECT_TRUE(one.queue.receive(ignored, first).failed_with(Errc::timed_out));
  EXPECT_TRUE(first.passed());
  fill(one.queue);
  const Deadline second = after(60ms);
  EXPECT_TRUE(one.queue.send(bytes_of("x"), 0, second).failed_with(Errc::timed_out));
  EXPECT_TRUE(second.passed());
  EXPECT_GT(storm.count(), 0U);
}

TEST(PosixQueue, without_deadline_goes_on_after_signals) {  // F71
  const kit::Watchdog watchdog("a blocking queue under signals");
  Named one;
  fill(one.queue);
  const kit::SignalStorm storm;
  std::atomic<bool> emptied = false;
  const auto after_signals = [&](std::uint32_t count) {
    while (storm.count() < count) {
      std::this_thread::yield();
    }
  };
  std::jthread other([&] {
    after_signals(20);
    EXPECT_TRUE(one.queue.receive(ignored, never));
    while (!emptied) {
      std::this_thread::yield();
    }
    after_signals(storm.count() + 20);
    EXPECT_TRUE(one.queue.send(bytes_of("x"), 0, never));
  });
  EXPECT_TRUE(one.queue.send(bytes_of("x"), 0, never));
  while (one.queue.try_receive(ignored)) {
  }
  emptied = true;
  EXPECT_TRUE(one.queue.receive(ignored, never));
}

TEST(PosixQueue, is_readable_when_a_message_is_there_and_writable_when_there_is_room) {
  Named one;
  EXPECT_TRUE(wait_ready(one.queue.fd(), Ready::reading, immediately).failed_with(Errc::timed_out));
  EXPECT_TRUE(wait_ready(one.queue.fd(), Ready::writing, immediately));
  fill(one.queue);
  EXPECT_TRUE(wait_ready(one.queue.fd(), Ready::reading, immediately));
  EXPECT_TRUE(wait_ready(one.queue.fd(), Ready::writing, immediately).failed_with(Errc::timed_out));
}

TEST(PosixQueue, keeps_what_a_killed_sender_had_sent) {
  Named one;
  kit::Sides sides({{"sender", [&](kit::Stage& stage) {
                       auto queue = PosixQueue::open(one.name, PosixQueue::Use::sending).or_throw();
                       queue.send(bytes_of("last words"), 2, never).or_throw();
                       stage.signal("sent");
                       stage.await("nothing that ever comes");
                     }}});
  sides.stage().await("sent");
  sides.side("sender").kill();
  sides.finish();
  EXPECT_EQ(received(one.queue, after(1h)), "last words/2");
}

TEST(PosixQueue, gives_each_message_to_one_of_many_receivers) {
  constexpr int receivers = 3;
  constexpr int messages = 300;
  Named one({.messages = 4, .message_bytes = 16});
  const kit::Shared<std::array<std::atomic<int>, messages>> taken;
  auto receive = [&](kit::Stage&) {
    PosixQueue queue = PosixQueue::open(one.name, PosixQueue::Use::receiving).or_throw();
    for (std::string text = received(queue, after(1h)); text != "end/0"; text = received(queue, after(1h))) {
      ++(*taken).at(static_cast<std::size_t>(std::stoi(text)));
    }
  };
  auto send = [&](kit::Stage&) {
    for (int i = 0; i < messages + receivers; ++i) {
      one.queue.send(bytes_of(i < messages ? std::to_string(i) : "end"), 0, after(1h)).or_throw();
    }
  };
  kit::run_sides({{"a", receive}, {"b", receive}, {"c", receive}, {"sender", send}});
  for (const auto& times : *taken) {
    EXPECT_EQ(times, 1);
  }
}

TEST(PosixQueue, works_in_a_forked_child_and_is_closed_on_exec) {  // F36
  Named one;
  EXPECT_EQ(::fcntl(one.queue.fd().raw(), F_GETFD), FD_CLOEXEC);
  kit::ReportedChild child("child", [&] { one.queue.send(bytes_of("from the child"), 1, never).or_throw(); });
  EXPECT_EQ(received(one.queue, after(1h)), "from the child/1");
  (void)child.finish(never);
}

TEST(PosixQueue, several_threads_send_and_receive_at_once) {
  Named one;
  constexpr int each = 200;
  std::atomic<int> got = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < each; ++n) {
          EXPECT_TRUE(one.queue.send(bytes_of("x"), 0, n % 2 == 0 ? never : after(1h)));
        }
      });
      threads.emplace_back([&] {
        std::array<std::byte, 16> into;
        for (int n = 0; n < each; ++n) {
          got += one.queue.receive(into, n % 2 == 0 ? never : after(1h)) ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(got, 2 * each);
}

// Blocked for the whole program of the test, so that the thread that asks for it finds it pending.
class BlockedSignal {
 public:
  explicit BlockedSignal(int signal) : signal_(signal) {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  BlockedSignal(const BlockedSignal&) = delete;
  BlockedSignal& operator=(const BlockedSignal&) = delete;
  ~BlockedSignal() {
    [[maybe_unused]] const auto none_left = take(0s);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  // Who sent it, 0 if none came.
  pid_t take(std::chrono::seconds patience) const {
    siginfo_t info{};
    const timespec limit = timespec_of(std::chrono::nanoseconds(patience).count());
    return ::sigtimedwait(&set_, &info, &limit) == signal_ && info.si_code == SI_MESGQ ? info.si_pid : 0;
  }

 private:
  int signal_;
  sigset_t set_{};
  sigset_t before_{};
};

TEST(PosixQueue, notifies_one_process_once_of_a_message_into_an_empty_queue) {
  Named one;
  const BlockedSignal blocked(SIGUSR1);
  one.queue.notify(SIGUSR1).or_throw();
  const auto second = one.queue.notify(SIGUSR1);
  ASSERT_TRUE(second.failed_with(Errc::already_exists));
  EXPECT_THAT(second.error().message(), HasSubstr("already"));
  kit::ReportedChild child("sender", [&] {
    EXPECT_TRUE(one.queue.notify(SIGUSR2).failed_with(Errc::already_exists)) << "another process has it";
    one.queue.send(bytes_of("x"), 0, never).or_throw();
    one.queue.send(bytes_of("y"), 0, never).or_throw();
  });
  EXPECT_EQ(blocked.take(20s), child.process().pid());
  (void)child.finish(never);
  EXPECT_EQ(blocked.take(0s), 0) << "the second message came into a queue that was not empty";
  EXPECT_TRUE(one.queue.notify(SIGUSR1)) << "once told, the place is free";
  EXPECT_TRUE(one.queue.cancel_notification());
  EXPECT_TRUE(one.queue.notify(SIGUSR1)) << "and when it was cancelled";
}

TEST(PosixQueue, whose_notified_process_was_killed_can_notify_another) {  // F70
  Named one;
  const BlockedSignal blocked(SIGUSR1);
  kit::Sides sides({{"owner", [&](kit::Stage& stage) {
                       PosixQueue own = PosixQueue::open(one.name).or_throw();
                       own.notify(SIGUSR2).or_throw();
                       stage.signal("registered");
                       stage.await("nothing that ever comes");
                     }}});
  sides.stage().await("registered");
  EXPECT_TRUE(one.queue.notify(SIGUSR1).failed_with(Errc::already_exists));
  sides.side("owner").kill();
  wait_ready(sides.side("owner").process().fd(), Ready::reading, never).or_throw();
  EXPECT_TRUE(one.queue.notify(SIGUSR1));
  one.queue.send(bytes_of("x"), 0, never).or_throw();
  EXPECT_EQ(blocked.take(20s), ::getpid());
  sides.finish();
}

// Somebody without privileges, and with no queue of his own yet: limits do not bind root, and are counted for each
// user.
void as_stranger(uid_t user, const std::function<void()>& body) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become a user who holds no queues";
  }
  kit::in_private_namespaces([&] {
    ASSERT_EQ(::setresgid(user, user, user), 0);
    ASSERT_EQ(::setresuid(user, user, user), 0);
    body();
  });
}

void expect_limit(const Result<PosixQueue>& refused, const std::string& name, std::uint64_t value, std::uint64_t wanted,
                  const std::string& remedy) {
  ASSERT_TRUE(refused.failed_with(Errc::limit_reached)) << (refused ? "made" : refused.error().message());
  ASSERT_NE(refused.error().limit(), nullptr) << refused.error().message();
  EXPECT_EQ(refused.error().limit()->name, name);
  EXPECT_EQ(refused.error().limit()->value, value);
  EXPECT_EQ(refused.error().limit()->wanted, wanted);
  EXPECT_THAT(refused.error().message(), HasSubstr(remedy));
}

TEST(PosixQueueLimits, attributes_beyond_msg_max_and_msgsize_max_name_the_sysctl) {  // F66
  as_stranger(stranger, [] {
    const auto messages = procfs::number("/proc/sys/fs/mqueue/msg_max").or_throw();
    expect_limit(PosixQueue::create("/x", {.messages = messages + 1, .message_bytes = 1}), "fs.mqueue.msg_max",
                 messages, messages + 1, "sysctl -w fs.mqueue.msg_max=N");
    const auto bytes = procfs::number("/proc/sys/fs/mqueue/msgsize_max").or_throw();
    expect_limit(PosixQueue::create("/x", {.messages = 1, .message_bytes = bytes + 1}), "fs.mqueue.msgsize_max", bytes,
                 bytes + 1, "sysctl -w fs.mqueue.msgsize_max=N");
    EXPECT_TRUE(PosixQueue::create("/x", {.messages = messages, .message_bytes = bytes}));
    EXPECT_TRUE(PosixQueue::unlink("/x"));
  });
}

TEST(PosixQueueLimits, attributes_that_nobody_may_have_are_refused_to_root_too) {  // F66
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, for whom the sysctls do not count";
  }
  const std::string name = "/" + kit::unique_name();
  expect_limit(PosixQueue::create(name, {.messages = 65537, .message_bytes = 1}), "fs.mqueue.msg_max", 65536, 65537,
               "no queue may have more");
  expect_limit(PosixQueue::create(name, {.messages = 1, .message_bytes = (16U << 20) + 1}), "fs.mqueue.msgsize_max",
               16U << 20, (16U << 20) + 1, "no queue may have more");
  EXPECT_TRUE(PosixQueue::create(name, {.messages = 0, .message_bytes = 1}).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(PosixQueue::create(name, {.messages = 1, .message_bytes = 0}).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(PosixQueue::create(name, {.messages = SIZE_MAX, .message_bytes = 1}).failed_with(Errc::invalid_argument));
}

TEST(PosixQueueLimits, as_many_queues_as_queues_max_allows_and_one_more) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to lower fs.mqueue.queues_max in a namespace of its own";
  }
  kit::in_private_namespaces([] {
    std::ofstream("/proc/sys/fs/mqueue/queues_max") << 2;
    kit::ReportedChild child("stranger", [] {
      ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
      EXPECT_TRUE(PosixQueue::create("/1", small));
      EXPECT_TRUE(PosixQueue::create("/2", small));
      expect_limit(PosixQueue::create("/3", small), "fs.mqueue.queues_max", 2, 3, "sysctl -w fs.mqueue.queues_max=N");
      EXPECT_TRUE(PosixQueue::open_or_create("/2", small)) << "what exists needs no new place";
      EXPECT_TRUE(PosixQueue::unlink("/1"));
      EXPECT_TRUE(PosixQueue::create("/3", small));
    });
    (void)child.finish(never);
  });
}

TEST(PosixQueueLimits, the_bytes_of_all_of_a_users_queues_name_rlimit_msgqueue_and_what_is_held) {  // F67
  // The kernel lets go of a namespace's queues some time after it is gone: nobody else makes any as this user.
  as_stranger(stranger + 1000, [] {
    constexpr PosixQueue::Limits limits{.messages = 10, .message_bytes = 8192};
    const std::uint64_t each = posix_queue_charge(limits);
    const struct rlimit bytes{.rlim_cur = 2 * each, .rlim_max = 2 * each};
    ASSERT_EQ(::setrlimit(RLIMIT_MSGQUEUE, &bytes), 0);
    // Exactly two: the charge is what the kernel counts, to the byte.
    EXPECT_TRUE(PosixQueue::create("/1", limits));
    EXPECT_TRUE(PosixQueue::create("/2", limits));
    const auto refused = PosixQueue::create("/3", {.messages = 1, .message_bytes = 1});
    const std::uint64_t needed = posix_queue_charge({.messages = 1, .message_bytes = 1});
    expect_limit(refused, "RLIMIT_MSGQUEUE", 2 * each, 2 * each + needed, "ulimit -q");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(),
                AllOf(HasSubstr("this queue needs " + std::to_string(needed) + " bytes"),
                      HasSubstr("holds 2 queues of " + std::to_string(2 * each) + " bytes")));
    EXPECT_TRUE(PosixQueue::unlink("/1"));
    EXPECT_TRUE(PosixQueue::create("/3", limits));
    EXPECT_TRUE(PosixQueue::unlink("/2"));
    EXPECT_TRUE(PosixQueue::unlink("/3"));
  });
}

TEST(PosixQueueLimits, of_descriptors_is_told_apart_from_that_of_bytes) {
  kit::ReportedChild child("at the limit", [] {
    const std::string name = "/" + kit::unique_name();
    const Fd next = fd_from(::fcntl(0, F_DUPFD_CLOEXEC, 3), "fcntl").or_throw();
    struct rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit limit{.rlim_cur = static_cast<rlim_t>(next.raw()) + 1, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    const auto refused = PosixQueue::create(name, small);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    expect_limit(refused, "RLIMIT_NOFILE", limit.rlim_cur, limit.rlim_cur + 1, "ulimit -n");
    EXPECT_TRUE(PosixQueue::open(name).failed_with(Errc::not_found));
  });
  (void)child.finish(never);
}

}  // namespace

#include <tenon/ipc/eventfd/eventfd.hpp>

#include <kit/asleep.hpp>
#include <kit/descriptor_limit.hpp>
#include <kit/refused_call.hpp>
#include <kit/reported_child.hpp>
#include <kit/signal_storm.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/process.hpp>

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

TEST(EventFd, adds_up_what_is_posted_and_gives_it_out_at_once) {
  EventFd bell = EventFd::create().or_throw();
  EXPECT_TRUE(bell.try_wait().failed_with(Errc::would_block));
  EXPECT_TRUE(bell.try_post());
  EXPECT_TRUE(bell.post(41, never));
  EXPECT_EQ(bell.wait(never).or_throw(), 42U);
  EXPECT_TRUE(bell.try_wait().failed_with(Errc::would_block));
  EXPECT_EQ(EventFd::create(7).or_throw().try_wait().or_throw(), 7U);
}

TEST(EventFd, gives_one_at_a_time_as_a_semaphore) {
  EventFd permits = EventFd::create(2, Taking::one).or_throw();
  EXPECT_EQ(permits.wait(never).or_throw(), 1U);
  EXPECT_EQ(permits.try_wait().or_throw(), 1U);
  EXPECT_TRUE(permits.try_wait().failed_with(Errc::would_block));
  EXPECT_TRUE(permits.try_post());
  EXPECT_EQ(permits.wait(after(1h)).or_throw(), 1U);
}

TEST(EventFd, wakes_another_process) {
  EventFd there = EventFd::create().or_throw();
  EventFd back = EventFd::create().or_throw();
  kit::run_sides({{"a",
                   [&](kit::Stage&) {
                     EXPECT_TRUE(there.post(5, never));
                     EXPECT_EQ(back.wait(after(1h)).or_throw(), 6U);
                   }},
                  {"b", [&](kit::Stage&) {
                     EXPECT_EQ(there.wait(never).or_throw(), 5U);
                     EXPECT_TRUE(back.post(6, never));
                   }}});
}

TEST(EventFd, is_a_doorbell_that_poll_hears) {
  EventFd bell = EventFd::create().or_throw();
  EXPECT_TRUE(wait_ready(bell.fd(), Ready::reading, immediately).failed_with(Errc::timed_out));
  EXPECT_TRUE(bell.try_post());
  EXPECT_TRUE(wait_ready(bell.fd(), Ready::reading, never));
  EXPECT_TRUE(bell.try_wait());
  EXPECT_TRUE(wait_ready(bell.fd(), Ready::reading, immediately).failed_with(Errc::timed_out));
}

TEST(EventFd, that_is_full_would_block_and_stays_as_it_was) {  // F48
  const kit::Watchdog watchdog("a post to a full counter keeps its deadline");
  EventFd bell = EventFd::create().or_throw();
  EXPECT_TRUE(bell.try_post(EventFd::most));
  EXPECT_TRUE(bell.try_post().failed_with(Errc::would_block));
  EXPECT_TRUE(bell.post(1, after(20ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(bell.wait(never).or_throw(), EventFd::most);
}

// Its descriptor tells of room for 1 alone.
TEST(EventFd, with_too_little_room_keeps_the_deadline_and_sees_when_there_is_more) {
  const kit::Watchdog watchdog("a post of more than there is room for");
  EventFd bell = EventFd::create().or_throw();
  bell.try_post(EventFd::most - 1).or_throw();
  EXPECT_TRUE(bell.try_post(2).failed_with(Errc::would_block));
  const Deadline deadline = after(30ms);
  EXPECT_TRUE(bell.post(2, deadline).failed_with(Errc::timed_out));
  EXPECT_TRUE(deadline.passed());
  std::jthread taker([&] { EXPECT_EQ(bell.try_wait().or_throw(), EventFd::most - 1); });
  EXPECT_TRUE(bell.post(2, after(1h)));
  EXPECT_EQ(bell.wait(never).or_throw(), 2U);
}

TEST(EventFd, refuses_more_than_it_can_ever_hold) {
  EventFd bell = EventFd::create().or_throw();
  EXPECT_TRUE(bell.try_post(UINT64_MAX).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(bell.post(UINT64_MAX, never).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(bell.post(UINT64_MAX, after(1h)).failed_with(Errc::invalid_argument));
}

TEST(EventFd, keeps_its_count_when_whoever_posted_is_killed) {
  EventFd bell = EventFd::create().or_throw();
  kit::Sides sides({{"poster", [&](kit::Stage& stage) {
                       bell.post(3, never).or_throw();
                       stage.signal("posted");
                       kit::wait_to_be_killed();
                     }}});
  sides.stage().await("posted");
  sides.side("poster").kill();
  EXPECT_EQ(bell.wait(after(1h)).or_throw(), 3U);
}

// F45: as with a POSIX semaphore, nothing comes back.
TEST(EventFd, a_killed_takers_permit_does_not_come_back) {
  EventFd permit = EventFd::create(1, Taking::one).or_throw();
  kit::Sides sides({{"taker", [&](kit::Stage& stage) {
                       permit.wait(never).or_throw();
                       stage.signal("taken");
                       kit::wait_to_be_killed();
                     }}});
  sides.stage().await("taken");
  sides.side("taker").kill();
  EXPECT_TRUE(permit.wait(after(20ms)).failed_with(Errc::timed_out));
}

TEST(EventFd, calls_without_deadline_go_on_after_signals) {  // F71
  const kit::Watchdog watchdog("calls under signals");
  EventFd bell = EventFd::create().or_throw();
  const kit::SignalStorm storm;
  std::atomic<bool> is_full = false;
  std::jthread other([&] {
    storm.await(20);
    bell.post(1, never).or_throw();
    bell.post(EventFd::most, never).or_throw();  // once the first has been taken
    is_full.wait(false);
    storm.await(storm.count() + 40);
    EXPECT_EQ(bell.wait(never).or_throw(), EventFd::most);
  });
  EXPECT_EQ(bell.wait(never).or_throw(), 1U);
  while (!wait_ready(bell.fd(), Ready::reading, never)) {
  }
  is_full = true;
  is_full.notify_one();
  EXPECT_TRUE(bell.post(EventFd::most, never)) << "once the other has taken all";
}

TEST(EventFd, that_somebody_else_made_non_blocking_waits_all_the_same) {
  const kit::Watchdog watchdog("a wait without deadline on a non-blocking description");
  EventFd bell = EventFd::adopt(fd_from(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd").or_throw());
  std::jthread poster([&] { bell.post(2, never).or_throw(); });
  EXPECT_EQ(bell.wait(never).or_throw(), 2U);
}

void set_flags(const EventFd& bell, int flags) { ASSERT_EQ(::fcntl(bell.fd().raw(), F_SETFL, flags), 0); }

bool is_non_blocking(const EventFd& bell) { return (::fcntl(bell.fd().raw(), F_GETFL) & O_NONBLOCK) != 0; }

TEST(EventFd, waits_keep_their_deadline_whatever_others_do_to_the_shared_description_and_leave_it_alone) {
  const kit::Watchdog watchdog("a wait on a description that became blocking keeps its deadline");
  EventFd bell = EventFd::create().or_throw();
  for (const int flags : {0, O_NONBLOCK, 0}) {
    set_flags(bell, flags);
    EXPECT_TRUE(bell.wait(after(1ms)).failed_with(Errc::timed_out));
    EXPECT_TRUE(bell.try_wait().failed_with(Errc::would_block));
    EXPECT_EQ(is_non_blocking(bell), flags != 0) << "as it was";
  }
}

TEST(EventFd, waits_keep_their_deadline_where_the_kernel_refuses_to_be_told_with_each_call) {
  kit::ReportedChild child("waiter", [] {
    if (!kit::refuse_call(SYS_preadv2, EOPNOTSUPP)) {
      GTEST_SKIP() << "this kernel has no seccomp filters";
    }
    const kit::Watchdog watchdog("a wait keeps its deadline");
    EventFd bell = EventFd::create().or_throw();
    for (const int turn : {1, 2}) {
      EXPECT_TRUE(bell.wait(after(1ms)).failed_with(Errc::timed_out)) << turn;
      EXPECT_TRUE(is_non_blocking(bell));
      set_flags(bell, 0);
      EXPECT_TRUE(bell.try_wait().failed_with(Errc::would_block)) << turn;
      EXPECT_TRUE(is_non_blocking(bell));
      set_flags(bell, 0);
    }
    bell.try_post().or_throw();
    EXPECT_EQ(bell.try_wait().or_throw(), 1U);
  });
  (void)child.finish(never);
}

// The kernel has no flag for a post.
TEST(EventFd, posts_with_a_deadline_keep_it_though_others_clear_the_flag_of_the_shared_description) {
  const kit::Watchdog watchdog("a post to a full counter whose description became blocking keeps its deadline");
  EventFd bell = EventFd::create().or_throw();
  bell.try_post(EventFd::most).or_throw();
  for (const std::uint64_t count : {1U, 2U, 1U}) {
    set_flags(bell, 0);
    EXPECT_TRUE(bell.post(count, after(1ms)).failed_with(Errc::timed_out));
    EXPECT_TRUE(is_non_blocking(bell));
  }
}

TEST(EventFd, is_closed_on_exec_and_reaches_a_program_that_is_handed_it) {  // F36
  EventFd bell = EventFd::create().or_throw();
  EXPECT_EQ(::fcntl(bell.fd().raw(), F_GETFD), FD_CLOEXEC);
  Child ringer = spawn_program("sh", {"-c", "printf '\\001\\000\\000\\000\\000\\000\\000\\000' >&5"},
                               {.descriptors = {{bell.fd(), 5}}, .environment = {}})
                     .or_throw();
  EXPECT_EQ(bell.wait(after(1h)).or_throw(), 1U);
  EXPECT_TRUE(ringer.wait(never).or_throw().success());
}

TEST(EventFd, names_the_limit_on_descriptors) {
  kit::ReportedChild child("at the limit", [] {
    const kit::DescriptorLimit none(0);
    none.expect_named_by(EventFd::create());
  });
  (void)child.finish(never);
}

TEST(EventFd, may_be_used_by_many_threads_at_once) {
  EventFd permits = EventFd::create(1, Taking::one).or_throw();
  std::atomic<int> inside = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        permits.wait(i % 2 == 0 ? never : after(1h)).or_throw();
        EXPECT_EQ(inside.fetch_add(1), 0);
        inside.fetch_sub(1);
        permits.try_post().or_throw();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(permits.try_wait().or_throw(), 1U);
}

}  // namespace

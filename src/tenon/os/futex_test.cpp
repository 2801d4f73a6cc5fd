#include <tenon/os/futex.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/stop.hpp>

#include <kit/reported_child.hpp>
#include <kit/watchdog.hpp>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <new>
#include <sched.h>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using tenon::after;
using tenon::Errc;
using tenon::Stop;
using Word = std::atomic<std::uint32_t>;

// A word in memory that forked children share.
struct SharedWord {
  tenon::Mapping memory = tenon::Mapping::shared_with_children(4096).or_throw();
  Word& word = *new (memory.data()) Word(0);
};

TEST(Futex, looks_again_at_once_when_the_word_differs) {
  const kit::Watchdog watchdog("a word that differs does not put to sleep");
  Word word = 1;
  EXPECT_TRUE(tenon::futex_wait(word, 0, tenon::never));
}

TEST(Futex, lets_the_caller_look_again_although_nobody_woke_it) {
  const kit::Watchdog watchdog("a wait without end rechecks");
  const Word word = 0;
  const std::int64_t before = tenon::monotonic_now();
  EXPECT_TRUE(tenon::futex_wait(word, 0, tenon::never));
  EXPECT_GE(tenon::monotonic_now() - before, std::chrono::nanoseconds(tenon::recheck_interval).count());
}

TEST(Futex, wakes_a_waiter_in_another_process) {
  const kit::Watchdog watchdog("a wake crosses to another process");
  SharedWord shared;
  kit::ReportedChild waiter("waiter", [&] {
    const kit::Watchdog own("the waiter sees the value");
    EXPECT_TRUE(tenon::futex_wait_until(shared.word, [&] { return shared.word.load() == 2; }, tenon::never));
  });
  // One that was woken counts: the word still holds what the waiter expects.
  while (tenon::futex_wake(shared.word, 1) == 0) {
    ASSERT_TRUE(waiter.process().wait(tenon::immediately).failed_with(Errc::timed_out));
    sched_yield();
  }
  shared.word.store(2);
  tenon::futex_wake_all(shared.word);
  EXPECT_TRUE(waiter.finish(tenon::never));
}

// A reader of another's page waits there too.
TEST(Futex, waits_on_memory_mapped_read_only_with_and_without_a_stop) {
  const kit::Watchdog watchdog("a wait in read-only memory ends");
  const auto file = tenon::fd_from(::memfd_create("word", MFD_CLOEXEC), "memfd_create").or_throw();
  ASSERT_EQ(::ftruncate(file.raw(), 4096), 0);
  const auto page = tenon::Mapping::of_file(file.view(), 4096, tenon::Access::read).or_throw();
  const auto& word = *reinterpret_cast<const Word*>(page.data());
  const Stop stop = Stop::create().or_throw();
  EXPECT_TRUE(tenon::futex_wait(word, 0, after(1ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(tenon::futex_wait(word, 0, after(1ms).or_stop(stop)).failed_with(Errc::timed_out));
}

// Starts `count` threads that sleep on a word, and joins them when it goes.
class Sleepers {
 public:
  explicit Sleepers(int count) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this] {
        while (word_.load() == 0) {
          // FUTEX_WAIT without a time: only a wake ends it, so that wakes can be counted.
          if (::syscall(SYS_futex, &word_, FUTEX_WAIT, 0, nullptr, nullptr, 0) == 0) {
            woken_.fetch_add(1);
            return;
          }
        }
      });
    }
    // A requeue to the same word moves nobody, and tells how many sleep.
    while (::syscall(SYS_futex, &word_, FUTEX_CMP_REQUEUE, 0, INT_MAX, &word_, 0) < count) {
      sched_yield();
    }
  }
  Sleepers(const Sleepers&) = delete;
  Sleepers& operator=(const Sleepers&) = delete;
  ~Sleepers() {
    word_.store(1);
    for (std::thread& thread : threads_) {
      while (::syscall(SYS_futex, &word_, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0) > 0) {
      }
      thread.join();
    }
  }
  const Word& word() const { return word_; }

 private:
  Word word_ = 0;
  std::atomic<int> woken_ = 0;
  std::vector<std::thread> threads_;
};

TEST(FutexWake, wakes_as_many_as_it_is_told_and_says_how_many) {
  const kit::Watchdog watchdog("wakes are counted");
  const Sleepers sleepers(3);
  EXPECT_EQ(tenon::futex_wake(sleepers.word(), 2), 2U);
  EXPECT_EQ(tenon::futex_wake(sleepers.word(), 2), 1U);
  EXPECT_EQ(tenon::futex_wake(sleepers.word(), 2), 0U);
}

TEST(FutexWake, a_count_of_none_wakes_nobody) {
  const kit::Watchdog watchdog("a wake of none");
  const Sleepers sleepers(2);
  EXPECT_EQ(tenon::futex_wake(sleepers.word(), 0), 0U);
  EXPECT_EQ(tenon::futex_wake_all(sleepers.word()), 2U);
}

TEST(FutexWake, a_count_beyond_the_kernels_wakes_all) {
  const kit::Watchdog watchdog("a wake of 4294967295");
  const Sleepers sleepers(3);
  EXPECT_EQ(tenon::futex_wake(sleepers.word(), UINT32_MAX), 3U);
}

// F54
TEST(FutexWaitUntil, looks_at_its_condition_before_the_deadline) {
  const Word word = 0;
  EXPECT_TRUE(tenon::futex_wait_until(word, [] { return true; }, tenon::immediately));
  EXPECT_TRUE(tenon::futex_wait_until(word, [] { return true; }, after(-1h)));
}

TEST(FutexWaitUntil, looks_at_its_condition_once_more_when_the_deadline_has_come) {
  const Word word = 0;
  int looks = 0;
  EXPECT_TRUE(tenon::futex_wait_until(word, [&] { return ++looks == 2; }, tenon::immediately));
}

// F71: a wait that only goes on as long as nothing happens would never see its deadline here.
TEST(FutexWaitUntil, a_word_that_changes_all_the_time_does_not_outlast_the_deadline) {
  const kit::Watchdog watchdog("the deadline comes although the word never rests");
  Word word = 0;
  // The condition itself moves the word on, so each wait finds another value than was seen.
  const auto restless = [&] {
    word.fetch_add(1);
    return false;
  };
  EXPECT_TRUE(tenon::futex_wait_until(word, restless, after(5ms)).failed_with(Errc::timed_out));
}

// Returns when another process sleeps on the word; it is woken by that, and looks again.
void until_asleep_on(const Word& word) {
  while (tenon::futex_wake(word, 1) == 0) {
    sched_yield();
  }
}

// F49: the word wraps while somebody sleeps on it.
TEST(FutexWaitUntil, a_word_that_wraps_is_a_word_that_changed) {
  const kit::Watchdog watchdog("the waiter sees the counter pass through zero");
  SharedWord shared;
  shared.word.store(UINT32_MAX - 2);
  kit::ReportedChild waiter("waiter", [&] {
    const kit::Watchdog own("the waiter sees the counter pass through zero");
    EXPECT_TRUE(tenon::futex_wait_until(shared.word, [&] { return shared.word.load() == 2; }, tenon::never));
  });
  for (int step = 0; step < 4; ++step) {
    until_asleep_on(shared.word);
    shared.word.fetch_add(1);
    tenon::futex_wake_all(shared.word);
  }
  until_asleep_on(shared.word);
  shared.word.fetch_add(1);
  tenon::futex_wake_all(shared.word);
  EXPECT_TRUE(waiter.finish(tenon::never));
}

TEST(Futex, a_stop_that_is_set_counts_more_than_a_word_that_differs) {
  const Word word = 1;
  Stop stop = Stop::create().or_throw();
  stop.request();
  EXPECT_TRUE(tenon::futex_wait(word, 0, tenon::never.or_stop(stop)).failed_with(Errc::stopped));
  EXPECT_TRUE(tenon::futex_wait(word, 1, tenon::immediately.or_stop(stop)).failed_with(Errc::stopped));
}

TEST(Futex, a_word_that_differs_counts_while_the_stop_is_not_set) {
  const kit::Watchdog watchdog("a word that differs does not put to sleep");
  const Word word = 1;
  const Stop stop = Stop::create().or_throw();
  EXPECT_TRUE(tenon::futex_wait(word, 0, tenon::never.or_stop(stop)));
}

// Lets this process go without futex_waitv, as on an old kernel or in a sandbox.
void refuse_futex_waitv(std::uint32_t os_error) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex_waitv, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | os_error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = std::size(code), .filter = code};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST(Futex, without_futex_waitv_a_stop_is_noticed_at_the_next_recheck) {
  for (const int os_error : {ENOSYS, EPERM}) {
    kit::ReportedChild child("with a filter", [&] {
      const kit::Watchdog watchdog("a wait that cannot wait for the stop rechecks it");
      refuse_futex_waitv(static_cast<std::uint32_t>(os_error));
      const Word word = 0;
      Stop stop = Stop::create().or_throw();
      EXPECT_TRUE(tenon::futex_wait(word, 0, after(1ms).or_stop(stop)).failed_with(Errc::timed_out));
      EXPECT_TRUE(tenon::futex_wait(word, 0, tenon::never.or_stop(stop))) << "time to look again";
      std::jthread requester([&] { stop.request(); });
      EXPECT_TRUE(
          tenon::futex_wait_until(word, [] { return false; }, tenon::never.or_stop(stop)).failed_with(Errc::stopped));
    });
    EXPECT_TRUE(child.finish(tenon::never)) << os_error;
  }
}

}  // namespace

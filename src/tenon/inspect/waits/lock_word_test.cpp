/// What is taken for a lock of glibc, and what only looks like one.
#include <tenon/os/fd.hpp>

#include <kit/shared.hpp>
#include <kit/waiting_child.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <gmock/gmock.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace tenon;
using namespace tenon::inspect;
using kit::Seen;
using kit::seen_waiting;
using kit::WaitingChild;
using testing::IsEmpty;
using testing::SizeIs;

// As many words as a mutex has, and what they are there for.
using Words = std::array<std::uint32_t, 16>;
constexpr std::size_t word = 0, count = 1, owner = 2, users = 3, kind = 4, spins = 5, list = 6;

void sleep_on(const Words& words, int operation) {
  while (true) {
    ::syscall(SYS_futex, words.data(), operation, words[0], nullptr, nullptr, 0);
  }
}

// Held by a thread with that id, as glibc would have it.
Words mutex_held_by(pid_t thread) {
  Words words{};
  words[word] = 2;
  words[owner] = static_cast<std::uint32_t>(thread);
  words[users] = 1;
  return words;
}

struct Flaw {
  const char* what;
  std::size_t field;
  std::uint32_t value;
};
constexpr std::array flaws = {
    Flaw{"nobody uses it", users, 0},
    Flaw{"more use it than there are threads", users, 0x10000000},
    Flaw{"it is of no kind", kind, 4},
    Flaw{"its kind has flags that there are not", kind, 0x400},
    Flaw{"it is counted, and not recursive", count, 5},
    Flaw{"somebody spins for it, and it is not adaptive", spins, 3},
    Flaw{"it is in a list, and not robust", list, 0xabcd0},
    Flaw{"its owner has no thread's id", owner, 0x7ffffffe},
};

TEST(LockWord, what_is_not_a_mutex_in_each_field_is_none) {
  const kit::Watchdog watchdog("those who sleep on words");
  for (const Flaw& flaw : flaws) {
    WaitingChild child([&] {
      Words words = mutex_held_by(::getpid());
      words[flaw.field] = flaw.value;
      sleep_on(words, FUTEX_WAIT_PRIVATE);
    });
    const Seen seen = seen_waiting(child.pid(), "futex");
    EXPECT_EQ(seen.wait.lock.owner, 0) << flaw.what;
    EXPECT_EQ(seen.wait.need, Need::signal) << flaw.what;
  }
}

TEST(LockWord, what_is_one_in_each_field_names_its_owner) {
  const kit::Watchdog watchdog("one who sleeps on a mutex");
  WaitingChild child([] { sleep_on(mutex_held_by(::getpid()), FUTEX_WAIT_PRIVATE); });
  const Seen seen = seen_waiting(child.pid(), "futex");
  EXPECT_EQ(seen.wait.lock.owner, child.pid());
  EXPECT_EQ(seen.wait.need, Need::lock);
}

// As a lock of another library, with figures of its own beside it.
TEST(LockWord, of_one_process_alone_whose_owner_was_never_a_thread_of_it_is_no_mutex) {
  const kit::Watchdog watchdog("those who sleep on words of their own");
  for (const pid_t stranger : {2, ::getpid()}) {
    WaitingChild child([&] { sleep_on(mutex_held_by(stranger), FUTEX_WAIT_PRIVATE); });
    const Seen seen = seen_waiting(child.pid(), "futex");
    EXPECT_EQ(seen.wait.lock.owner, 0) << stranger;
    EXPECT_FALSE(seen.wait.lock.owner_died) << stranger;
    EXPECT_EQ(seen.wait.need, Need::signal) << stranger;
  }
}

TEST(LockWord, of_one_process_alone_whose_owner_has_ended_is_a_mutex_of_the_dead) {
  const kit::Watchdog watchdog("who waits for a thread that has ended");
  const kit::Shared<pid_t> dead;
  WaitingChild child([&] {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    // Threads' ids begin anew at some time; one that has a lower id than its process may be anybody's.
    while (*dead == 0) {
      std::thread([&] {
        if (::gettid() > ::getpid()) {
          *dead = ::gettid();
          ::pthread_mutex_lock(&mutex);
        }
      }).join();
    }
    ::pthread_mutex_lock(&mutex);
  });
  while (true) {
    const Seen seen = seen_waiting(child.pid(), "futex");
    if (seen.wait.lock.owner_died) {
      EXPECT_EQ(seen.wait.lock.owner, *dead);
      return;
    }
  }
}

void make_robust(pthread_mutex_t& mutex) {
  pthread_mutexattr_t attributes{};
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  ::pthread_mutex_init(&mutex, &attributes);
}

// The id of a dead owner is given out again, to one who has the memory mapped too.
TEST(LockWord, of_a_robust_mutex_whoever_has_it_not_in_its_list_is_not_the_owner) {
  const kit::Watchdog watchdog("who waits for a robust mutex");
  const kit::Shared<pthread_mutex_t> mutex;
  make_robust(*mutex);
  WaitingChild namesake([] { kit::wait_to_be_killed(); });
  mutex->__data.__lock = namesake.pid();
  mutex->__data.__owner = namesake.pid();
  mutex->__data.__nusers = 1;
  WaitingChild waiter([&] { ::pthread_mutex_lock(&*mutex); });
  const Seen seen = seen_waiting(waiter.pid(), "futex");
  EXPECT_EQ(seen.object().state, "robust mutex");
  ASSERT_THAT(seen.edges(Relation::owns), SizeIs(1));
  EXPECT_EQ(seen.edges(Relation::owns).front().pid, namesake.pid());
  EXPECT_TRUE(seen.edges(Relation::owns).front().ended);
}

TEST(LockWord, of_several_robust_mutexes_of_one_thread_each_is_in_its_list) {
  const kit::Watchdog watchdog("who waits for one of several robust mutexes");
  const kit::Shared<std::array<pthread_mutex_t, 5>> mutexes;
  for (pthread_mutex_t& mutex : *mutexes) {
    make_robust(mutex);
  }
  WaitingChild holder([&] {
    for (pthread_mutex_t& mutex : *mutexes) {
      ::pthread_mutex_lock(&mutex);
    }
    kit::wait_to_be_killed();
  });
  for (pthread_mutex_t& mutex : *mutexes) {
    WaitingChild waiter([&] { ::pthread_mutex_lock(&mutex); });
    const Seen seen = seen_waiting(waiter.pid(), "futex");
    ASSERT_THAT(seen.edges(Relation::owns), SizeIs(1));
    EXPECT_FALSE(seen.edges(Relation::owns).front().ended);
  }
}

// As a semaphore of Tenon's own would lie, but of a domain that there is not.
TEST(LockWord, what_names_no_domain_is_no_semaphore_of_one) {
  const kit::Watchdog watchdog("who sleeps on a word beside others");
  const kit::SharedBytes memory(4096);
  auto* words = reinterpret_cast<std::uint32_t*>(memory.data());
  constexpr std::size_t sleepers = 1, permits = 2, device = 4, inode = 6, slot = 16;
  words[sleepers] = 1;
  words[permits] = 1;
  words[device] = 26;
  words[inode] = 0x7fffffff;
  words[slot] = 17;
  words[0] = 5;
  WaitingChild child([&] {
    while (true) {
      ::syscall(SYS_futex, words, FUTEX_WAIT, 5, nullptr, nullptr, 0);
    }
  });
  const Seen seen = seen_waiting(child.pid(), "futex");
  EXPECT_EQ(seen.object().state, "");
  EXPECT_EQ(seen.wait.need, Need::signal);
  EXPECT_EQ(seen.wait.unseen, "");
}

}  // namespace

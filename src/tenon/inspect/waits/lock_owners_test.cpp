/// Locks in shared memory, who waits for them, and who owns them, alive or dead.
#include <tenon/os/fd.hpp>

#include <kit/waiting_child.hpp>

#include <kit/shared.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <optional>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace tenon;
using namespace tenon::inspect;
using kit::Seen;
using kit::seen_waiting;
using kit::WaitingChild;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct MutexCase {
  int robust;
  int protocol;
  const char* state;
};
constexpr std::array mutexes = {
    MutexCase{PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE, "mutex"},
    MutexCase{PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE, "robust mutex"},
    MutexCase{PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT, "mutex with priority inheritance"}};

void make(pthread_mutex_t& mutex, const MutexCase& how) {
  pthread_mutexattr_t attributes{};
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, how.robust);
  ::pthread_mutexattr_setprotocol(&attributes, how.protocol);
  ASSERT_EQ(::pthread_mutex_init(&mutex, &attributes), 0);
}

void make(pthread_cond_t& condition) {
  pthread_condattr_t attributes{};
  ::pthread_condattr_init(&attributes);
  ::pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ASSERT_EQ(::pthread_cond_init(&condition, &attributes), 0);
}

TEST(LockOwners, a_mutex_of_each_kind_names_its_living_owner) {
  const kit::Watchdog watchdog("owners and waiters of mutexes");
  for (const MutexCase& how : mutexes) {
    const kit::Shared<pthread_mutex_t> mutex;
    make(*mutex, how);
    WaitingChild owner([&] {
      ::pthread_mutex_lock(&*mutex);
      kit::wait_to_be_killed();
    });
    WaitingChild waiter([&] { ::pthread_mutex_lock(&*mutex); });
    const Seen seen = seen_waiting(waiter.pid(), "futex");
    EXPECT_EQ(seen.object().kind, Kind::lock) << how.state;
    EXPECT_THAT(seen.object().name, HasSubstr("lock at byte 0 of anonymous memory")) << how.state;
    EXPECT_EQ(seen.object().state, how.state);
    EXPECT_EQ(seen.wait.need, Need::lock);
    const auto owners = seen.edges(Relation::owns);
    ASSERT_THAT(owners, SizeIs(1)) << how.state;
    EXPECT_EQ(owners.front().pid, owner.pid());
    EXPECT_EQ(owners.front().thread, owner.pid());
    EXPECT_FALSE(owners.front().ended);
    EXPECT_THAT(seen.edges(Relation::maps), SizeIs(3)) << "owner, waiter and this process";
  }
}

TEST(LockOwners, a_mutex_whose_owner_was_killed_names_the_dead) {
  const kit::Watchdog watchdog("a waiter for a mutex of the dead");
  const kit::Shared<pthread_mutex_t> mutex;
  make(*mutex, mutexes.front());
  pid_t dead = 0;
  {
    WaitingChild owner([&] {
      ::pthread_mutex_lock(&*mutex);
      kit::wait_to_be_killed();
    });
    dead = owner.pid();
  }
  WaitingChild waiter([&] { ::pthread_mutex_lock(&*mutex); });
  const Seen seen = seen_waiting(waiter.pid(), "futex");
  const auto owners = seen.edges(Relation::owns);
  ASSERT_THAT(owners, SizeIs(1));
  EXPECT_EQ(owners.front().pid, dead);
  EXPECT_TRUE(owners.front().ended);
}

TEST(LockOwners, a_mutex_in_posix_memory_is_named_by_its_byte_there) {
  const kit::Watchdog watchdog("a waiter for a mutex in memory of its own name");
  const std::string name = "/" + kit::unique_name("pool");
  const Fd memory = fd_from(::shm_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600), "shm_open").or_throw();
  ASSERT_EQ(::ftruncate(memory.raw(), 8192), 0);
  auto* bytes = static_cast<std::byte*>(::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, memory.raw(), 0));
  auto* mutex = new (bytes + 4160) pthread_mutex_t;
  make(*mutex, mutexes.front());
  ::pthread_mutex_lock(mutex);
  WaitingChild waiter([&] { ::pthread_mutex_lock(mutex); });
  const Seen seen = seen_waiting(waiter.pid(), "futex");
  EXPECT_EQ(seen.object().name, "lock at byte 4160 of " + name);
  ASSERT_THAT(seen.edges(Relation::owns), SizeIs(1));
  EXPECT_EQ(seen.edges(Relation::owns).front().pid, ::getpid());
  ::munmap(bytes, 8192);
  ::shm_unlink(name.c_str());
}

TEST(LockOwners, a_semaphore_has_no_owner_and_a_named_one_is_itself) {
  const kit::Watchdog watchdog("waiters for semaphores");
  const kit::Shared<sem_t> unnamed;
  ::sem_init(&*unnamed, 1, 0);
  const std::string name = "/" + kit::unique_name("turn");
  sem_t* named = ::sem_open(name.c_str(), O_CREAT | O_EXCL, 0600, 0);
  WaitingChild one([&] { ::sem_wait(&*unnamed); });
  WaitingChild other([&] { ::sem_wait(named); });
  const Seen without = seen_waiting(one.pid(), "futex");
  EXPECT_EQ(without.object().kind, Kind::lock);
  EXPECT_EQ(without.object().state, "semaphore");
  EXPECT_EQ(without.wait.need, Need::lock);
  EXPECT_THAT(without.edges(Relation::owns), IsEmpty());
  const Seen with = seen_waiting(other.pid(), "futex");
  EXPECT_EQ(with.object().kind, Kind::posix_semaphore);
  EXPECT_EQ(with.object().name, name);
  ::sem_close(named);
  ::sem_unlink(name.c_str());
}

struct Signalled {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
};

TEST(LockOwners, a_condition_variable_whose_waiters_were_killed_is_wedged_and_a_sound_one_is_not) {
  const kit::Watchdog watchdog("waiters and a signaller");
  const kit::Shared<Signalled> both;
  make(both->mutex, mutexes.front());
  make(both->condition);
  const auto wait = [&] {
    ::pthread_mutex_lock(&both->mutex);
    ::pthread_cond_wait(&both->condition, &both->mutex);
  };
  {
    WaitingChild waiter(wait);
    const Seen seen = seen_waiting(waiter.pid(), "futex");
    EXPECT_EQ(seen.object().state, "condition variable");
    EXPECT_THAT(seen.object().name, HasSubstr("lock at byte 40 of"));
    EXPECT_EQ(seen.wait.need, Need::signal);
    WaitingChild second(wait);
    seen_waiting(second.pid(), "futex");
  }
  for (int dead = 0; dead < 2; ++dead) {
    ::pthread_cond_signal(&both->condition);
  }
  WaitingChild late(wait);
  seen_waiting(late.pid(), "futex");
  WaitingChild signaller([&] { ::pthread_cond_signal(&both->condition); });
  const Seen seen = seen_waiting(signaller.pid(), "futex");
  EXPECT_EQ(seen.object().state, "condition variable, wedged");
  EXPECT_THAT(seen.object().name, HasSubstr("lock at byte 40 of"));
  EXPECT_GE(seen.object().figure("dead_waiters").value_or(0), 1U);
}

TEST(LockOwners, a_read_write_lock_names_who_writes) {
  const kit::Watchdog watchdog("a reader");
  const kit::Shared<pthread_rwlock_t> lock;
  pthread_rwlockattr_t attributes{};
  ::pthread_rwlockattr_init(&attributes);
  ::pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_rwlock_init(&*lock, &attributes);
  ::pthread_rwlock_wrlock(&*lock);
  for (const auto wait : {::pthread_rwlock_rdlock, ::pthread_rwlock_wrlock}) {
    WaitingChild waiter([&] { wait(&*lock); });
    const Seen seen = seen_waiting(waiter.pid(), "futex");
    EXPECT_EQ(seen.object().state, "read-write lock");
    ASSERT_THAT(seen.edges(Relation::owns), SizeIs(1));
    EXPECT_EQ(seen.edges(Relation::owns).front().thread, ::gettid());
  }
}

TEST(LockOwners, a_mutex_of_one_process_alone_is_no_object_but_its_owner_is_told) {
  const kit::Watchdog watchdog("one who locks twice");
  WaitingChild child([] {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    ::pthread_mutex_lock(&mutex);
    ::pthread_mutex_lock(&mutex);
  });
  const Seen seen = seen_waiting(child.pid(), "futex");
  EXPECT_THAT(seen.wait.objects, IsEmpty());
  EXPECT_EQ(seen.wait.lock.owner, child.pid());
}

TEST(LockOwners, a_lock_that_was_not_asked_about_is_no_object_and_may_still_end_a_wait) {
  const kit::Watchdog watchdog("a look at pipes alone");
  const kit::Shared<pthread_mutex_t> mutex;
  make(*mutex, mutexes.front());
  ::pthread_mutex_lock(&*mutex);
  WaitingChild waiter([&] { ::pthread_mutex_lock(&*mutex); });
  const Seen whole = seen_waiting(waiter.pid(), "futex");
  ASSERT_EQ(whole.object().kind, Kind::lock);
  const Snapshot pipes = snapshot({.kinds = {Kind::pipe}, .directories = {}, .waits = true});
  for (const Object& object : pipes.objects) {
    EXPECT_EQ(object.kind, Kind::pipe) << object.name;
  }
  for (const Edge& one : pipes.edges) {
    EXPECT_LT(one.object, pipes.objects.size());
  }
  for (const Wait& wait : pipes.waits) {
    if (wait.pid == waiter.pid()) {
      EXPECT_THAT(wait.objects, IsEmpty());
      EXPECT_TRUE(wait.elsewhere);
    }
  }
}

}  // namespace

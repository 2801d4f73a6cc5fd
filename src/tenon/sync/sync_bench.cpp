// What locks and waits in shared memory cost beside the bare ones, in pairs of blocks.
//
//   S1  store-release of a word → load-acquire by the other side: the bare ping-pong's turn.
#include <tenon/base/cache_line.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/sync/condition.hpp>
#include <tenon/sync/event.hpp>
#include <tenon/sync/rw_lock.hpp>
#include <harness/byte_stream.hpp>

#include <atomic>
#include <cstdio>
#include <linux/futex.h>
#include <memory>
#include <new>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace tenon;

namespace {

using Where = harness::StreamPair::Where;
using Word = std::atomic<std::uint32_t>;

/// An operation is so many of them, so that calling it costs next to nothing.
constexpr int at_once = 100;

void must(bool as_expected) {
  if (!as_expected) {
    throw Failure(Error(Errc::io_error, "sync"));
  }
}

/// In memory that both processes have.
template <class T>
class InSharedMemory {
 public:
  T* operator->() const { return object_; }
  /// Made anew, for a block that begins from the start.
  void renew() const { new (object_) T(); }

 private:
  Mapping memory_ = Mapping::shared_with_children(sizeof(T)).or_throw();
  T* object_ = new (memory_.data()) T();
};

struct BareMutex {
  pthread_mutex_t mutex;
  BareMutex() {
    pthread_mutexattr_t attributes;
    ::pthread_mutexattr_init(&attributes);
    ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    must(::pthread_mutex_init(&mutex, &attributes) == 0);
    ::pthread_mutexattr_destroy(&attributes);
  }
};

struct BareRwLock {
  pthread_rwlock_t lock;
  BareRwLock() {
    pthread_rwlockattr_t attributes;
    ::pthread_rwlockattr_init(&attributes);
    ::pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    must(::pthread_rwlock_init(&lock, &attributes) == 0);
    ::pthread_rwlockattr_destroy(&attributes);
  }
};

template <class Bare, class Ours, class BareCall, class OurCall>
harness::StreamPair alone(const char* name, BareCall bare_call, OurCall our_call) {
  const auto bare = std::make_shared<InSharedMemory<Bare>>();
  const auto ours = std::make_shared<InSharedMemory<Ours>>();
  return {.name = name,
          .bare = harness::done_by_one_process("bare",
                                               [=] {
                                                 for (int i = 0; i < at_once; ++i) {
                                                   bare_call(*bare);
                                                 }
                                               }),
          .wrapped = harness::done_by_one_process("ours", [=] {
            for (int i = 0; i < at_once; ++i) {
              our_call(*ours);
            }
          })};
}

harness::StreamPair mutexes() {
  return alone<BareMutex, Mutex>(
      "100 x lock, unlock; a robust pthread_mutex_t",
      [](auto& bare) {
        must(::pthread_mutex_lock(&bare->mutex) == 0);
        ::pthread_mutex_unlock(&bare->mutex);
      },
      [](auto& ours) { must(ours->lock(never).has_value()); });
}

harness::StreamPair readers() {
  return alone<BareRwLock, RwLock>(
      "100 x read; a pthread_rwlock_t, which is not robust",
      [](auto& bare) {
        must(::pthread_rwlock_rdlock(&bare->lock) == 0);
        ::pthread_rwlock_unlock(&bare->lock);
      },
      [](auto& ours) { must(ours->read(never).has_value()); });
}

harness::StreamPair writers() {
  return alone<BareRwLock, RwLock>(
      "100 x write; a pthread_rwlock_t, which is not robust",
      [](auto& bare) {
        must(::pthread_rwlock_wrlock(&bare->lock) == 0);
        ::pthread_rwlock_unlock(&bare->lock);
      },
      [](auto& ours) { must(ours->write(never).has_value()); });
}

/// Whose turn it is, told by the bare system call.
struct Turns {
  alignas(cache_line) Word there = 0;
  alignas(cache_line) Word back = 0;

  static void tell(Word& word) {
    word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_release);  // S1: one side writes it
    ::syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
  static void await(const Word& word, std::uint32_t seen) {
    while (word.load(std::memory_order_acquire) == seen) {  // S1
      ::syscall(SYS_futex, &word, FUTEX_WAIT, seen, nullptr, nullptr, 0);
    }
  }
};

struct ConditionTurns {
  Mutex mutex;
  Condition changed;
  std::uint32_t turn = 0;

  void pass_on(std::uint32_t own) {
    {
      MutexGuard guard = mutex.lock(never).or_throw();
      turn = 1 - own;
    }
    changed.notify_one();
  }
  void await(std::uint32_t own) {
    MutexGuard guard = mutex.lock(never).or_throw();
    changed.wait_until(guard, [&] { return turn == own; }, never).or_throw();
  }
};

struct EventTurns {
  Event there{Event::Reset::automatic};
  Event back{Event::Reset::automatic};
};

harness::Subject bare_ping_pong() {
  const auto turns = std::make_shared<InSharedMemory<Turns>>();
  return harness::done_by_two_processes(
      "futex", [=] { turns->renew(); },
      [=] {
        const std::uint32_t seen = (*turns)->back.load(std::memory_order_relaxed);  // the other waits for its turn
        Turns::tell((*turns)->there);
        Turns::await((*turns)->back, seen);
      },
      [=] {
        Turns::await((*turns)->there, (*turns)->back.load(std::memory_order_relaxed));  // own: this side writes it
        Turns::tell((*turns)->back);
      });
}

harness::StreamPair conditions(Where where) {
  const auto turns = std::make_shared<InSharedMemory<ConditionTurns>>();
  return {.name = "condition, there and back; futex",
          .bare = bare_ping_pong(),
          .wrapped = harness::done_by_two_processes(
              "condition", [=] { turns->renew(); },
              [=] {
                (*turns)->pass_on(0);
                (*turns)->await(0);
              },
              [=] {
                (*turns)->await(1);
                (*turns)->pass_on(1);
              }),
          .where = where};
}

harness::StreamPair events(Where where) {
  const auto turns = std::make_shared<InSharedMemory<EventTurns>>();
  return {.name = "event, there and back; futex",
          .bare = bare_ping_pong(),
          .wrapped = harness::done_by_two_processes(
              "event", [=] { turns->renew(); },
              [=] {
                (*turns)->there.set();
                (*turns)->back.wait(never).or_throw();
              },
              [=] {
                (*turns)->there.wait(never).or_throw();
                (*turns)->back.set();
              }),
          .where = where};
}

}  // namespace

int main() try {
  return harness::print_paired(
      "sync", {mutexes(), readers(), writers(), conditions(Where::one_core), conditions(Where::across_cores),
               events(Where::one_core), events(Where::across_cores)});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}

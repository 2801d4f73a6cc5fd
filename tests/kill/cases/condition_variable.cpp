// A control: waiters of a process-shared condition variable that are killed leave later broadcasts hanging, since
// glibc's broadcast waits until each waiter of the round before last has left. pthread_cond_broadcast(3)
#include "../cases.hpp"

#include <kit/shared.hpp>
#include <kit/state_hash.hpp>

#include <atomic>
#include <cerrno>
#include <pthread.h>
#include <thread>

namespace kill_cases {

namespace {

struct Bell {
  pthread_mutex_t mutex;  // robust, so that only the condition can hang
  pthread_cond_t condition;
  volatile int rounds = 0;

  void initialise() {
    pthread_mutexattr_t mutex_attributes;
    ::pthread_mutexattr_init(&mutex_attributes);
    ::pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&mutex_attributes, PTHREAD_MUTEX_ROBUST);
    ::pthread_mutex_init(&mutex, &mutex_attributes);
    ::pthread_mutexattr_destroy(&mutex_attributes);
    pthread_condattr_t attributes;
    ::pthread_condattr_init(&attributes);
    ::pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_cond_init(&condition, &attributes);
    ::pthread_condattr_destroy(&attributes);
  }

  void lock() {
    if (::pthread_mutex_lock(&mutex) == EOWNERDEAD) {
      ::pthread_mutex_consistent(&mutex);
    }
  }

  void wait_for_round() {
    lock();
    const int seen = rounds;
    while (rounds == seen) {
      ::pthread_cond_wait(&condition, &mutex);
    }
    ::pthread_mutex_unlock(&mutex);
  }

  void ring() {
    lock();
    rounds = rounds + 1;
    ::pthread_cond_broadcast(&condition);
    ::pthread_mutex_unlock(&mutex);
  }
};

class Wait : public kit::KillTrial {
 public:
  Wait() { bell_->initialise(); }
  void operation() override { bell_->wait_for_round(); }
  // Two rounds with a living waiter in each: more than any user would do to be told that it works.
  void survive() override {
    for (int round = 0; round < 2; ++round) {
      std::atomic<bool> woken = false;
      std::thread waiter([&] {
        bell_->wait_for_round();
        woken = true;
      });
      while (!woken) {
        bell_->ring();
        std::this_thread::yield();
      }
      waiter.join();
    }
  }
  std::uint64_t state() override { return kit::hash_of(bell_.bytes()); }

 private:
  kit::Shared<Bell> bell_;
};

}  // namespace

kit::KillCase condition_variable() {
  return {.name = "glibc condition variable", .make = [] { return std::make_unique<Wait>(); }, .control = true};
}

}  // namespace kill_cases

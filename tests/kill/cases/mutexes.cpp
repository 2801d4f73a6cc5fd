// A transfer between two accounts under a mutex, once plain and once robust. The plain one is a control: whoever is
// killed in the middle leaves it locked for good. pthread_mutexattr_setrobust(3)
#include "../cases.hpp"

#include <kit/shared.hpp>
#include <kit/state_hash.hpp>

#include <cerrno>
#include <pthread.h>
#include <stdexcept>

namespace kill_cases {

namespace {

constexpr int total = 100;

struct Accounts {
  pthread_mutex_t mutex;
  volatile int a = total;
  volatile int b = 0;

  void initialise(int robust) {
    pthread_mutexattr_t attributes;
    ::pthread_mutexattr_init(&attributes);
    ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&attributes, robust);
    ::pthread_mutex_init(&mutex, &attributes);
    ::pthread_mutexattr_destroy(&attributes);
  }

  void lock() {
    if (::pthread_mutex_lock(&mutex) == EOWNERDEAD) {
      b = total - a;  // `a` is written first, and is the truth
      ::pthread_mutex_consistent(&mutex);
    }
  }

  void transfer_one() {
    lock();
    a = a - 1;
    b = b + 1;
    ::pthread_mutex_unlock(&mutex);
  }

  void check() {
    lock();
    const bool whole = a + b == total;
    ::pthread_mutex_unlock(&mutex);
    if (!whole) {
      throw std::runtime_error("money was lost");
    }
  }
};

class Transfer : public kit::KillTrial {
 public:
  explicit Transfer(int robust) { accounts_->initialise(robust); }
  void operation() override { accounts_->transfer_one(); }
  void survive() override { accounts_->check(); }
  bool rival_may_wait() const override { return true; }
  std::uint64_t state() override { return kit::hash_of(accounts_.bytes()); }

 private:
  kit::Shared<Accounts> accounts_;
};

}  // namespace

kit::KillCase plain_mutex() {
  return {
      .name = "plain mutex", .make = [] { return std::make_unique<Transfer>(PTHREAD_MUTEX_STALLED); }, .control = true};
}

kit::KillCase robust_mutex() {
  return {.name = "robust mutex", .make = [] { return std::make_unique<Transfer>(PTHREAD_MUTEX_ROBUST); }};
}

}  // namespace kill_cases

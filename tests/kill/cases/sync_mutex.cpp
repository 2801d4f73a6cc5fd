// A transfer between two accounts under Mutex: whoever is told that the last owner died repairs, and says so. The plain
// mutex of mutexes.cpp is its control.
#include "../cases.hpp"

#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <tenon/sync/mutex.hpp>

#include <stdexcept>

namespace kill_cases {

namespace {

using tenon::MutexGuard;
using tenon::never;

constexpr int total = 100;

struct Accounts {
  tenon::Mutex mutex;
  volatile int a = total;
  volatile int b = 0;

  MutexGuard lock() {
    MutexGuard guard = mutex.lock(never).or_throw();
    if (guard.owner_died()) {
      b = total - a;  // `a` is written first, and is the truth
      guard.mark_consistent();
    }
    return guard;
  }
};

class Transfer : public kit::KillTrial {
 public:
  void operation() override {
    const MutexGuard guard = accounts_->lock();
    accounts_->a = accounts_->a - 1;
    accounts_->b = accounts_->b + 1;
  }
  void survive() override {
    const MutexGuard guard = accounts_->lock();
    if (accounts_->a + accounts_->b != total) {
      throw std::runtime_error("money was lost");
    }
  }
  bool rival_may_wait() const override { return true; }
  std::uint64_t state() override { return kit::hash_of(accounts_.bytes()); }

 private:
  kit::Shared<Accounts> accounts_;
};

}  // namespace

kit::KillCase sync_mutex() {
  return {.name = "sync: mutex", .make = [] { return std::make_unique<Transfer>(); }};
}

}  // namespace kill_cases

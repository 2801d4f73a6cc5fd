// A transfer between two accounts under the writing side of RwLock, and a look at them under its reading side. Whoever
// goes on finds all of it free, and repairs if the writer died; a dead reader is told to nobody.
#include "../cases.hpp"
#include "../must.hpp"

#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <tenon/sync/rw_lock.hpp>

#include <atomic>

namespace kill_cases {

namespace {

using tenon::Errc;
using tenon::never;

constexpr int total = 100;

struct Accounts {
  tenon::RwLock lock;
  volatile int a = total;
  volatile int b = 0;

  tenon::WriteGuard write() {
    tenon::WriteGuard guard = lock.write(never).or_throw();
    if (guard.owner_died()) {
      b = total - a;  // `a` is written first, and is the truth
      guard.mark_consistent();
    }
    return guard;
  }
  void transfer_one() {
    const auto guard = write();
    a = a - 1;
    b = b + 1;
  }
  bool whole() const { return a + b == total; }
};

class Locking : public kit::KillTrial {
 public:
  void survive() override {
    {
      const auto reading = accounts_->lock.read(never);
      must(reading || reading.failed_with(Errc::owner_died), "reading is neither granted nor told of a death");
      must(!reading || accounts_->whole(), "what a dead writer left half-done was shown to a reader");
    }
    {
      const auto writing = accounts_->write();
      must(accounts_->whole(), "money was lost");
    }
    must(accounts_->lock.try_read().has_value(), "it is repaired, and no reader gets in");
    must(!accounts_->lock.try_write().or_throw().owner_died(), "a death is told twice");
  }
  bool rival_may_wait() const override { return true; }
  std::uint64_t state() override { return kit::hash_of(accounts_.bytes()); }

 protected:
  kit::Shared<Accounts> accounts_;
};

class Write : public Locking {
 public:
  void operation() override { accounts_->transfer_one(); }
};

class Read : public Locking {
 public:
  void operation() override {
    const auto guard = accounts_->lock.read(never).or_throw();
    must(accounts_->whole(), "money was lost");
  }
  // Killed while it reads, it leaves nothing that a writer would be told of; a survivor that is killed has written.
  void survive() override {
    if (!survived_->exchange(true)) {
      must(!accounts_->lock.try_write().or_throw().owner_died(), "a reader's death is told");
    }
    Locking::survive();
  }
  void rival() override { accounts_->transfer_one(); }

 private:
  kit::Shared<std::atomic<bool>> survived_;
};

}  // namespace

kit::KillCase sync_write() {
  return {.name = "sync: rw lock, write", .make = [] { return std::make_unique<Write>(); }};
}
kit::KillCase sync_read() {
  return {.name = "sync: rw lock, read", .make = [] { return std::make_unique<Read>(); }};
}

}  // namespace kill_cases

// Somebody sleeps until a number is posted; the poster is killed. With sem_post() there are points, between the add and
// the wake, after which the number is there and the sleeper sleeps on: a control. With a futex word and a bounded
// recheck the sleeper finds out by itself. sem_post(3), futex(2)
#include "../cases.hpp"

#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>

#include <atomic>
#include <csignal>
#include <sched.h>
#include <semaphore.h>

namespace kill_cases {

namespace {

/// The sleeper is a process of its own, which sleeps before the operation begins.
template <class Word>
class Post : public kit::KillTrial {
 public:
  Post() : sleeper_(tenon::spawn([this] { return sleep(); }).or_throw()) {
    // Its state in /proc is what tells that it sleeps, and not merely that it is about to.
    while (word_->sleepers() == 0 || tenon::procfs::process(sleeper_.pid()).or_throw().state != 'S') {
      ::sched_yield();
    }
  }
  ~Post() override {
    (void)sleeper_.signal(SIGKILL);
    (void)sleeper_.wait(tenon::never);
  }

  void operation() override { word_->post(); }
  // If nothing was posted before the kill, the sleeper sleeps on rightly.
  void survive() override {
    while (word_->posted() && !*woken_) {
      ::sched_yield();
    }
  }
  std::uint64_t state() override { return kit::hash_of(word_.bytes()); }

 private:
  int sleep() {
    word_->wait();
    *woken_ = true;
    return 0;
  }

  kit::Shared<Word> word_;
  kit::Shared<std::atomic<bool>> woken_;
  tenon::Child sleeper_;
};

struct Semaphore {
  sem_t semaphore;

  Semaphore() { ::sem_init(&semaphore, 1, 0); }
  void post() { ::sem_post(&semaphore); }
  void wait() {
    while (::sem_wait(&semaphore) == -1) {
    }
  }
  bool posted() {
    int value = 0;
    ::sem_getvalue(&semaphore, &value);
    return value > 0;
  }
  // glibc 2.36, 64 bits: the value below, the number of waiters above.
  std::uint32_t sleepers() const { return reinterpret_cast<const volatile std::uint32_t*>(&semaphore)[1]; }
};

struct RecheckedWord {
  std::atomic<std::uint32_t> value = 0;
  std::atomic<std::uint32_t> asleep = 0;

  void post() {
    value.fetch_add(1);
    if (asleep != 0) {
      tenon::futex_wake(value, 1);
    }
  }
  void wait() {
    ++asleep;
    tenon::futex_wait_until(value, [&] { return value > 0; }, tenon::never).or_throw();
    --asleep;
    --value;
  }
  bool posted() const { return value > 0; }
  std::uint32_t sleepers() const { return asleep; }
};

}  // namespace

kit::KillCase semaphore_post() {
  return {.name = "sem_post", .make = [] { return std::make_unique<Post<Semaphore>>(); }, .control = true};
}

kit::KillCase bounded_wait() {
  return {.name = "post, wait with recheck", .make = [] { return std::make_unique<Post<RecheckedWord>>(); }};
}

}  // namespace kill_cases

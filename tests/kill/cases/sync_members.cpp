// What members of a domain hold in shared memory: the permits of a Semaphore, which all come back, none of them twice,
// and the places of a Barrier, whose others are let through or told.
#include "../cases.hpp"
#include "../must.hpp"
#include "../sleeper.hpp"

#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <kit/steady.hpp>
#include <kit/unique.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/sync/barrier.hpp>
#include <tenon/sync/semaphore.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <new>
#include <optional>
#include <sched.h>
#include <unistd.h>

namespace kill_cases {

namespace {

using tenon::BarrierMember;
using tenon::Domain;
using tenon::Errc;
using tenon::Holder;
using tenon::Life;
using tenon::never;
using tenon::Permit;

// The same in each trial: what is hashed or formatted takes the same path then.
const std::string& meeting_place() {
  static const std::string path = "/dev/shm/" + kit::unique_name("tenon-kill");
  return path;
}

/// Who joins a domain that the destructor takes away.
class Members {
 public:
  Members() : domain_(Domain::open(meeting_place()).or_throw()) {}
  ~Members() {
    std::error_code dropped;
    std::filesystem::remove_all(domain_.path(), dropped);
  }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  const Domain& domain() const noexcept { return domain_; }
  /// In the process that calls it, once.
  Holder join() {
    life_.emplace(Life::join(domain_).or_throw());
    return Holder::of(domain_, *life_).or_throw();
  }

 private:
  Domain domain_;
  std::optional<Life> life_;
};

/// Two permits, of which the victim takes one.
class Acquire : public kit::KillTrial {
 public:
  Acquire() {
    const Life maker = Life::join(members_.domain()).or_throw();
    new (memory_.data()) tenon::Semaphore(permits, Holder::of(members_.domain(), maker).or_throw());
  }
  void before() override { holder_.emplace(members_.join()); }
  void operation() override { permit_.emplace(semaphore().acquire(*holder_, never).or_throw()); }
  void survive() override {
    const Holder own = members_.join();
    std::optional<Permit> taken[permits];
    for (auto& permit : taken) {
      auto got = semaphore().try_acquire(own);
      must(got.has_value(), "a dead holder's permit did not come back");
      permit.emplace(std::move(*got));
    }
    must(semaphore().try_acquire(own).failed_with(Errc::would_block), "a permit came back twice");
  }
  std::uint64_t state() override { return kit::hash_of(memory_.bytes()); }
  bool wants_steady_clock() const override { return true; }

 protected:
  static constexpr std::uint32_t permits = 2;
  tenon::Semaphore& semaphore() { return *std::launder(reinterpret_cast<tenon::Semaphore*>(memory_.data())); }

  Members members_;
  tenon::Mapping memory_ = tenon::Mapping::shared_with_children(sizeof(tenon::Semaphore)).or_throw();
  std::optional<Holder> holder_;
  std::optional<Permit> permit_;
};

class Release : public Acquire {
 public:
  void before() override {
    Acquire::before();
    Acquire::operation();
  }
  void operation() override { std::move(*permit_).release().or_throw(); }
};

/// One member waits in the barrier, and the victim arrives.
class Arrive : public kit::KillTrial {
 public:
  Arrive() : partner_(tenon::spawn([this] { return wait_there(); }).or_throw()) {
    while (!*joined_ || tenon::procfs::process(partner_.pid()).or_throw().state != 'S') {
      ::sched_yield();
    }
  }
  ~Arrive() override {
    (void)partner_.signal(SIGKILL);
    (void)partner_.wait(never);
  }
  void before() override { member_.emplace(barrier().join(members_.join()).or_throw()); }
  void operation() override { member_->arrive_and_wait(never).or_throw(); }
  void survive() override {
    tell_until([this] { return *ended_ != waiting; }, partner_.pid());
    must(*ended_ != broken, "the partner was neither let through nor told");
  }
  std::uint64_t state() override { return kit::hash_of(memory_.bytes()); }

 protected:
  enum Ending { waiting, through, told, broken };
  tenon::Barrier& barrier() { return *std::launder(reinterpret_cast<tenon::Barrier*>(memory_.data())); }
  int wait_there() {
    kit::wants_steady_random = 3;  // its token is read by those who are stepped through
    const Holder own = members_.join();
    new (memory_.data()) tenon::Barrier(2, own);
    BarrierMember member = barrier().join(own).or_throw();
    look_again_when_told();
    *joined_ = true;
    const auto waited = member.arrive_and_wait(never);
    *ended_ = waited ? through : waited.failed_with(Errc::peer_died) ? told : broken;
    while (true) {
      ::pause();
    }
  }

  Members members_;
  tenon::Mapping memory_ = tenon::Mapping::shared_with_children(sizeof(tenon::Barrier)).or_throw();
  kit::Shared<std::atomic<bool>> joined_;
  kit::Shared<std::atomic<int>> ended_;
  std::optional<BarrierMember> member_;
  tenon::Child partner_;
};

/// One member waits in the barrier, and the victim, for whom it waits, leaves.
class Leave : public Arrive {
 public:
  void operation() override { std::move(*member_).leave().or_throw(); }
};

/// One member waits in the barrier, and the victim takes the other place; who comes next may have to take it from it.
class Join : public Arrive {
 public:
  void before() override { holder_.emplace(members_.join()); }
  void operation() override { member_.emplace(barrier().join(*holder_).or_throw()); }
  void survive() override {
    const Holder own = members_.join();
    std::optional<BarrierMember> member;
    auto arrive = [&] {
      if (!member) {
        if (auto joined = barrier().join(own)) {
          member.emplace(std::move(*joined));
        }
      }
      if (member) {
        (void)member->arrive_and_wait(tenon::after(std::chrono::milliseconds(1)));
      }
    };
    tell_until([&] { return *ended_ != waiting || (arrive(), false); }, partner_.pid());
    must(*ended_ != broken, "the partner was neither let through nor told");
  }

 private:
  std::optional<Holder> holder_;
};

/// Of a barrier's two members one is dead, and the victim takes its place. Whoever goes on gets a place as well, and a
/// phase was broken off by then, so that the member who lives is told.
class TakeOut : public kit::KillTrial {
 public:
  TakeOut() : living_(tenon::spawn([this] { return stand_in(3); }).or_throw()) {
    until_joined(1);
    tenon::Child dead = tenon::spawn([this] { return stand_in(4); }).or_throw();
    until_joined(2);
    (void)dead.signal(SIGKILL);
    (void)dead.wait(never);
  }
  ~TakeOut() override {
    (void)living_.signal(SIGKILL);
    (void)living_.wait(never);
  }
  void before() override { holder_.emplace(members_.join()); }
  void operation() override { member_.emplace(barrier().join(*holder_).or_throw()); }
  void survive() override {
    const Holder own = members_.join();
    const BarrierMember member = barrier().join(own).or_throw();
    std::uint64_t phase = 0;
    std::memcpy(&phase, memory_.data(), sizeof phase);
    must(phase >> 48 != 0, "the dead one was taken out, and the living one will not be told");
  }
  std::uint64_t state() override { return kit::hash_of(memory_.bytes()); }

 private:
  tenon::Barrier& barrier() { return *std::launder(reinterpret_cast<tenon::Barrier*>(memory_.data())); }
  void until_joined(int members) const {
    while (*joined_ != members) {
      ::sched_yield();
    }
  }
  int stand_in(unsigned steady) {
    kit::wants_steady_random = steady;  // its token is read by those who are stepped through
    const Holder own = members_.join();
    if (*joined_ == 0) {
      new (memory_.data()) tenon::Barrier(2, own);
    }
    const BarrierMember member = barrier().join(own).or_throw();
    ++*joined_;
    while (true) {
      ::pause();
    }
  }

  Members members_;
  tenon::Mapping memory_ = tenon::Mapping::shared_with_children(sizeof(tenon::Barrier)).or_throw();
  kit::Shared<std::atomic<int>> joined_;
  std::optional<Holder> holder_;
  std::optional<BarrierMember> member_;
  tenon::Child living_;
};

}  // namespace

kit::KillCase sync_semaphore_acquire() { return case_of<Acquire>("sync: semaphore, acquire"); }
kit::KillCase sync_semaphore_release() { return case_of<Release>("sync: semaphore, release"); }
kit::KillCase sync_barrier_arrive() { return case_of<Arrive>("sync: barrier, arrive"); }
kit::KillCase sync_barrier_leave() { return case_of<Leave>("sync: barrier, leave"); }
kit::KillCase sync_barrier_join() { return case_of<Join>("sync: barrier, join"); }
kit::KillCase sync_barrier_take_out() { return case_of<TakeOut>("sync: barrier, take out"); }

}  // namespace kill_cases

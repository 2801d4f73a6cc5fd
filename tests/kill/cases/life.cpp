// A process is killed while it joins a domain, leaves it or sweeps it; another goes on in its place. A bystander, who
// has done nothing, must be alive to everybody throughout. Two controls: a joiner that publishes its file before it has
// locked it, and a survivor that sweeps published names alone.
#include "../cases.hpp"
#include "../must.hpp"

#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <kit/steady.hpp>
#include <kit/unique.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/life.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kill_cases {

namespace {

using tenon::Domain;
using tenon::Life;
using tenon::LifeName;
using tenon::LifeStage;
using tenon::Standing;
using tenon::Token;

/// Tokens that processes tell each other: what is said here was published before.
struct Known {
  std::atomic<std::uint64_t> bystander = 0;
  std::atomic<std::uint64_t> victim = 0;
};

// The same in each trial: what is hashed or formatted takes the same path then.
const std::string& scene_path() {
  static const std::string path = "/dev/shm/" + kit::unique_name("tenon-kill");
  return path;
}

/// A directory that the destructor takes away with whatever is in it; what that was is told by leaked().
class Scene {
 public:
  Scene() : domain_(Domain::open(scene_path()).or_throw()) {}
  ~Scene() {
    std::error_code dropped;
    std::filesystem::remove_all(path(), dropped);
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  const Domain& domain() const noexcept { return domain_; }
  const std::string& path() const noexcept { return domain_.path(); }

 private:
  Domain domain_;
};

class LifeTrial : public kit::KillTrial {
 public:
  LifeTrial() : bystander_(tenon::spawn([this] { return stand_by(); }).or_throw()) {
    while (known_->bystander == 0) {
      ::sched_yield();
    }
  }
  ~LifeTrial() override {
    (void)bystander_.signal(SIGKILL);
    (void)bystander_.wait(tenon::never);
  }

  // It sweeps, and joins and leaves: what the next one does who comes to this domain.
  void survive() override {
    must(standing(known_->bystander) == Standing::alive, "the bystander is said to be dead");
    must(known_->victim == 0 || standing(known_->victim) != Standing::alive, "the dead one is said to be alive");
    (void)tenon::sweep(domain()).or_throw();
    Life life = Life::join(domain()).or_throw();
    must(standing(life.token().value()) == Standing::alive, "the survivor is not alive to itself");
    std::move(life).leave().or_throw();
  }
  std::vector<std::string> leaked() override {
    std::vector<std::string> left = kit::names_in(scene_.path());
    std::erase_if(left, [&](const std::string& text) {
      const auto name = LifeName::parse(text);
      return name && name->stage == LifeStage::member && name->who.token.value() == known_->bystander;
    });
    return left;
  }
  std::vector<std::string> broken() override {
    const bool alive = standing(known_->bystander) == Standing::alive;
    return alive ? std::vector<std::string>() : std::vector<std::string>{"the bystander's file is gone"};
  }
  std::uint64_t state() override { return kit::hash_of_tree(scene_.path()); }
  bool changes_without_calls() const override { return false; }
  bool wants_steady_clock() const override { return true; }

 protected:
  const Domain& domain() const noexcept { return scene_.domain(); }
  Standing standing(std::uint64_t token) const { return standing_of(domain(), Token::from(token)).or_throw(); }
  void tell(const Life& life) { known_->victim = life.token().value(); }

 private:
  int stand_by() {
    kit::wants_steady_random = 3;  // its file's name is read by those who are stepped through
    const Life life = Life::join(domain()).or_throw();
    known_->bystander = life.token().value();
    while (true) {
      ::pause();
    }
  }

  Scene scene_;
  kit::Shared<Known> known_;
  tenon::Child bystander_;
};

class Join : public LifeTrial {
 public:
  void operation() override {
    life_ = std::make_unique<Life>(Life::join(domain()).or_throw());
    tell(*life_);
  }
  // While it stands still between two calls, somebody else cleans.
  void rival() override { (void)tenon::sweep(domain()).or_throw(); }

 protected:
  std::unique_ptr<Life> life_;
};

class Leave : public Join {
 public:
  void before() override { Join::operation(); }
  void operation() override { std::move(*life_).leave().or_throw(); }
};

/// Two files that nobody holds any more are there to be swept.
class Sweep : public LifeTrial {
 public:
  void before() override {
    for (const LifeStage stage : {LifeStage::member, LifeStage::joining}) {
      LifeName name{.stage = stage, .who = tenon::Member::self()};
      name.who.pid = ::getppid();
      std::ofstream(domain().path() + "/" + name.text()) << "left behind";
    }
  }
  void operation() override { (void)tenon::sweep(domain()).or_throw(); }
};

/// Its name is there before its lock is: whoever looks in between takes a living process for a dead one.
class HastyJoin : public LifeTrial {
 public:
  void operation() override {
    const LifeName name{.stage = LifeStage::member, .who = tenon::Member::self()};
    auto file = tenon::create_file(domain().directory(), name.text().c_str(), tenon::owner_only).or_throw();
    struct flock lock{};
    lock.l_type = F_WRLCK;
    ::fcntl(file.raw(), F_SETLK, &lock);
    struct stat status{};
    must(::fstat(file.raw(), &status) == 0 && status.st_nlink > 0, "a living process was swept up");
  }
  void rival() override { (void)tenon::sweep(domain()).or_throw(); }
};

/// Takes the dead by their names, and does not know those that never got one. Nor does it join, which would sweep.
class ForgetfulSweep : public Join {
 public:
  void survive() override {
    for (const LifeName& name : LifeName::all_in(domain().directory()).or_throw()) {
      if (name.stage == LifeStage::member && standing(name.who.token.value()) != Standing::alive) {
        ::unlinkat(domain().directory().raw(), name.text().c_str(), 0);
      }
    }
  }
};

}  // namespace

kit::KillCase life_join() { return case_of<Join>("life: join"); }
kit::KillCase life_leave() { return case_of<Leave>("life: leave"); }
kit::KillCase life_sweep() { return case_of<Sweep>("life: sweep"); }
kit::KillCase life_published_unlocked() { return case_of<HastyJoin>("life: published, then locked", true); }
kit::KillCase life_half_swept() { return case_of<ForgetfulSweep>("life: unfinished files not swept", true); }

}  // namespace kill_cases

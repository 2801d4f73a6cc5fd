#include <kit/kill_run.hpp>
#include <tenon/os/clock.hpp>

#include <csignal>
#include <random>
#include <sched.h>
#include <unistd.h>
#include <vector>

namespace kit {

namespace {

constexpr std::size_t kills_between_looks = 256;
constexpr unsigned operations_between_yields = 64;
// With the kills out, a process ends by itself after so many.
constexpr unsigned operations_in_peace = 64;

class Crew {
 public:
  Crew(KillRun& run, KillTrial& trial) : run_(run), trial_(trial) {
    for (std::size_t i = 0; i < run.options().processes; ++i) {
      crew_.push_back(start());
    }
  }

  void replace(std::size_t i) {
    bury(crew_[i]);
    crew_[i] = start();
  }

  void kill_all() {
    for (const tenon::Child& child : crew_) {
      strike(child);  // all at once, before the first is waited for
    }
    for (tenon::Child& child : crew_) {
      bury(child);
    }
    crew_.clear();
  }

 private:
  tenon::Child start() {
    return tenon::spawn([this] {
             // Else busy operations would keep the harness from its kills.
             (void)!::nice(19);
             trial_.before();
             for (unsigned done = 1; run_.options().kills || done <= operations_in_peace; ++done) {
               trial_.operation();
               if (done % operations_between_yields == 0) {
                 ::sched_yield();  // who was killed needs a processor to die, and would wait long for one
               }
             }
             return 0;
           })
        .or_throw();
  }

  void strike(const tenon::Child& child) const {
    if (run_.options().kills) {
      (void)child.signal(SIGKILL);
    }
  }

  void bury(tenon::Child& child) {
    strike(child);
    const auto ended = child.wait(run_.options().kills ? tenon::never : tenon::after(patient(default_limit)));
    if (!ended) {
      (void)child.signal(SIGKILL);
      (void)child.wait(tenon::never);
      run_.add_hang("an operation among many that nobody killed hangs");
    } else if (run_.options().kills && ended->signal() == SIGKILL) {
      ++run_.report.killed;
      ++run_.report.struck;
    } else if (!ended->success()) {
      run_.add_broken("an operation among many " + ended->message());
    }
  }

  KillRun& run_;
  KillTrial& trial_;
  std::vector<tenon::Child> crew_;
};

}  // namespace

KillReport soak(const KillCase& which, const KillOptions& options) {
  KillRun run(which, "soak", options);
  std::mt19937_64 random(options.seed);
  std::uniform_int_distribution<std::size_t> anybody(0, options.processes - 1);
  std::uniform_int_distribution<int> microseconds(0, 1000);
  const auto world = run.trial();
  run.report.points = run.report.wanted = options.samples;
  while (run.report.tried < options.samples && !run.out_of_time()) {
    Crew crew(run, *world);
    const std::size_t look_at = std::min(run.report.tried + kills_between_looks, options.samples);
    for (; run.report.tried < look_at; ++run.report.tried) {
      (void)tenon::sleep_until(tenon::after(std::chrono::microseconds(microseconds(random))));
      crew.replace(anybody(random));
    }
    crew.kill_all();
    if (!run.judge(*world, "after " + std::to_string(run.report.killed) + " kills")) {
      run.add_hang("after " + std::to_string(run.report.killed) + " kills: the survivor hangs");
    }
  }
  return run.finish();
}

}  // namespace kit

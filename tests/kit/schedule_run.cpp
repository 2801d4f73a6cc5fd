#include <kit/schedule_run.hpp>

#include <kit/schedule.hpp>

namespace kit {

namespace {

thread_local ScheduleRun* own_run = nullptr;

// Words are made by the thread that sets a run up, and by the thread whose turn it is: never by two at once. Numbers
// must be small, since views are indexed by them; explore() starts again at 0 for each run.
std::size_t words_made = 0;

}  // namespace

ScheduleRun* ScheduleRun::current() noexcept { return own_run; }
std::size_t ScheduleRun::next_word() noexcept { return words_made++; }

ScheduleRun::ScheduleRun(Choices& choices, std::size_t most_steps) : choices_(choices), steps_left_(most_steps) {}

void ScheduleRun::run(const std::vector<std::function<void()>>& bodies) {
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    workers_.push_back(std::make_unique<Worker>());
    workers_[i]->knowledge.clock = next_word();
  }
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    workers_[i]->thread = std::thread([this, i, &bodies] { work(i, bodies[i]); });
  }
  turn_ = choices_.choose(bodies.size(), Choices::Kind::free);
  workers_[turn_]->go.release();
  all_ended_.acquire();
  for (const auto& worker : workers_) {
    worker->thread.join();
  }
  words_made = 0;
}

void ScheduleRun::work(std::size_t index, const std::function<void()>& body) {
  own_run = this;
  workers_[index]->go.acquire();
  try {
    body();
  } catch (const Abandoned&) {
    // the run is over, and this thread was told
  } catch (const std::exception& error) {
    fail(error.what());
  }
  workers_[index]->ended = true;
  const auto left = others();
  if (left.empty()) {
    all_ended_.release();
  } else {
    turn_ = left[over_ ? 0 : choices_.choose(left.size(), Choices::Kind::free)];
    workers_[turn_]->go.release();
  }
}

// Those that have not ended, in the order of their turns after this one's.
std::vector<std::size_t> ScheduleRun::others() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    const std::size_t other = (turn_ + i) % workers_.size();
    if (!workers_[other]->ended) {
      found.push_back(other);
    }
  }
  return found;
}

void ScheduleRun::give_turn(std::size_t to) {
  const std::size_t self = turn_;
  turn_ = to;
  workers_[to]->go.release();
  workers_[self]->go.acquire();
}

void ScheduleRun::before_access() {
  if (over_) {
    return;
  }
  const auto waiting = others();
  const std::size_t taken = choices_.choose(waiting.size() + 1, Choices::Kind::preemption);
  if (taken != 0) {
    give_turn(waiting[taken - 1]);
  }
}

void ScheduleRun::yield() {
  if (!over_ && --steps_left_ == 0) {
    fail("it does not come to an end");
  }
  if (over_) {
    throw Abandoned();
  }
  const auto waiting = others();
  if (!waiting.empty()) {
    give_turn(waiting[choices_.choose(waiting.size(), Choices::Kind::preemption)]);
  }
  if (over_) {
    throw Abandoned();
  }
}

void ScheduleRun::fail(const std::string& sentence) {
  if (!over_) {
    failure_ = sentence;
    over_ = true;
  }
}

}  // namespace kit

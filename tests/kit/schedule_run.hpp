#pragma once
/// One run of a scheduled program: whose turn it is.
#include <kit/schedule_choices.hpp>
#include <kit/schedule_memory.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace kit {

class ScheduleRun {
 public:
  ScheduleRun(Choices& choices, std::size_t most_steps);

  /// The run whose thread calls this; nullptr outside of scheduled threads.
  static ScheduleRun* current() noexcept;
  /// A number for a new word or a thread's clock.
  static std::size_t next_word() noexcept;

  /// Runs the bodies to their end, one at a time.
  void run(const std::vector<std::function<void()>>& bodies);

  // For the thread whose turn it is.
  void before_access();
  void yield();
  Knowledge& knowledge() noexcept { return workers_[turn_]->knowledge; }
  std::size_t choose_stale(std::size_t options) { return over_ ? 0 : choices_.choose(options, Choices::Kind::stale); }

  View& sequential() noexcept { return sequential_; }
  /// Notes the first failure; from then on the threads run one after the other to their end.
  void fail(const std::string& sentence);
  const std::string& failure() const noexcept { return failure_; }

 private:
  struct Worker {
    std::binary_semaphore go{0};
    std::thread thread;
    Knowledge knowledge;
    bool ended = false;
  };

  void work(std::size_t index, const std::function<void()>& body);
  std::vector<std::size_t> others() const;
  void give_turn(std::size_t to);

  Choices& choices_;
  std::size_t steps_left_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::binary_semaphore all_ended_{0};
  std::size_t turn_ = 0;
  View sequential_;  // what all sequentially consistent operations have agreed upon
  std::string failure_;
  bool over_ = false;
};

}  // namespace kit

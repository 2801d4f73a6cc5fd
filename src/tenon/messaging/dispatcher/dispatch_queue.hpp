#pragma once
/// What a Dispatcher is made of, without the types of its ports: an epoll instance, and a function for each descriptor.
///
/// Threads: one at a time.
#include <tenon/base/deadline.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/fork_count.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tenon {

class DispatchQueue;

/// What came of a turn.
enum class Turn : std::uint8_t {
  nothing,  ///< until the descriptor says so, there is nothing more
  more,     ///< there may be more at once
  failed,   ///< what is there cannot be had now
};

/// A descriptor is watched for as long as this lives.
class Watch {
 public:
  Watch(Watch&& other) noexcept : queue_(std::exchange(other.queue_, {})), number_(other.number_) {}
  Watch& operator=(Watch&& other) noexcept {
    Watch taken(std::move(other));
    std::swap(queue_, taken.queue_);
    std::swap(number_, taken.number_);
    return *this;
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

 private:
  friend class DispatchQueue;
  Watch(std::weak_ptr<DispatchQueue> queue, std::uint64_t number) noexcept
      : queue_(std::move(queue)), number_(number) {}

  std::weak_ptr<DispatchQueue> queue_;
  std::uint64_t number_;
};

class DispatchQueue : public std::enable_shared_from_this<DispatchQueue> {
 public:
  using Function = std::function<Turn()>;

  /// Failures: limit_reached.
  static Result<std::shared_ptr<DispatchQueue>> create();

  /// Calls it, the first time without being asked. Failures: limit_reached, already_exists (it is watched already).
  Result<Watch> watch(FdView fd, Function function);

  /// Outcomes: timed_out, stopped. Failures: in_child.
  Result<void> run(Deadline deadline);
  Result<void> run_once(Deadline deadline);
  void finish() noexcept { is_finished_ = true; }

  /// Whether who has got something at once may ask for more before the others have had their turn.
  bool may_go_on() noexcept { return ++served_at_once_ <= most_in_a_turn; }

 private:
  friend class Watch;
  struct Watched {
    int fd;
    Function function;
    bool is_due = false;
  };

  static constexpr int most_in_a_turn = 64;

  explicit DispatchQueue(Fd events) noexcept : events_(std::move(events)), fork_(ForkCount::begin()) {}
  // A child shares the kernel's list of what is watched, which is its parent's.
  bool is_of_this_process() const noexcept { return ForkCount::now() == fork_; }
  Result<void> take_turns(Deadline deadline);
  void forget(std::uint64_t number) noexcept;
  void make_due(std::uint64_t number);
  Result<void> await(Deadline deadline);
  Result<void> collect();
  void serve();
  void serve(const std::shared_ptr<Watched>& watched, std::uint64_t number);

  Fd events_;
  std::uint32_t fork_;
  int served_at_once_ = 0;
  std::uint64_t last_number_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<Watched>> watched_ = {};
  std::deque<std::uint64_t> due_ = {};
  std::vector<std::uint64_t> failed_ = {};
  Deadline retry_ = never;  ///< when those are asked again
  bool is_finished_ = false;
};

}  // namespace tenon

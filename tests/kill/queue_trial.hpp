#pragma once
/// A queue under the kill harness. Whoever comes next finds each message that was there and was not delivered, once,
/// whole and at its place; and room for as many as the queue was made for.
#include "must.hpp"

#include <kit/kill_case.hpp>
#include <kit/numbers.hpp>
#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <kit/unique.hpp>
#include <tenon/messaging/queue/queue.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace kill_cases {

/// In a slot.
using ShortJob = kit::Numbers<3>;
/// In the arena.
using LongJob = tenon::Slice<std::uint64_t>;

/// The victim sends 4, its rival 5; survivors send from here on.
inline constexpr std::uint64_t survivors_jobs = 100;

/// What is sent as the N-th, and whether it came whole.
template <class M>
struct Jobs {
  static M of(std::uint64_t number) { return kit::numbered<M>(number); }
  static std::uint64_t number(const M& job) { return job.number; }
  static bool is_whole(const M& job) { return kit::is_whole(job); }
};
template <>
struct Jobs<LongJob> {
  using Words = std::vector<std::uint64_t>;
  static constexpr std::size_t words = 20;
  static Words of(std::uint64_t number, std::size_t count = words) {
    Words job(count, number * 3);
    job.front() = number;
    return job;
  }
  static std::uint64_t number(std::span<const std::uint64_t> job) { return job.empty() ? 0 : job.front(); }
  static bool is_whole(std::span<const std::uint64_t> job) {
    return (job.size() >= words ||
            (job.size() == 1 && job.front() >= survivors_jobs)) &&  // a survivor's are short as well
           std::ranges::all_of(job.subspan(1), [&](std::uint64_t word) { return word == job.front() * 3; });
  }
};

inline constexpr tenon::Priority urgent{5};
/// Of the messages 1, 2 and 3, which are there before the operation, 2 is urgent.
inline constexpr std::uint64_t jobs_before = 3;
inline constexpr std::size_t most_jobs = 200;

template <class M>
class QueueTrial : public kit::KillTrial {
 public:
  using Queue = tenon::Queue<M>;

  explicit QueueTrial(std::uint32_t messages = 6) : options_{.messages = messages, .bytes = 1024, .members = 2} {
    enter();
    queue_.emplace(Queue::create(holder(), "q", options_).or_throw());
    for (std::uint64_t i = 1; i <= jobs_before; ++i) {
      queue_->try_send(Jobs<M>::of(i), i == 2 ? urgent : tenon::lowest_priority).or_throw();
    }
    leave();
  }
  ~QueueTrial() override {
    std::error_code dropped;
    std::filesystem::remove_all(scene_path(), dropped);
  }
  void before() override { join(); }
  void survive() override {
    ++ledger_->survivors;
    join();
    // There are two places: whoever finds none looks who has died.
    std::optional<Queue> other(Queue::open(holder(), "q").or_throw());
    receive_all();
    must(missing() < ledger_->survivors, "a message is lost");
    fill_up();
    other.reset();
    leave();
    static_cast<void>(tenon::sweep(domain_).or_throw());
  }
  void rival() override {
    job_ = 5;
    operation();
    leave();
  }
  bool rival_may_wait() const override { return true; }
  bool wants_steady_clock() const override { return true; }
  std::vector<std::string> leaked() override {
    auto names = kit::names_in(scene_path());
    std::erase(names, "queue.q");
    return names;
  }
  std::uint64_t state() override { return kit::hash_of_tree(scene_path()); }

 protected:
  /// Whether the operation may have it, so that it need not come.
  virtual bool may_be_gone(std::uint64_t) const { return false; }
  /// Whether the operation sends it.
  virtual bool may_be_new(std::uint64_t) const { return false; }

  Queue& queue() { return *queue_; }
  const tenon::Holder& holder() const { return *holder_; }
  const tenon::Domain& domain() const { return domain_; }
  std::uint64_t job() const { return job_; }
  void enter() {
    life_.emplace(tenon::Life::join(domain_).or_throw());
    holder_.emplace(tenon::Holder::of(domain_, *life_).or_throw());
  }
  void join() {
    enter();
    queue_.emplace(Queue::open(holder(), "q").or_throw());
  }
  void leave() {
    queue_.reset();
    std::move(*life_).leave().or_throw();
    life_.reset();
  }
  void close_queue() { queue_.reset(); }
  void open_queue() { queue_.emplace(Queue::open(holder(), "q").or_throw()); }
  /// Somebody has it for good.
  template <class Value>
  void has_come(const Value& value) {
    must(Jobs<M>::is_whole(value), "a message is torn");
    const std::uint64_t number = Jobs<M>::number(value);
    must(number < most_jobs, "a message came from nowhere");
    if (number < survivors_jobs) {
      must(number <= jobs_before || may_be_new(number), "a message came from nowhere");
      must(ledger_->seen.at(number).exchange(1) == 0, "a message came twice");
    }
  }
  bool was_seen(std::uint64_t number) const { return ledger_->seen.at(number) != 0; }
  /// A member that does this in the queue, and is killed.
  template <class Body>
  void let_die(Body body) {
    auto child = tenon::spawn([&] {
                   join();
                   body();
                   return ::raise(SIGKILL);
                 }).or_throw();
    must(child.wait(tenon::never).or_throw() == tenon::ExitStatus::killed(SIGKILL), "who is to die lives");
  }

 private:
  struct Ledger {
    std::array<std::atomic<std::uint32_t>, most_jobs> seen = {};
    std::atomic<std::uint32_t> survivors = 0;
  };

  void receive_all() {
    std::optional<tenon::MessageStamp> last;
    for (auto got = queue_->try_receive(); !got.failed_with(tenon::Errc::would_block); got = queue_->try_receive()) {
      must(got.has_value(), "a message cannot be received");
      has_come(got->value);
      must(!last || last->priority > got->priority || (last->priority == got->priority && last->number < got->number),
           "a message is not at its place");
      // By who was killed, by a rival of its, and by survivors.
      must(got->deliveries >= 1 && got->deliveries <= 2 + ledger_->survivors, "a message was taken by nobody");
      last = *got;
    }
  }
  // Each survivor that was killed itself may have had one.
  std::uint32_t missing() const {
    std::uint32_t count = 0;
    for (std::uint64_t i = 1; i <= jobs_before; ++i) {
      count += was_seen(i) || may_be_gone(i) ? 0 : 1;
    }
    return count;
  }
  void fill_up() {
    for (std::uint32_t i = 0; i < options_.messages; ++i) {
      must(queue_->try_send(small_job(survivors_jobs + i)).has_value(), "a slot is lost");
    }
    must(queue_->try_send(small_job(survivors_jobs)).failed_with(tenon::Errc::would_block), "a slot is there twice");
    for (std::uint32_t i = 0; i < options_.messages; ++i) {
      must(queue_->try_receive().or_throw().deliveries == 1, "a message was taken before");
    }
    if constexpr (tenon::SlicedMessage<M>) {
      const auto all = Jobs<M>::of(survivors_jobs, options_.bytes / sizeof(std::uint64_t));
      must(queue_->try_send(all).has_value(), "room is lost");
      must(queue_->try_send(Jobs<M>::of(survivors_jobs)).failed_with(tenon::Errc::would_block), "room is there twice");
      has_come(queue_->try_receive().or_throw().value);
      must(queue_->fill().free_bytes == options_.bytes, "room is miscounted");
    }
  }
  // One that stands in its slot.
  static auto small_job(std::uint64_t number) {
    if constexpr (tenon::SlicedMessage<M>) {
      return std::vector<std::uint64_t>{number};
    } else {
      return Jobs<M>::of(number);
    }
  }
  // The same in each trial: what is hashed or formatted takes the same path then.
  static const std::string& scene_path() {
    static const std::string path = "/dev/shm/" + kit::unique_name("tenon-kill");
    return path;
  }

  tenon::QueueOptions options_;
  tenon::Domain domain_ = tenon::Domain::open(scene_path()).or_throw();
  kit::Shared<Ledger> ledger_;
  std::uint64_t job_ = 4;
  std::optional<tenon::Life> life_;
  std::optional<tenon::Holder> holder_;
  std::optional<Queue> queue_;
};

}  // namespace kill_cases

#pragma once
/// A topic under the kill harness: a bystander is at its other end, and goes on once the victim is dead. Whoever comes
/// next has a topic that works, and nothing is left.
#include "must.hpp"

#include <kit/kill_case.hpp>
#include <kit/numbers.hpp>
#include <kit/shared.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/process.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kill_cases {

/// In an entry.
using Short = kit::Numbers<3>;
/// In a chunk.
using Long = kit::Numbers<20>;

template <class T>
void must_be(const T& message, std::uint64_t number) {
  must(message.number == number, "a message is another than was sent");
  must(kit::is_whole(message), "a message is torn");
}

/// Receives 1, 2, 3, … whole, and is told of their publisher's death; returns how many came.
template <class T>
std::uint64_t received_until_death(tenon::Subscriber<T>& subscriber) {
  std::uint64_t received = 0;
  auto sample = subscriber.receive(tenon::never);
  for (; sample; sample = subscriber.receive(tenon::never)) {
    must_be(**sample, ++received);
  }
  must(sample.failed_with(tenon::Errc::peer_died), "a publisher's death was not told");
  return received;
}

/// How many messages are published before the operation.
inline constexpr std::uint64_t before_the_kill = 3;
/// Without timestamps, whose clock is no steady one.
inline constexpr tenon::PublisherOptions small{
    .depth = 4, .longest = 20, .max_loans = 1, .held = 4, .timestamps = tenon::Timestamps::none};

class TopicTrial : public kit::KillTrial {
 public:
  ~TopicTrial() override;
  void before() override;
  void survive() override;
  std::vector<std::string> leaked() override;
  std::uint64_t state() override;
  bool wants_steady_clock() const override { return true; }

 protected:
  /// Starts the bystander, whose `body` says ready, waits for go, and throws if anything is not as it must be.
  void start_bystander(std::function<void()> body);
  void ready_and_wait();
  /// The two halves of that.
  void say_ready();
  void wait_until_killed();
  /// In the bystander, behind say_ready(): as once_joined().
  void answer_once_joined(const std::function<void()>& body);
  /// In the bystander, which is ready: once the victim has joined, does what that then finds.
  void once_joined(const std::function<void()>& body);
  /// In the victim, when it has joined: waits until the bystander has done so.
  void say_joined();
  const tenon::Holder& holder() const { return *holder_; }

 private:
  /// What the processes of a trial tell each other.
  struct Board {
    std::atomic<std::uint32_t> ready = 0;
    std::atomic<std::uint32_t> joined = 0;
    std::atomic<std::uint32_t> answered = 0;
    std::atomic<std::uint32_t> go = 0;
    std::atomic<std::uint32_t> done = 0;  ///< 1: all was as it must be
    std::array<char, 120> wrong = {};
  };
  void join();
  int stand_by(const std::function<void()>& body);

  tenon::Domain domain_ = tenon::Domain::open(scene_path()).or_throw();
  kit::Shared<Board> board_;
  std::optional<tenon::Child> bystander_;
  std::optional<tenon::Life> life_;
  std::optional<tenon::Holder> holder_;

  static const std::string& scene_path();
};

}  // namespace kill_cases

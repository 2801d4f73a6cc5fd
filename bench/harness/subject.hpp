#pragma once
/// What can be measured: some processes that do the same number of operations together.
///
///     Subject pings{.name = "one cache line",
///                   .shared_bytes = 64,
///                   .sides = {{"there", [](MutableBytes shared) { return Loop([=](Round& round) { … }); }},
///                             {"back", …}}};
///
/// A subject is a description and may be started many times. Each start zeroes and pre-faults the shared memory, calls
/// `prepare` in the parent, forks one process per side, pins it, and lets it make its loop. A loop is then called for
/// block after block and keeps what it needs in between: positions go on where the last block left them.
#include <tenon/base/bytes.hpp>
#include <harness/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace harness {

/// One call of a loop: how often to do it, and where to note how long each took.
class Round {
 public:
  explicit Round(std::uint64_t operations) : operations_(operations) {}
  Round(std::uint64_t operations, const Clock& clock, double* samples, std::size_t room)
      : operations_(operations), at_(samples), end_(samples + room), clock_(clock), last_(clock.ticks()) {}

  /// All sides are asked for the same number. At the end nothing may be under way between them.
  std::uint64_t operations() const noexcept { return operations_; }

  /// To be called by the side that is timed after each operation: notes the time since the last call when this round
  /// is sampled. Costs a comparison when it is not.
  void mark() noexcept {
    if (at_ != end_) [[unlikely]] {
      const std::uint64_t now = clock_.ticks();
      *at_++ = clock_.nanoseconds(now - last_) - (left_out_ - left_out_before_);
      last_ = now;
      left_out_before_ = left_out_;
    }
  }
  /// Time of this operation that is no part of its figure, in nanoseconds: told by the side that is timed, before it
  /// marks. For waits that bring about what is to be measured, such as a peer's falling asleep.
  void leave_out(double nanoseconds) noexcept { left_out_ += nanoseconds; }
  double left_out() const noexcept { return left_out_; }

  /// Where the next sample would go.
  const double* sampled_up_to() const noexcept { return at_; }

 private:
  std::uint64_t operations_;
  double* at_ = nullptr;
  double* end_ = nullptr;
  Clock clock_;
  std::uint64_t last_ = 0;
  double left_out_ = 0;
  double left_out_before_ = 0;
};

/// Throws what ends the whole run with its text, a payload that differs above all.
using Loop = std::function<void(Round&)>;

struct Side {
  std::string name;
  std::function<Loop(tenon::MutableBytes shared)> start;
};

struct Subject {
  std::string name;
  std::size_t shared_bytes = 0;
  std::vector<Side> sides;
  /// A block lasts from the start of the first side to the end of this one: the side that began for a round trip, the
  /// receiver for one way, which ends when it has read the last byte.
  std::size_t timed_side = 0;
  /// After so many operations all of its memory has been used once. Two laps go before the first block, since the first
  /// touch of a line is another figure than all later ones, and a block is a lap or more where that is not too long.
  std::uint64_t lap = 1;
  /// Called in the parent before the sides are forked; may open descriptors for them to inherit.
  std::function<void(tenon::MutableBytes shared)> prepare = {};
  /// Called in the parent when they have ended: takes back what prepare has opened.
  std::function<void()> finish = {};
};

}  // namespace harness

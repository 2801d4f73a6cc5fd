#pragma once
/// The messages of several publishers in the order of their times: the oldest of those that are there goes first, once
/// every other publisher has shown a later one, or once it is so old that what is still to come before it is not
/// waited for any longer.
///
/// A publisher reads its clock and then publishes: what it is stopped in between for comes later than its time says. If
/// that is longer than the others are kept waiting, it is told as late.
///
/// Threads: one at a time.
#include <tenon/messaging/topic/message_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tenon {

/// Of messages that come from a From.
template <class From>
class TimeOrder {
 public:
  /// Keeps a message waiting for so long at most; 0: there is no order.
  explicit TimeOrder(std::chrono::nanoseconds within) noexcept : within_(within.count()) {}
  bool is_wanted() const noexcept { return within_ > 0; }

  /// Begins a look at all publishers; one of the next two for each of them, then next().
  void begin() noexcept {
    oldest_ = nullptr;
    is_silent_ = false;
    due_ = 0;
  }
  void count(From& from, std::uint64_t ticks, const ClockOrigin& origin) noexcept {
    if (oldest_ == nullptr || is_before({ticks, origin}, stamp_)) {
      oldest_ = &from;
      stamp_ = {ticks, origin};
    }
  }
  /// One that has nothing now, and may have something later.
  void count_silent() noexcept { is_silent_ = true; }
  /// Whose message goes next, or nullptr if there is none, or none yet: then due() says when.
  From* next() noexcept {
    if (oldest_ == nullptr || !is_silent_) {
      return oldest_;
    }
    const std::int64_t now = monotonic_now();
    if (!is_waiting_ || waiting_.ticks != stamp_.ticks) {
      // Nobody's clock may keep a message for longer than was asked, whatever it says.
      const std::int64_t time = std::min(time_of_message(stamp_.ticks, stamp_.origin), now);
      waiting_ = stamp_;
      is_waiting_ = true;
      waits_until_ = time > INT64_MAX - within_ ? INT64_MAX : time + within_;
    }
    if (now >= waits_until_) {
      return oldest_;
    }
    due_ = waits_until_;
    return nullptr;
  }
  /// CLOCK_MONOTONIC, when the oldest message goes even if somebody stays silent; 0: it need not wait.
  std::int64_t due() const noexcept { return due_; }

  /// What goes now has this time, if another than was counted.
  void stamp(std::uint64_t ticks, const ClockOrigin& origin) noexcept { stamp_ = {ticks, origin}; }
  /// The message that next() said goes now. Whether it is late: a later one went before it.
  void pass() noexcept {
    is_waiting_ = false;
    if (has_passed_ && is_before(stamp_, newest_)) {
      ++late_;
    } else {
      newest_ = stamp_;
      has_passed_ = true;
    }
  }
  std::uint64_t late() const noexcept { return late_; }

 private:
  struct Stamp {
    std::uint64_t ticks = 0;
    ClockOrigin origin = {};
  };
  // Counters are one for the whole machine, so that those of one kind need not be turned into times.
  static bool is_before(const Stamp& one, const Stamp& other) noexcept {
    if (one.origin.kind == other.origin.kind) {
      return static_cast<std::int64_t>(one.ticks - other.ticks) < 0;
    }
    return time_of_message(one.ticks, one.origin) < time_of_message(other.ticks, other.origin);
  }

  std::int64_t within_;
  From* oldest_ = nullptr;
  Stamp stamp_ = {};    ///< of the oldest
  Stamp newest_ = {};   ///< of all that went
  Stamp waiting_ = {};  ///< of the one that waits for who is silent
  std::int64_t waits_until_ = 0;
  bool is_waiting_ = false;
  bool is_silent_ = false;
  bool has_passed_ = false;
  std::int64_t due_ = 0;
  std::uint64_t late_ = 0;
};

}  // namespace tenon

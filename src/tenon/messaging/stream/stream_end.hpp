#pragma once
/// What the two ends of a stream have in common: each has its own file and the other's, rings and is rung, looks
/// whether the other lives, and leaves.
///
/// 4. Edges: those of stream_ring.hpp (S1, S2), stream_bell.hpp (B1, B2, B3, B4) and stream_meeting.hpp (M1, M2, M3).
///
/// Threads: one at a time. After fork() the child's copy answers in_child, and its destructor leaves all as it is.
#include <tenon/messaging/stream/stream_bell.hpp>
#include <tenon/messaging/stream/stream_meeting.hpp>
#include <tenon/messaging/topic/topic_options.hpp>
#include <tenon/messaging/topic/wake_socket.hpp>
#include <tenon/os/fork_count.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/own_processor.hpp>
#include <tenon/os/stop.hpp>

#include <optional>
#include <string>

namespace tenon {

class StreamEnd {
 public:
  StreamEnd(const StreamEnd&) = delete;
  StreamEnd& operator=(const StreamEnd&) = delete;

  bool is_of_this_process() const noexcept { return ForkCount::now() == fork_; }
  /// Of the other end's process, as it says itself.
  std::int32_t peer_pid() const noexcept { return other_.header().pid; }
  /// Made by the first call. Failures: limit_reached, no_space, permission_denied, in_child.
  Result<FdView> fd();
  /// Whether this end can still be found by the stream's name, for people and tools: the two that have met need it no
  /// more. Outcomes: not_found (the file was removed from outside). Failures: in_child.
  Result<void> confirm() const;
  /// Failures: in_child.
  Result<void> close();

 protected:
  enum class Gone : std::uint8_t { no, closed, died };

  StreamEnd(const Holder& holder, std::string_view stream, StreamMeeting::Pair pair, Waiting waiting);
  /// Leaves, and drops the error.
  ~StreamEnd();

  /// Whether the other wants nothing and has not closed, asked after the index was stored.
  [[gnu::always_inline]] bool is_left_alone() const noexcept {
    if (must_fence_) [[unlikely]] {
      ringer_.fence();
    }
    std::atomic_signal_fence(
        std::memory_order_seq_cst);  // B1: the sleeper's membarrier orders processors, not compilers
    return ringer_.wish_of() == 0;
  }
  /// The same, and rings the other if it waits for this index.
  [[gnu::always_inline]] void tell(std::uint64_t index) {
    if (!is_left_alone()) [[unlikely]] {
      answer(index);
    }
  }
  void answer(std::uint64_t index);

  /// How it stands with the other end, which is asked for its life once in each recheck_interval, or `now`. Seen before
  /// a look at its index: what that does not find was never stored.
  Gone other_is_gone(bool now = false);
  /// The same without asking for its life.
  bool is_gone_at_sight() const noexcept { return gone_ != Gone::no || ringer_.has_closed(); }
  /// Failures: in_child.
  Result<void> check_usable() const;
  /// That the other's index is none.
  Error lie() const;
  /// closed or peer_died.
  static Error end_of(Gone gone, const char* call);

  /// Sleeps until `is_there()`, which is asked after each wake and each recheck. `wished`: from which index of the
  /// other on it is to be woken. Outcomes: timed_out, stopped.
  template <class IsThere>
  Result<void> wait(IsThere is_there, std::uint64_t wished, Deadline deadline) {
    if (deadline.is_immediate()) {
      return time_is_over(deadline);
    }
    if (auto spun = spin(is_there, deadline); !spun.failed_with(Errc::would_block)) {
      return spun;
    }
    while (true) {
      const std::uint32_t told = announce(wished);
      if (is_there()) {
        wish_.withdraw();
        return {};
      }
      const auto slept = sleep(told, deadline);
      wish_.withdraw();
      other_is_gone();
      if (is_there() || !slept) {
        return is_there() ? Result<void>() : slept;
      }
    }
  }
  /// Of who polls: until it is rung again, or the clock rings.
  void silence() noexcept {
    if (wake_) {
      wake_->silence();
    }
  }
  /// Of who polls: whether there is nothing still, once the other was told to ring.
  template <class IsThere>
  bool listens_in_vain(IsThere is_there, std::uint64_t wished) {
    if (wake_) {
      silence();
      announce(wished);
      other_is_gone();
      return !is_there();
    }
    return true;
  }

  OwnStreamFile own_;
  OtherStreamFile other_;
  Gone gone_ = Gone::no;

 private:
  // Looks for as long as it chose to. Outcomes: would_block (nothing came), timed_out, stopped.
  template <class IsThere>
  Result<void> spin(IsThere is_there, Deadline deadline) {
    const std::uint64_t looks = waiting_ == Waiting::spin ? UINT64_MAX : waiting_ == Waiting::sleep ? 0 : spins_;
    for (std::uint64_t i = 1; i <= looks; ++i) {
      if (is_there()) {
        spins_ = adaptive_looks;
        return {};
      }
      pause_processor();
      if (i % looks_between_clocks == 0) {
        other_is_gone();
        if (auto over = time_is_over(deadline); !over.failed_with(Errc::would_block)) {
          return over;
        }
      }
    }
    // In vain: the next time for half as long, as where both wait for one processor; now and then for as long as ever.
    spins_ = ++vain_ % full_spin_each == 0 ? adaptive_looks : spins_ / 2;
    return fail(Errc::would_block);
  }
  static constexpr std::uint64_t looks_between_clocks = 1024;
  // Some 50 µs of looks and pauses.
  static constexpr std::uint64_t adaptive_looks = 1500;
  static constexpr std::uint32_t full_spin_each = 8;

  static Result<void> time_is_over(Deadline deadline);
  std::uint32_t announce(std::uint64_t wished) noexcept;
  Result<void> sleep(std::uint32_t told, Deadline deadline);
  void wake_other();
  Result<void> bind_wake(FdView socket) const;

  Holder holder_;
  Deaths deaths_;
  std::string stream_;
  StreamWish<> wish_;
  StreamRinger<> ringer_;
  bool must_fence_;
  Waiting waiting_;
  std::uint32_t fork_;
  std::uint64_t spins_ = adaptive_looks;
  std::uint32_t vain_ = 0;
  bool closed_ = false;
  std::int64_t asked_at_ = 0;
  std::optional<WakeSocket> wake_ = {};
  WakeRinger bell_rope_ = {};
};

}  // namespace tenon

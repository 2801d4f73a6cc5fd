#pragma once
/// Something that has happened, in shared memory: set by one, waited for by others.
///
/// 1. Roles. Any thread of any process that maps it for writing sets it, resets it, and waits.
/// 2. Layout.
///
///      0               4               8                              16
///     +---------------+---------------+------------------------------+
///     | set: bit 0    | reset: 0, 1   | bell                         |
///     | times: 1 – 31 |               |                              |
///     +---------------+---------------+------------------------------+
///
/// 3. Invariants. I1: a manual one that is set lets everybody through, until it is reset. I2: who waited when it was
///    set is let through even if it is reset at once. I3: an automatic one lets exactly one through each time it was
///    set while it was not.
/// 4. Edges. E1  add-release set (set) → load-acquire set (wait, try_wait, is_set): what was done before it was set.
/// 5. Progress. set, reset and try_wait are lock-free, and make no system call while nobody sleeps. wait blocks.
/// 6. If a process dies here. Waiting: nobody else is affected. After it was let through an automatic one: the event is
///    taken. Setting, before the wake: who waits looks again within recheck_interval, 50 ms.
/// 7. Use instead. For a condition over more than a bit: Condition. To count: Semaphore. To poll it: PollableEvent.
///
/// `times` is counted in 31 bits and wraps: who sleeps while it is set exactly 2³¹ times does not see that it was.
#include <tenon/sync/bell.hpp>

namespace tenon {

class Event {
 public:
  enum class Reset : std::uint32_t {
    manual,     ///< stays set until reset()
    automatic,  ///< who is let through resets it
  };

  explicit Event(Reset reset) noexcept : reset_(reset) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void set() noexcept;
  void reset() noexcept;
  bool is_set() const noexcept { return (state_.load(std::memory_order_acquire) & set_bit) != 0; }  // E1

  /// Outcomes: timed_out, stopped.
  Result<void> wait(Deadline deadline);
  /// Outcomes: would_block.
  Result<void> try_wait();

 private:
  static constexpr std::uint32_t set_bit = 1;
  static constexpr std::uint32_t once_more = 2;
  bool lets_through(std::uint32_t times_before) noexcept;

  std::atomic<std::uint32_t> state_ = 0;
  Reset reset_;
  Bell bell_;
};

static_assert(sizeof(Event) == 16 && std::is_standard_layout_v<Event> && std::is_trivially_destructible_v<Event>);

}  // namespace tenon

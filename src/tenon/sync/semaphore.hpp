#pragma once
/// A number of permits in shared memory that come back when their holder dies.
///
/// 1. Roles. Members of one domain take permits; any thread of the process that took one gives it back.
/// 2. Layout. A slot is a permit: 0 while it is free, else the token of its holder. Nothing is counted, so no count can
///    be wrong.
///
///      0           8           16          24          32                        64
///     +-----------+-----------+-----------+-----------+-------------------------+
///     | bell      | permits, –| device    | inode     | –                       |
///     +-----------+-----------+-----------+-----------+-------------------------+
///      64          72                                                       576
///     +-----------+-----------+------------------------------------------------+
///     | slot 0    | slot 1    | … 64 of them                                   |
///     +-----------+-----------+------------------------------------------------+
///
/// 3. Invariants. I1: a permit is free or held by one token. I2: only its holder frees it, or, if that one is dead,
///    anybody.
/// 4. Edges. S1  exchange-release of a slot to 0 (give back, take back) → exchange-acquire of it to a token (take):
/// what
///    the last holder did is seen by the next.
/// 5. Progress. Taking one that is free and giving one back are lock-free, and make no system call while nobody waits.
///    Who waits sleeps, and looks each recheck_interval, 50 ms, whether a holder has died.
/// 6. If a process dies here. Each permit changes hands by one instruction, before or after which the holder is
///    known. A holder's permits come back as soon as somebody needs one and finds it dead: within 50 ms after its
///    memory was torn down (docs/liveness.md). Between giving back and its wake: who waits finds it within 50 ms.
/// 7. Use instead. Where permits are messages, posted by one and taken by another: UnnamedSemaphore, which gives
/// nothing
///    back. Where there is one permit: Mutex, which is taken over within a millisecond.
///
/// Whose life file is removed from outside is no member any more: its permits are taken back from it while it lives.
#include <tenon/base/cache_line.hpp>
#include <tenon/sync/bell.hpp>
#include <tenon/sync/holder.hpp>
#include <tenon/sync/lock_order.hpp>

#include <array>
#include <cstddef>
#include <optional>

namespace tenon {

class Semaphore;

/// Holds one permit, and gives it back when it goes.
class [[nodiscard]] Permit {
 public:
  Permit(Permit&& other) noexcept
      : semaphore_(std::exchange(other.semaphore_, nullptr)), slot_(other.slot_), holder_(other.holder_) {}
  Permit& operator=(Permit&& other) noexcept {
    Permit taken(std::move(other));
    std::swap(semaphore_, taken.semaphore_);
    std::swap(slot_, taken.slot_);
    std::swap(holder_, taken.holder_);
    return *this;
  }
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;
  ~Permit() { (void)std::move(*this).release(); }

  /// Gives it back now. Outcomes: not_found (it was taken back: this process was said to be dead, or it was released
  /// before). Failures: in_child (it is the parent's).
  Result<void> release() && noexcept;

 private:
  friend class Semaphore;
  Permit(Semaphore& semaphore, std::size_t slot, const Holder& holder) noexcept
      : semaphore_(&semaphore), slot_(slot), holder_(holder) {}

  Semaphore* semaphore_;
  std::size_t slot_;
  Holder holder_;
};

class Semaphore {
 public:
  static constexpr std::uint32_t most_permits = 64;

  /// For members of the holder's domain. There is at least one permit, and there are at most 64.
  Semaphore(std::uint32_t permits, const Holder& maker) noexcept;
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// Outcomes: timed_out, stopped. Failures: invalid_argument (another domain), in_child, limit_reached (descriptors,
  /// by which to ask whether a holder is alive), not_found (the holder's process has left the domain).
  /// In checked builds, used_as_lock(): deadlock, and others of LockOrder.
  Result<Permit> acquire(const Holder& holder, Deadline deadline, TakenAt at = TakenAt::current());
  /// Looks for dead holders, too. Outcomes: would_block. Failures: as of acquire().
  Result<Permit> try_acquire(const Holder& holder, TakenAt at = TakenAt::current());

  std::uint32_t permits() const noexcept { return permits_; }
  /// How many are free: by the time it is told, it may be otherwise.
  std::uint32_t available() const noexcept;
  /// For used_as_lock().
  LockRef lock_ref() const noexcept { return LockRef::in_memory(LockKind::semaphore, this); }

 private:
  friend class Permit;
  Result<Permit> wait_for_one(const Holder& holder, Deadline deadline);
  std::optional<Permit> take(const Holder& holder) noexcept;
  bool give_back(std::size_t slot, Token from) noexcept;
  Result<void> take_back(Deaths& deaths);

  Bell bell_;
  std::uint32_t permits_;
  DomainId domain_;
  alignas(cache_line) std::array<std::atomic<std::uint64_t>, most_permits> slots_{};
};

static_assert(sizeof(Semaphore) == 64 + 8 * Semaphore::most_permits && std::is_standard_layout_v<Semaphore>);
static_assert(std::is_trivially_destructible_v<Semaphore> && std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace tenon

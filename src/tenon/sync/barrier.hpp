#pragma once
/// Members wait for one another in shared memory, phase after phase; when one dies, the others are told.
///
/// 1. Roles. Members of one domain join; each member, by one thread at a time, arrives and leaves.
/// 2. Layout. A slot is empty (0: whom all wait for has not joined), departed (1), or the token of its member.
///
///      0           8           16          24          32          40                 80
///     +-----------+-----------+-----------+-----------+-----------+------------------+
///     | phase     | bell      | parties, –| device    | inode     | mutex            |
///     +-----------+-----------+-----------+-----------+-----------+------------------+
///      128         136                                                      384
///     +-----------+-----------+---------------------------------------------+
///     | slot 0    | slot 1    | … 32 of them                                |
///     +-----------+-----------+---------------------------------------------+
///
///    phase, bits 0 to 31: who has arrived in this phase. 32 to 47: of the last 16 phases, the latest lowest, whether
///    they were broken off by a death. 48 to 63: which phase it is; it wraps.
///
/// 3. Invariants. I1: a phase ends when no slot is empty and each token has arrived, or when a member has died. I2:
/// each
///    member sees the same ending of each phase. I3: arriving, giving up and ending are single exchanges of one word,
///    so who gave up has not arrived, and who has arrived was counted.
/// 4. Edges. P1  exchange-release phase (arrive, give up, end) → load-acquire phase (whoever looks): what members did
///    before they arrived is seen by all behind the barrier.  P2  exchange-release of a slot (join, leave, take out) →
///    load-acquire of it (who ends a phase).  P3  exchange a slot, then load phase (leave) ↔ exchange phase, then load
///    the slots (arrive), sequentially consistent: of the last to arrive and one that leaves at least one sees that the
///    phase can end; else those who wait would find it only when they look again.
/// 5. Progress. Arriving is lock-free, and makes no system call if nobody sleeps. Waiting blocks; who waits looks each
///    recheck_interval, 50 ms, and before it gives up, whether the phase can end and whether a member has died.
/// 6. If a process dies here. A member: once one of the others waits, it finds it dead within 50 ms after its memory
/// was
///    torn down, breaks off the phase, which each member is told of once (peer_died), and takes it out: the next phases
///    are the others'. Who finds it dies in telling: the phase after that is broken off, too. Having arrived last,
///    before ending the phase or waking the others: they do it within 50 ms.
/// 7. Use instead. Two processes that take turns: Event. Threads of one process: std::barrier.
#include <tenon/base/cache_line.hpp>
#include <tenon/sync/bell.hpp>
#include <tenon/sync/holder.hpp>
#include <tenon/sync/mutex.hpp>

#include <array>
#include <cstddef>

namespace tenon {

class Barrier;

/// One party of a barrier; leaves when it goes, and the others wait for it no more.
class [[nodiscard]] BarrierMember {
 public:
  BarrierMember(BarrierMember&& other) noexcept
      : barrier_(std::exchange(other.barrier_, nullptr)),
        slot_(other.slot_),
        phase_(other.phase_),
        holder_(other.holder_),
        deaths_(std::move(other.deaths_)) {}
  BarrierMember& operator=(BarrierMember&&) = delete;
  BarrierMember(const BarrierMember&) = delete;
  BarrierMember& operator=(const BarrierMember&) = delete;
  ~BarrierMember() { (void)std::move(*this).leave(); }

  /// Waits until all have arrived. Outcomes: peer_died (a member died in this phase: it ended so for all), timed_out,
  /// stopped (this member has not arrived), not_found (it was taken out, as if dead). Failures: in_child, limit_reached
  /// (descriptors, by which to ask whether a member is alive, or locks: it has not arrived).
  Result<void> arrive_and_wait(Deadline deadline);

  /// Outcomes: not_found (it was taken out, or has left before). Failures: in_child.
  Result<void> leave() && noexcept;

 private:
  friend class Barrier;
  BarrierMember(Barrier& barrier, std::size_t slot, std::uint16_t phase, const Holder& holder)
      : barrier_(&barrier), slot_(slot), phase_(phase), holder_(holder), deaths_(holder) {}

  Result<void> wait_for_the_others(Deadline deadline);

  Barrier* barrier_;
  std::size_t slot_;
  std::uint16_t phase_;  // in which it arrives next
  Holder holder_;
  Deaths deaths_;
};

class Barrier {
 public:
  static constexpr std::uint32_t most_parties = 32;

  /// For members of the holder's domain: the first phase waits until so many have joined, between 1 and 32.
  Barrier(std::uint32_t parties, const Holder& maker) noexcept;
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  /// Takes an empty place, or that of one who has left or died. Failures: limit_reached (all places are taken),
  /// invalid_argument (another domain), in_child; also limit_reached of descriptors, by which to ask who is alive.
  Result<BarrierMember> join(const Holder& holder);

 private:
  friend class BarrierMember;
  static constexpr std::uint64_t empty = 0;
  static constexpr std::uint64_t departed = 1;

  bool take_place(std::size_t& slot, std::uint64_t of_kind, Token token) noexcept;
  bool all_arrived(std::uint64_t phase) const noexcept;
  bool end_if_all_arrived(std::uint64_t phase) noexcept;
  void break_off() noexcept;
  bool withdraw(std::uint64_t own, std::uint16_t number) noexcept;
  Result<void> take_out_the_dead(Deaths& deaths);

  std::atomic<std::uint64_t> phase_ = 0;
  Bell bell_;
  std::uint32_t parties_;
  DomainId domain_;
  Mutex mutex_{Mutex::Unrecorded()};  // held by who takes out the dead, so that each is told of once
  alignas(cache_line) std::array<std::atomic<std::uint64_t>, most_parties> slots_{};
};

static_assert(sizeof(Barrier) == 128 + 8 * Barrier::most_parties && std::is_standard_layout_v<Barrier>);
static_assert(std::is_trivially_destructible_v<Barrier>);

}  // namespace tenon

#include <tenon/sync/barrier.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/stop.hpp>

#include <optional>
#include <span>

namespace tenon {

namespace {

constexpr std::uint64_t arrived_mask = UINT32_MAX;
constexpr unsigned history_at = 32;
constexpr unsigned number_at = 48;
constexpr std::uint64_t history_mask = 0xffff;

std::uint64_t bit_of(std::size_t slot) noexcept { return std::uint64_t{1} << slot; }
std::uint16_t number_of(std::uint64_t phase) noexcept { return static_cast<std::uint16_t>(phase >> number_at); }

/// The phase after this one, in which nobody has arrived.
std::uint64_t after_phase(std::uint64_t phase, bool broken_off) noexcept {
  const std::uint64_t history = ((phase >> history_at) << 1 | (broken_off ? 1 : 0)) & history_mask;
  return static_cast<std::uint64_t>(static_cast<std::uint16_t>(number_of(phase) + 1)) << number_at | history
                                                                                                         << history_at;
}

/// How phase `number` ended, if it has. A member is at most as many phases late as members have died meanwhile.
std::optional<bool> broken_off(std::uint64_t now, std::uint16_t number) noexcept {
  const auto late = static_cast<std::uint16_t>(number_of(now) - number);
  if (late == 0) {
    return std::nullopt;
  }
  return late > 16 || ((now >> (history_at + late - 1U)) & 1) != 0;
}

}  // namespace

Barrier::Barrier(std::uint32_t parties, const Holder& maker) noexcept : parties_(parties), domain_(maker.domain_id()) {
  static_assert(offsetof(Barrier, bell_) == 8 && offsetof(Barrier, parties_) == 16);
  static_assert(offsetof(Barrier, domain_) == 24 && offsetof(Barrier, mutex_) == 40);
  static_assert(offsetof(Barrier, slots_) == 128);
  expects(parties >= 1 && parties <= most_parties, "a barrier has between 1 and 32 parties");
}

bool Barrier::take_place(std::size_t& slot, std::uint64_t of_kind, Token token) noexcept {
  for (slot = 0; slot < parties_; ++slot) {
    std::uint64_t found = of_kind;
    if (slots_[slot].compare_exchange_strong(found, token.value(), std::memory_order_acq_rel)) {  // P2
      return true;
    }
  }
  return false;
}

Result<BarrierMember> Barrier::join(const Holder& holder) {
  if (auto may = holder.may_share(domain_); !may) {
    return fail(std::move(may.error()));
  }
  std::size_t slot = 0;
  bool taken = take_place(slot, empty, holder.token()) || take_place(slot, departed, holder.token());
  if (!taken) {
    Deaths deaths(holder);
    auto looked = take_out_the_dead(deaths);
    taken = take_place(slot, departed, holder.token());
    if (!taken && !looked) {
      return fail(std::move(looked.error()));
    }
  }
  if (!taken) {
    return fail(
        Error(Errc::limit_reached)
            .with({.name = "parties of the barrier", .value = parties_, .wanted = parties_ + 1U, .remedy = ""}));
  }
  return BarrierMember(*this, slot, number_of(phase_.load(std::memory_order_acquire)), holder);  // P1
}

bool Barrier::all_arrived(std::uint64_t phase) const noexcept {
  for (std::size_t slot = 0; slot < parties_; ++slot) {
    const bool left = slots_[slot].load(std::memory_order_seq_cst) == departed;  // P2 P3
    if (!left && (phase & bit_of(slot)) == 0) {
      return false;
    }
  }
  return (phase & arrived_mask) != 0;
}

/// True if the phase has ended, by this call or by another.
bool Barrier::end_if_all_arrived(std::uint64_t phase) noexcept {
  const std::uint16_t number = number_of(phase);
  while (number_of(phase) == number && all_arrived(phase)) {
    if (phase_.compare_exchange_strong(phase, after_phase(phase, false), std::memory_order_acq_rel)) {  // P1
      bell_.ring_for_all();
      return true;
    }
  }
  return number_of(phase) != number;
}

void Barrier::break_off() noexcept {
  std::uint64_t phase = phase_.load(std::memory_order_acquire);                                        // P1
  while (!phase_.compare_exchange_weak(phase, after_phase(phase, true), std::memory_order_acq_rel)) {  // P1
  }
}

// First the phase is broken off, then the slot is freed: in the other order one that dies in between has told nobody.
// Somebody else who is at it does it for all.
Result<void> Barrier::take_out_the_dead(Deaths& deaths) {
  auto guard = mutex_.try_lock_unrecorded();
  if (!guard) {
    return guard.failed_with(Errc::would_block) ? Result<void>() : fail(std::move(guard.error()));
  }
  guard->mark_consistent();
  deaths.forget_all_but(std::span(slots_).first(parties_));
  Result<void> all_asked;
  for (std::size_t slot = 0; slot < parties_; ++slot) {
    std::uint64_t found = slots_[slot].load(std::memory_order_acquire);  // P2
    if (found == empty || found == departed) {
      continue;
    }
    if (auto dead = deaths.took(Token::from(found)); !dead) {
      all_asked = fail(std::move(dead.error()));
    } else if (*dead) {
      break_off();
      slots_[slot].compare_exchange_strong(found, departed, std::memory_order_acq_rel);  // P2
      bell_.ring_for_all();
    }
  }
  return all_asked;
}

/// Takes an arrival back. False if its phase has ended meanwhile: then it was counted.
bool Barrier::withdraw(std::uint64_t own, std::uint16_t number) noexcept {
  std::uint64_t phase = phase_.load(std::memory_order_acquire);  // P1
  while (number_of(phase) == number) {
    if (phase_.compare_exchange_weak(phase, phase & ~own, std::memory_order_acq_rel)) {  // P1
      return true;
    }
  }
  return false;
}

Result<void> BarrierMember::arrive_and_wait(Deadline deadline) {
  expects(barrier_ != nullptr, "a member that has left arrives nowhere");
  Barrier& all = *barrier_;
  if (auto may = holder_.may_share(all.domain_); !may) {
    return may;
  }
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "futex");
  }
  const std::uint64_t own = bit_of(slot_);
  std::uint64_t phase = all.phase_.load(std::memory_order_acquire);  // P1
  do {
    // Phases that ended without this member: broken off by a death, or before it had joined.
    while (const auto broken = broken_off(phase, phase_)) {
      ++phase_;
      if (*broken) {
        return fail(Errc::peer_died);
      }
    }
    if (all.slots_[slot_].load(std::memory_order_acquire) != holder_.token().value()) {  // P2
      return fail(Error(Errc::not_found).because("it was taken out as one that is no member of the domain"));
    }
  } while (!all.phase_.compare_exchange_weak(phase, phase | own, std::memory_order_seq_cst));  // P1 P3
  return wait_for_the_others(deadline);
}

Result<void> BarrierMember::wait_for_the_others(Deadline deadline) {
  Barrier& all = *barrier_;
  Deadline next_look = after(recheck_interval);
  while (true) {
    const std::uint32_t seen = all.bell_.seen();
    const std::uint64_t phase = all.phase_.load(std::memory_order_acquire);  // P1
    if (const auto broken = broken_off(phase, phase_)) {
      ++phase_;
      return *broken ? fail(Errc::peer_died) : Result<void>();
    }
    if (all.end_if_all_arrived(phase)) {
      continue;
    }
    auto waited = all.bell_.sleep(seen, deadline);
    // The phase first: where it has ended, nobody needs to be looked for.
    if (number_of(all.phase_.load(std::memory_order_acquire)) != phase_) {  // P1
      continue;
    }
    // Whose deadlines are short gives up before any recheck, and would never learn of a death.
    if (waited.failed_with(Errc::timed_out) || next_look.passed()) {
      if (auto looked = all.take_out_the_dead(deaths_); !looked) {
        waited = std::move(looked);
      }
      next_look = after(recheck_interval);
    }
    if (!waited && all.withdraw(bit_of(slot_), phase_)) {
      return waited;
    }
  }
}

Result<void> BarrierMember::leave() && noexcept {
  if (barrier_ == nullptr) {
    return fail(Errc::not_found);
  }
  Barrier& all = *std::exchange(barrier_, nullptr);
  if (!holder_.is_of_this_process()) {
    return fail(Errc::in_child);
  }
  std::uint64_t own = holder_.token().value();
  if (!all.slots_[slot_].compare_exchange_strong(own, Barrier::departed, std::memory_order_seq_cst)) {  // P2 P3
    return fail(Errc::not_found);
  }
  all.end_if_all_arrived(all.phase_.load(std::memory_order_seq_cst));  // P1 P3
  return {};
}

}  // namespace tenon

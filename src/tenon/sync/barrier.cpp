#include <tenon/sync/barrier.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/stop.hpp>

#include <optional>

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
    take_out_the_dead(deaths);
    taken = take_place(slot, departed, holder.token());
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
void Barrier::take_out_the_dead(Deaths& deaths) {
  auto guard = mutex_.try_lock();
  if (!guard) {
    return;
  }
  guard->mark_consistent();
  for (std::size_t slot = 0; slot < parties_; ++slot) {
    std::uint64_t found = slots_[slot].load(std::memory_order_acquire);  // P2
    if (found != empty && found != departed && deaths.took(Token::from(found))) {
      break_off();
      slots_[slot].compare_exchange_strong(found, departed, std::memory_order_acq_rel);  // P2
      bell_.ring_for_all();
    }
  }
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
  while (true) {
    const std::uint32_t seen = all.bell_.seen();
    phase = all.phase_.load(std::memory_order_acquire);  // P1
    if (const auto broken = broken_off(phase, phase_)) {
      ++phase_;
      return *broken ? fail(Errc::peer_died) : Result<void>();
    }
    if (all.end_if_all_arrived(phase)) {
      continue;
    }
    if (auto slept = all.bell_.sleep(seen, deadline); !slept) {
      // P1 where it succeeds and where it fails: the phase may have ended meanwhile, and then this member was counted.
      while (number_of(phase) == phase_ &&
             !all.phase_.compare_exchange_weak(phase, phase & ~own, std::memory_order_acq_rel)) {  // P1
      }
      if (number_of(phase) == phase_) {
        return slept;
      }
      continue;
    }
    all.take_out_the_dead(deaths_);
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

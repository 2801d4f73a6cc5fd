#include <tenon/sync/semaphore.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/stop.hpp>

#include <span>

namespace tenon {

Semaphore::Semaphore(std::uint32_t permits, const Holder& maker) noexcept
    : permits_(permits), domain_(maker.domain_id()) {
  static_assert(offsetof(Semaphore, permits_) == 8 && offsetof(Semaphore, domain_) == 16);
  static_assert(offsetof(Semaphore, slots_) == 64);
  expects(permits >= 1 && permits <= most_permits, "a semaphore has between 1 and 64 permits");
}

// Each holder begins elsewhere, so that they do not all try the first.
std::optional<Permit> Semaphore::take(const Holder& holder) noexcept {
  const std::uint64_t own = holder.token().value();
  for (std::uint32_t i = 0; i < permits_; ++i) {
    const std::size_t slot = (own + i) % permits_;
    std::uint64_t free = 0;
    // relaxed: one that seems to be held is passed over
    if (slots_[slot].load(std::memory_order_relaxed) == 0 &&
        slots_[slot].compare_exchange_strong(free, own, std::memory_order_acquire)) {  // S1
      return Permit(*this, slot, holder);
    }
  }
  return std::nullopt;
}

bool Semaphore::give_back(std::size_t slot, Token from) noexcept {
  std::uint64_t held = from.value();
  // A slot that is another's by now is not touched: this one was taken back.
  if (!slots_[slot].compare_exchange_strong(held, 0, std::memory_order_acq_rel)) {  // S1
    return false;
  }
  bell_.ring(1);
  return true;
}

Result<void> Semaphore::take_back(Deaths& deaths) {
  deaths.forget_all_but(std::span(slots_).first(permits_));
  Result<void> all_asked;
  for (std::size_t slot = 0; slot < permits_; ++slot) {
    // relaxed: a token, which is looked up elsewhere
    const Token held = Token::from(slots_[slot].load(std::memory_order_relaxed));
    if (held.is_nobody()) {
      continue;
    }
    if (auto dead = deaths.took(held); !dead) {
      all_asked = fail(std::move(dead.error()));
    } else if (*dead) {
      give_back(slot, held);
    }
  }
  return all_asked;
}

std::uint32_t Semaphore::available() const noexcept {
  std::uint32_t free = 0;
  for (std::size_t slot = 0; slot < permits_; ++slot) {
    free += slots_[slot].load(std::memory_order_relaxed) == 0 ? 1 : 0;  // a figure for people, old when it is told
  }
  return free;
}

Result<Permit> Semaphore::try_acquire(const Holder& holder, [[maybe_unused]] TakenAt at) {
  auto acquire_now = [&]() -> Result<Permit> {
    if (auto may = holder.may_share(domain_); !may) {
      return fail(std::move(may.error()));
    }
    if (auto permit = take(holder)) {
      return std::move(*permit);
    }
    Deaths deaths(holder);
    auto looked = take_back(deaths);
    if (auto permit = take(holder)) {
      return std::move(*permit);
    }
    return looked ? fail(Errc::would_block) : fail(std::move(looked.error()));
  };
  if constexpr (is_checked) {
    return take_in_order(LockOrder::hooks(), lock_ref(), at, false, acquire_now);
  }
  return acquire_now();
}

Result<Permit> Semaphore::acquire(const Holder& holder, Deadline deadline, [[maybe_unused]] TakenAt at) {
  auto acquire_now = [&]() -> Result<Permit> {
    if (auto may = holder.may_share(domain_); !may) {
      return fail(std::move(may.error()));
    }
    if (stop_requested(deadline)) {
      return fail(Errc::stopped, "futex");
    }
    if (auto permit = take(holder)) [[likely]] {
      return std::move(*permit);
    }
    return wait_for_one(holder, deadline);
  };
  if constexpr (is_checked) {
    return take_in_order(LockOrder::hooks(), lock_ref(), at, !deadline.passed(), acquire_now);
  }
  return acquire_now();
}

Result<Permit> Semaphore::wait_for_one(const Holder& holder, Deadline deadline) {
  Deaths deaths(holder);
  Deadline next_look = after(recheck_interval);
  while (true) {
    const std::uint32_t seen = bell_.seen();
    if (auto permit = take(holder)) {
      return std::move(*permit);
    }
    auto waited = bell_.sleep(seen, deadline);
    if (waited.failed_with(Errc::stopped)) {
      // The wake for a permit that is free may have been this one's, and is passed on.
      if (available() != 0) {
        bell_.ring(1);
      }
      return fail(std::move(waited.error()));
    }
    if (!waited || next_look.passed()) {
      if (auto looked = take_back(deaths); !looked) {
        waited = std::move(looked);
      }
      next_look = after(recheck_interval);
    }
    if (!waited) {
      auto permit = take(holder);
      return permit ? Result<Permit>(std::move(*permit)) : fail(std::move(waited.error()));
    }
  }
}

Result<void> Permit::release() && noexcept {
  if (semaphore_ == nullptr) {
    return fail(Errc::not_found);
  }
  Semaphore& semaphore = *std::exchange(semaphore_, nullptr);
  if (!holder_.is_of_this_process()) {
    return fail(Errc::in_child);
  }
  if constexpr (is_checked) {
    LockOrder::released(semaphore.lock_ref());
  }
  return semaphore.give_back(slot_, holder_.token()) ? Result<void>() : fail(Errc::not_found);
}

}  // namespace tenon

#include <tenon/sync/event.hpp>

namespace tenon {

void Event::set() noexcept {
  // relaxed: what it is exchanged for depends on nothing else
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  std::uint32_t next = 0;
  do {
    // One that is set already is written all the same: what was done before this call is to be seen, too.
    next = (state & set_bit) != 0 ? state : (state + once_more) | set_bit;
    // E1; relaxed where it fails: it is tried again
  } while (!state_.compare_exchange_weak(state, next, std::memory_order_release, std::memory_order_relaxed));  // E1
  if (reset_ == Reset::manual) {
    bell_.ring_for_all();
  } else {
    bell_.ring(1);
  }
}

void Event::reset() noexcept { state_.fetch_and(~set_bit, std::memory_order_acq_rel); }  // E1

bool Event::lets_through(std::uint32_t times_before) noexcept {
  std::uint32_t state = state_.load(std::memory_order_acquire);  // E1
  if (reset_ == Reset::manual) {
    return (state & set_bit) != 0 || (state & ~set_bit) != times_before;
  }
  while ((state & set_bit) != 0) {
    if (state_.compare_exchange_weak(state, state & ~set_bit, std::memory_order_acquire)) {  // E1
      return true;
    }
  }
  return false;
}

Result<void> Event::try_wait() {
  // relaxed: the times are compared with themselves
  const std::uint32_t times = state_.load(std::memory_order_relaxed) & ~set_bit;
  return lets_through(times) ? Result<void>() : fail(Errc::would_block);
}

Result<void> Event::wait(Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "futex");
  }
  // relaxed: what it published is read by whoever is let through
  const std::uint32_t times = state_.load(std::memory_order_relaxed) & ~set_bit;
  while (true) {
    const std::uint32_t seen = bell_.seen();
    if (lets_through(times)) {
      return {};
    }
    if (auto slept = bell_.sleep(seen, deadline); !slept) {
      return lets_through(times) ? Result<void>() : slept;
    }
  }
}

}  // namespace tenon

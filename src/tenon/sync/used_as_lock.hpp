#pragma once
/// For semaphores that are locks: who takes one gives it back. Only then do checked builds record it, and refuse what
/// could deadlock; a semaphore by which one tells another of something has no owner, and its orders mean nothing.
///
///     used_as_lock(set, 0, "sem1").or_throw();    // before it is used; each process says so for itself
///
/// For Semaphore, NamedSemaphore, UnnamedSemaphore, and SysvSemaphore with a semaphore's number. In unchecked builds
/// it does nothing. A post by another process than the one that waited frees nothing in the record.
#include <tenon/sync/lock_order.hpp>

#include <cstdint>
#include <string_view>

namespace tenon {

/// `name` is for people: "" for one that says where the semaphore is. Failures: why it cannot be recorded.
template <class Lock>
  requires requires(const Lock& lock) { lock.lock_ref(); }
Result<void> used_as_lock([[maybe_unused]] const Lock& lock, [[maybe_unused]] std::string_view name = "") {
  if constexpr (is_checked) {
    return LockOrder::use_as_lock(lock.lock_ref(), name);
  }
  return {};
}

template <class Set>
  requires requires(const Set& set) { set.lock_ref(std::uint16_t{0}); }
Result<void> used_as_lock([[maybe_unused]] const Set& set, [[maybe_unused]] std::uint16_t which,
                          [[maybe_unused]] std::string_view name = "") {
  if constexpr (is_checked) {
    return LockOrder::use_as_lock(set.lock_ref(which), name);
  }
  return {};
}

}  // namespace tenon

#pragma once
/// What checked builds tell of each acquisition, to whoever keeps the order of locks. sync/lock_order
///
/// The kernel's semaphores stand on a floor that knows nothing of that order, so it hangs itself in here. Unchecked
/// builds call nothing of this.
///
/// Edges. H1  store-release of the table (install) → load-acquire of it (installed): publishes what it points to.
#include <tenon/base/deadline.hpp>
#include <tenon/base/result.hpp>
#include <tenon/base/taken_at.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tenon {

enum class LockKind : std::uint8_t { mutex = 1, rw_lock, semaphore, posix_semaphore, sysv_semaphore };

/// A lock as this process calls it: an address, or the number of a set and the semaphore in it.
struct LockRef {
  LockKind kind;
  std::uint32_t number;
  std::uintptr_t where;

  static LockRef in_memory(LockKind kind, const void* at) noexcept {
    return {.kind = kind, .number = 0, .where = reinterpret_cast<std::uintptr_t>(at)};
  }
  static constexpr LockRef of_set(int set, std::uint32_t number) noexcept {
    return {.kind = LockKind::sysv_semaphore, .number = number, .where = static_cast<std::uint32_t>(set)};
  }
  friend bool operator==(const LockRef&, const LockRef&) = default;
};

/// What is told. Each by the thread that it is about.
struct LockHooks {
  /// Before an acquisition of all these at once that may wait. Failures: deadlock, and why it cannot be recorded.
  Result<void> (*wanted)(std::span<const LockRef> locks, LockPlace at);
  /// Before one that does not wait. Failures: why it cannot be recorded.
  Result<void> (*tried)(std::span<const LockRef> locks, LockPlace at);
  /// It has been acquired, and was asked for before.
  void (*taken)(const LockRef& lock);
  /// It has been let go of, by a thread that may be another than the one that took it.
  void (*released)(const LockRef& lock);

  /// nullptr as long as nobody keeps the order.
  static const LockHooks* installed() noexcept { return installed_.load(std::memory_order_acquire); }  // H1
  static void install(const LockHooks& hooks) noexcept {
    installed_.store(&hooks, std::memory_order_release);  // H1
  }

 private:
  static constinit std::atomic<const LockHooks*> installed_;
};

/// Runs `take`, which returns a Result, as an acquisition of `locks`: not at all if it could deadlock.
template <class Take>
auto take_in_order(const LockHooks* hooks, std::span<const LockRef> locks, TakenAt at, bool may_wait, Take take)
    -> decltype(take()) {
  if (hooks == nullptr) {
    return take();
  }
  if (auto asked = (may_wait ? hooks->wanted : hooks->tried)(locks, LockPlace(at)); !asked) {
    return fail(std::move(asked.error()));
  }
  auto taken = take();
  if (taken) {
    for (const LockRef& lock : locks) {
      hooks->taken(lock);
    }
  }
  return taken;
}

template <class Take>
auto take_in_order(const LockHooks* hooks, LockRef lock, TakenAt at, bool may_wait, Take take) -> decltype(take()) {
  return take_in_order(hooks, std::span<const LockRef>(&lock, 1), at, may_wait, std::move(take));
}

}  // namespace tenon

#pragma once
/// First initialisation, in shared memory, by exactly one of all who come; if that one dies in it, by the next.
///
/// 1. Roles. Any thread of any process that maps it for writing runs it, and all with the same initialisation.
/// 2. Layout.
///
///      0               4               8                              48
///     +---------------+---------------+------------------------------+
///     | done: 0, 1    | –             | mutex                        |
///     +---------------+---------------+------------------------------+
///
/// 3. Invariants. I1: one initialisation runs at a time. I2: after one that succeeded none begins. I3: done is 1 only
///    after one that succeeded.
/// 4. Edges. O1  store-release done (run) → load-acquire done (run, is_done): what the initialisation wrote.
/// 5. Progress. Once it is done: one load. Before: blocking.
/// 6. If a process dies here. Before the store to done: whoever comes next, or waits, runs the initialisation from its
///    beginning, over what the dead one left half-made. After it: done.
/// 7. Use instead. Where memory is made by one process and opened by others: PosixMemory's `initialise`, which nobody
///    sees before it is complete.
///
/// An initialisation that runs the same Once waits for itself, until its deadline.
#include <tenon/sync/mutex.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace tenon {

class Once {
 public:
  /// Runs `initialise`, a function that returns Result<void>, unless that has been done; returns true if this call did
  /// it. If it fails, its error is returned and it counts as not done. Outcomes: also timed_out, stopped: somebody else
  /// is at it. Failures: limit_reached, as Mutex.
  template <std::invocable Initialise>
    requires std::same_as<std::invoke_result_t<Initialise>, Result<void>>
  Result<bool> run(Initialise&& initialise, Deadline deadline) {
    if (is_done()) [[likely]] {
      return false;
    }
    auto guard = mutex_.lock(deadline);
    if (!guard) {
      return fail(std::move(guard.error()));
    }
    guard->mark_consistent();  // nothing is half-done but what `initialise` begins anew
    if (is_done()) {
      return false;
    }
    if (auto done = std::invoke(std::forward<Initialise>(initialise)); !done) {
      return fail(std::move(done.error()));
    }
    done_.store(1, std::memory_order_release);  // O1
    return true;
  }

  bool is_done() const noexcept { return done_.load(std::memory_order_acquire) != 0; }  // O1

 private:
  std::atomic<std::uint32_t> done_ = 0;
  Mutex mutex_;
};

static_assert(sizeof(Once) == 8 + sizeof(Mutex) && std::is_standard_layout_v<Once>);
static_assert(std::is_trivially_destructible_v<Once>);

}  // namespace tenon

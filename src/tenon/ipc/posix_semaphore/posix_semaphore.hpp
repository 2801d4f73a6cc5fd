#pragma once
/// Counting semaphores of POSIX, wherever they stand. sem_overview(7)
///
/// The count is a word in memory that processes share. A post adds to it and then wakes; a poster that is killed in
/// between leaves a count that nobody was woken for. So no wait here sleeps longer than `recheck_interval` without
/// looking again, whatever its deadline: not even one with `never`.
#include <tenon/base/contract.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/base/lock_hooks.hpp>
#include <tenon/base/result.hpp>

#include <cerrno>
#include <semaphore.h>
#include <utility>

namespace tenon {

/// What named and unnamed semaphores have in common. Threads: any call but close and moves from several at once. fork:
/// works in the child, which shares the count.
class PosixSemaphore {
 public:
  /// The largest count there can be (SEM_VALUE_MAX).
  static constexpr unsigned most = 0x7fffffff;

  /// Takes one from the count, and waits while it is 0. The permit is not given back when its taker dies: see
  /// SysvSemaphore for one that is. Outcomes: timed_out, stopped (at most one recheck interval after the Stop was set).
  /// Failures: in checked builds deadlock, if it is used_as_lock(). sem_clockwait(3)
  Result<void> wait(Deadline deadline, TakenAt at = TakenAt::current()) {
    if constexpr (is_checked) {
      return take_in_order(LockHooks::installed(), lock_ref(), at, !deadline.passed(),
                           [&] { return wait_unrecorded(deadline); });
    }
    return wait_unrecorded(deadline);
  }
  /// Outcomes: would_block (the count is 0). sem_trywait(3)
  Result<void> try_wait(TakenAt at = TakenAt::current()) {
    if constexpr (is_checked) {
      return take_in_order(LockHooks::installed(), lock_ref(), at, false, [&] { return try_wait_unrecorded(); });
    }
    return try_wait_unrecorded();
  }
  /// Adds one, and wakes somebody who waits. Async-signal-safe unless it fails, or a checked build uses it as a lock.
  /// Failures: limit_reached (the count is `most`, and stays so). sem_post(3)
  Result<void> post() {
    if (::sem_post(native()) == 0) [[likely]] {
      if constexpr (is_checked) {
        tell_released();
      }
      return {};
    }
    return post_refused();
  }
  /// The count at some moment of this call; it may be another one by the time it is looked at. sem_getvalue(3)
  unsigned value() const;

  /// For calls that Tenon does not make.
  sem_t* native() const noexcept {
    expects(semaphore_ != nullptr, "a semaphore was used after it was moved from");
    return semaphore_;
  }

  /// For used_as_lock().
  LockRef lock_ref() const noexcept { return LockRef::in_memory(LockKind::posix_semaphore, native()); }

  PosixSemaphore(const PosixSemaphore&) = delete;
  PosixSemaphore& operator=(const PosixSemaphore&) = delete;

 protected:
  explicit PosixSemaphore(sem_t* semaphore) noexcept : semaphore_(semaphore) {}
  PosixSemaphore(PosixSemaphore&& other) noexcept : semaphore_(std::exchange(other.semaphore_, nullptr)) {}
  PosixSemaphore& operator=(PosixSemaphore&& other) noexcept {
    semaphore_ = this == &other ? semaphore_ : std::exchange(other.semaphore_, nullptr);
    return *this;
  }
  ~PosixSemaphore() = default;

  /// Failures: limit_reached.
  static Result<void> check_value(unsigned value, const char* call);

 private:
  Result<void> wait_unrecorded(Deadline deadline) {
    if (deadline.stop() == nullptr && ::sem_trywait(native()) == 0) [[likely]] {
      return {};
    }
    return wait_on(deadline);
  }
  Result<void> try_wait_unrecorded() {
    if (::sem_trywait(native()) == 0) [[likely]] {
      return {};
    }
    return Result<void>(std::unexpect, Errc::would_block, "sem_trywait", EAGAIN);
  }
  void tell_released() const {
    if (const LockHooks* const hooks = LockHooks::installed()) {
      hooks->released(lock_ref());
    }
  }
  Result<void> wait_on(Deadline deadline);
  static Result<void> post_refused();

  sem_t* semaphore_;
};

}  // namespace tenon

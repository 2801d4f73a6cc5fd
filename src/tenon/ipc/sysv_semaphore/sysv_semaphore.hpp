#pragma once
/// A set of semaphores that the kernel keeps: several are operated on at once, and a dead process's permits come back.
/// sysvipc(7), semop(2)
#include <tenon/base/contract.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/base/lock_hooks.hpp>
#include <tenon/base/permissions.hpp>
#include <tenon/os/sysv_key.hpp>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <span>
#include <sys/sem.h>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace tenon {

/// Whether the kernel takes back what a process has done to a count when that process ends, however it ends.
enum class Undo : unsigned char {
  no,
  at_death,  ///< SEM_UNDO: for locks and permits, which belong to whoever took them
};

/// One step of an operation: `SemaphoreStep::take(0, 2)` waits until there are two, and takes them.
class SemaphoreStep {
 public:
  /// `count` is from 1 to 32767.
  static constexpr SemaphoreStep take(std::uint16_t which, std::int16_t count = 1, Undo undo = Undo::no) {
    return SemaphoreStep(which, checked(count), undo, -1);
  }
  static constexpr SemaphoreStep give(std::uint16_t which, std::int16_t count = 1, Undo undo = Undo::no) {
    return SemaphoreStep(which, checked(count), undo, 1);
  }
  /// Waits until the count is 0, and changes nothing.
  static constexpr SemaphoreStep until_zero(std::uint16_t which) { return SemaphoreStep(which, 0, Undo::no, 1); }

 private:
  constexpr SemaphoreStep(std::uint16_t which, std::int16_t count, Undo undo, int sign)
      : step_{.sem_num = which,
              .sem_op = static_cast<short>(sign * count),
              .sem_flg = static_cast<short>(undo == Undo::at_death ? SEM_UNDO : 0)} {}
  static constexpr std::int16_t checked(std::int16_t count) {
    expects(count > 0, "a step takes or gives at least 1");
    return count;
  }

  friend class SysvSemaphore;
  sembuf step_;
};
static_assert(sizeof(SemaphoreStep) == sizeof(sembuf), "steps are handed to the kernel as they are");

/// What the kernel tells of a set.
struct SemaphoreSetStatus {
  std::size_t size;
  uid_t owner;
  uid_t creator;
  std::uint32_t mode;
  std::time_t last_operation;  ///< seconds since 1970, 0 if there was none
};

/// The set is the kernel's and stays until it is removed; the handle is its number and holds nothing open. Its
/// semaphores are counted from 0. Threads: any call from several at once. fork: works in the child, which starts
/// without anything to be undone.
class SysvSemaphore {
 public:
  /// The largest count there can be (SEMVMX).
  static constexpr std::uint16_t most = 32767;

  /// Makes a new set of as many semaphores as there are values, with exactly these permissions. The others see it only
  /// once the values are set. Outcomes: already_exists, stale (it took more than 100 ms, and somebody replaced it as
  /// left over). Failures: invalid_argument (no values), limit_reached (SEMMNI, SEMMNS, SEMMSL, SEMVMX). semget(2)
  static Result<SysvSemaphore> create(SysvKey key, const std::vector<std::uint16_t>& values,
                                      Permissions permissions = owner_only);
  /// Waits a moment for a creator that is about to set the values. Outcomes: not_found, stale (nobody has ever operated
  /// on it, so its creator died half-way: open_or_create replaces it). Failures: permission_denied, which names the
  /// user whose it is if that is another than `owner` (by default the caller); invalid_argument (an unshared key).
  static Result<SysvSemaphore> open(SysvKey key);
  static Result<SysvSemaphore> open(SysvKey key, uid_t owner);
  /// Opens it, or makes it; created() tells which. One whose creator died half-way is removed and made anew. One that
  /// exists keeps its counts and permissions.
  static Result<SysvSemaphore> open_or_create(SysvKey key, const std::vector<std::uint16_t>& values,
                                              Permissions permissions = owner_only);
  /// The set of that number, from whoever made it: for sets that programs without Tenon initialise by SETVAL, which
  /// open() cannot tell from half-made ones.
  static SysvSemaphore adopt(int id) noexcept { return SysvSemaphore(id, false); }

  /// All steps at once: either each is done, or none. Waits until all can be. Outcomes: timed_out, stopped (at most one
  /// recheck interval after the Stop was set), closed (the set was removed, also while waiting). Failures:
  /// limit_reached (a count or what is to be undone would pass 32767, and nothing was changed; SEMOPM steps),
  /// permission_denied, invalid_argument (no such semaphore in the set, no steps); in checked builds deadlock, for
  /// those that are used_as_lock(). semtimedop(2)
  Result<void> operate(std::span<const SemaphoreStep> steps, Deadline deadline, TakenAt at = TakenAt::current()) const;
  /// Outcomes: would_block (nothing was changed), closed. Failures: as operate.
  Result<void> try_operate(std::span<const SemaphoreStep> steps, TakenAt at = TakenAt::current()) const;

  /// Takes one. Outcomes and failures: as operate.
  Result<void> wait(std::uint16_t which, Undo undo, Deadline deadline, TakenAt at = TakenAt::current()) const {
    if constexpr (is_checked) {
      return take_in_order(LockHooks::installed(), lock_ref(which), at, !deadline.passed(),
                           [&] { return wait_unrecorded(which, undo, deadline); });
    }
    return wait_unrecorded(which, undo, deadline);
  }
  /// Outcomes: would_block, closed.
  Result<void> try_wait(std::uint16_t which, Undo undo, TakenAt at = TakenAt::current()) const {
    if constexpr (is_checked) {
      return take_in_order(LockHooks::installed(), lock_ref(which), at, false,
                           [&] { return try_wait_unrecorded(which, undo); });
    }
    return try_wait_unrecorded(which, undo);
  }
  /// Gives one; with Undo::at_death it takes back the undoing of a wait. Outcomes: closed. Failures: limit_reached (the
  /// count is `most`, and stays so).
  Result<void> post(std::uint16_t which, Undo undo) const {
    SemaphoreStep step = SemaphoreStep::give(which, 1, undo);
    if (::semtimedop(id_, &step.step_, 1, nullptr) == 0) [[likely]] {
      if constexpr (is_checked) {
        tell_released(which);
      }
      return {};
    }
    return refused(1);
  }
  /// For used_as_lock().
  LockRef lock_ref(std::uint16_t which) const noexcept { return LockRef::of_set(id_, which); }
  /// Waits until the count is 0. Outcomes: as operate.
  Result<void> wait_for_zero(std::uint16_t which, Deadline deadline) const;

  /// The count at this moment. Outcomes: closed. Failures: permission_denied, invalid_argument. semctl(2)
  Result<unsigned> value(std::uint16_t which) const;
  Result<std::vector<std::uint16_t>> values() const;
  /// Sets the count and forgets all that was to be undone on it, for any process. Failures: limit_reached (SEMVMX).
  Result<void> set_value(std::uint16_t which, std::uint16_t value) const;
  /// Who operated on it last, as a process id of this PID namespace: by now it may be another process's. 0 if it was
  /// none, or one of another namespace.
  Result<pid_t> last_process(std::uint16_t which) const;
  /// How many processes and threads wait until there is more, or for zero.
  Result<unsigned> waiting(std::uint16_t which) const;
  Result<unsigned> waiting_for_zero(std::uint16_t which) const;
  Result<SemaphoreSetStatus> status() const;

  int id() const noexcept { return id_; }
  /// Whether this very handle's create() or open_or_create() made the set.
  bool created() const noexcept { return created_; }

  SysvSemaphore(SysvSemaphore&&) noexcept = default;
  SysvSemaphore& operator=(SysvSemaphore&&) noexcept = default;
  SysvSemaphore(const SysvSemaphore&) = delete;
  SysvSemaphore& operator=(const SysvSemaphore&) = delete;
  ~SysvSemaphore() = default;

  /// Removes the set; whoever waits on it is told `closed`. Outcomes: not_found. Failures: permission_denied.
  static Result<void> remove(int id);
  static Result<void> unlink(SysvKey key);

 private:
  struct Seen;
  SysvSemaphore(int id, bool created) noexcept : id_(id), created_(created) {}
  Result<void> wait_unrecorded(std::uint16_t which, Undo undo, Deadline deadline) const {
    SemaphoreStep step = SemaphoreStep::take(which, 1, undo);
    if (deadline.is_unconditional() && ::semtimedop(id_, &step.step_, 1, nullptr) == 0) [[likely]] {
      return {};
    }
    return run(&step.step_, 1, deadline);
  }
  Result<void> try_wait_unrecorded(std::uint16_t which, Undo undo) const {
    SemaphoreStep step = SemaphoreStep::take(which, 1, undo);
    step.step_.sem_flg |= IPC_NOWAIT;
    if (::semtimedop(id_, &step.step_, 1, nullptr) == 0) [[likely]] {
      return {};
    }
    return errno == EAGAIN ? Result<void>(std::unexpect, Errc::would_block, "semop", EAGAIN) : refused(1);
  }
  void tell_released(std::uint16_t which) const {
    if (const LockHooks* const hooks = LockHooks::installed()) {
      hooks->released(lock_ref(which));
    }
  }
  std::vector<LockRef> taken_by(std::span<const SemaphoreStep> steps) const;
  template <class Operate>
  Result<void> recorded(std::span<const SemaphoreStep> steps, TakenAt at, bool may_wait, Operate operate) const;
  inline Result<void> try_operate_unrecorded(std::span<const SemaphoreStep> steps) const;
  static Result<Seen> look(SysvKey key, uid_t owner);
  Result<void> initialise(const std::vector<std::uint16_t>& values) const;
  Result<void> run(const sembuf* steps, std::size_t count, Deadline deadline) const;
  Result<void> refused(std::size_t count) const;
  Error failure(std::size_t count, int os_error) const;
  Result<int> read(int command, std::uint16_t which) const;

  int id_;
  bool created_;
};

}  // namespace tenon

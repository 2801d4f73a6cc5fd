#pragma once
/// A lock on a file, which the kernel drops when its holder dies. fcntl(2), F_OFD_SETLK
#include <tenon/base/contract.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/base/permissions.hpp>
#include <tenon/os/held_file.hpp>
#include <tenon/os/mapping.hpp>

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace tenon {

enum class LockMode : unsigned char { shared, exclusive };

/// Bytes of the file; they need not be there. A length of 0 reaches to the end, however far the file grows.
struct FileRange {
  std::uint64_t start = 0;
  std::uint64_t length = 0;
  friend bool operator==(FileRange, FileRange) = default;
};

/// Who stands in the way of a lock.
struct LockHolder {
  LockMode mode;
  FileRange range;
  /// Those that have the lock's open file description; empty if this process may not look into any of them.
  std::vector<pid_t> processes;
};

/// What a FileLock and the guard of its lock have in common; it stays where it is while they move.
class FileLockState {
 public:
  explicit FileLockState(std::unique_ptr<HeldFile> held) noexcept : file(std::move(held)) {}
  FileLockState(const FileLockState&) = delete;
  FileLockState& operator=(const FileLockState&) = delete;
  ~FileLockState() { expects(!locked, "a lock's guard outlives its handle"); }

  /// fcntl(2) on the range.
  int apply(int command, short type, FileRange bytes) const noexcept {
    struct flock lock{};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(bytes.start);
    lock.l_len = static_cast<off_t>(bytes.length);
    return ::fcntl(file->fd().raw(), command, &lock);
  }

  std::unique_ptr<HeldFile> file;
  FileRange range = {};
  bool locked = false;
};

/// Holds the lock until it goes. To be gone before its FileLock. In a forked child it holds nothing.
class [[nodiscard]] FileLockGuard {
 public:
  FileLockGuard(FileLockGuard&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  FileLockGuard& operator=(FileLockGuard&&) = delete;
  FileLockGuard(const FileLockGuard&) = delete;
  FileLockGuard& operator=(const FileLockGuard&) = delete;
  ~FileLockGuard() {
    if (state_ != nullptr) {
      [[maybe_unused]] const int dropped = release();
    }
  }

  /// Unlocks now and says what went wrong. Failures: in_child.
  Result<void> unlock() &&;

 private:
  friend class FileLock;
  explicit FileLockGuard(FileLockState* state) noexcept : state_(state) {}
  // In a forked child the file is closed, and nothing is unlocked: the lock is the parent's.
  int release() noexcept {
    FileLockState& state = *std::exchange(state_, nullptr);
    state.locked = false;
    return state.file->fd().raw() == -1 ? 0 : state.apply(F_OFD_SETLK, F_UNLCK, state.range);
  }

  FileLockState* state_;
};

/// One who locks, not the file: two handles exclude each other, also in one process and in one thread, and one handle
/// holds one lock at a time. The lock is advisory: it keeps out those who lock too, and nobody's read or write.
///
/// It is dropped when the handle is closed and when its process ends, however it ends, although children forked from
/// it live on: they do not keep the file, and the handle is refused there (in_child). A child of the bare clone(2) or
/// vfork(2) keeps it until it execs. Threads: one at a time on one handle, any number on handles of their own.
class FileLock {
 public:
  /// Makes a new, empty file with exactly these permissions. Outcomes: already_exists. Failures: invalid_name,
  /// permission_denied, no_space, limit_reached (descriptors).
  static Result<FileLock> create(std::string_view path, Permissions permissions = owner_only);
  /// A file opened for reading can be locked shared only. Outcomes: not_found. Failures: permission_denied, which says
  /// why: it is a symlink, or belongs to another user than `owner` (by default the caller); wrong_kind (no regular
  /// file).
  static Result<FileLock> open(std::string_view path, Access access = Access::read_write);
  static Result<FileLock> open(std::string_view path, uid_t owner, Access access = Access::read_write);
  static Result<FileLock> open_or_create(std::string_view path, Permissions permissions = owner_only);
  /// Takes over a descriptor; whoever shares its open file description shares the lock. Failures: no_memory.
  static Result<FileLock> adopt(Fd file);

  /// Outcomes: timed_out, stopped. Failures: permission_denied (exclusive, on a file opened for reading), in_child,
  /// limit_reached (the kernel has no room for more locks), invalid_argument (a range beyond what a file can have).
  /// With `never` the kernel wakes the waiter; with a deadline or a Stop it is asked again and again (os/backoff.hpp),
  /// for it knows no timeout, and so others may come first. fcntl(2)
  Result<FileLockGuard> lock(LockMode mode, Deadline deadline) { return lock(mode, FileRange{}, deadline); }
  Result<FileLockGuard> lock(LockMode mode, FileRange range, Deadline deadline) {
    if (deadline.is_unconditional() && is_usable(range) && set(F_OFD_SETLKW, mode, range) == 0) [[likely]] {
      return locked(range);
    }
    return lock_on(mode, range, deadline);
  }
  /// Outcomes: would_block.
  Result<FileLockGuard> try_lock(LockMode mode, FileRange range = {}) {
    if (is_usable(range) && set(F_OFD_SETLK, mode, range) == 0) [[likely]] {
      return locked(range);
    }
    if (is_usable(range) && (errno == EAGAIN || errno == EACCES)) {
      return Result<FileLockGuard>(std::unexpect, Errc::would_block, "fcntl", EAGAIN);
    }
    return refused(range);
  }

  /// Who keeps an exclusive lock of the range from this handle at this moment; one of them, if there are several. What
  /// it tells may be over by the time it is looked at. Failures: in_child.
  Result<std::optional<LockHolder>> holder(FileRange range = {}) const;

  /// Whether the path still leads to the file that this handle locks. Whoever removes lock files needs it: those who
  /// lock after that lock another file. Outcomes: stale. Failures: in_child.
  Result<void> confirm() const;

  const std::string& path() const noexcept { return path_; }
  FdView fd() const noexcept { return state_->file->fd(); }
  /// Drops the lock that no guard holds any more. Failures: those of close(2).
  Result<void> close() &&;
  /// Removes the name; those who have the file open go on locking it. Outcomes: not_found. Failures: wrong_kind,
  /// permission_denied.
  static Result<void> unlink(std::string_view path);

  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&&) noexcept = default;
  ~FileLock() = default;

 private:
  FileLock(std::unique_ptr<FileLockState> state, std::string path) : state_(std::move(state)), path_(std::move(path)) {}
  static Result<FileLock> hold(const std::string& path, const std::function<Result<Fd>()>& open);
  static constexpr std::uint64_t longest_file = INT64_MAX;
  bool is_usable(FileRange range) const noexcept {
    expects(state_ != nullptr, "a lock was used after it was moved from");
    if (state_->file->fd().raw() == -1) [[unlikely]] {
      return false;
    }
    expects(!state_->locked, "a handle holds one lock at a time: open the file again for another");
    return range.start <= longest_file && range.length <= longest_file - range.start;
  }
  int set(int command, LockMode mode, FileRange range) const noexcept {
    return state_->apply(command, mode == LockMode::shared ? F_RDLCK : F_WRLCK, range);
  }
  FileLockGuard locked(FileRange range) noexcept {
    state_->range = range;
    state_->locked = true;
    return FileLockGuard(state_.get());
  }
  Result<FileLockGuard> lock_on(LockMode mode, FileRange range, Deadline deadline);
  Fail refused(FileRange range) const;
  Result<void> usable(FileRange range) const;

  std::unique_ptr<FileLockState> state_;
  std::string path_;
};

}  // namespace tenon

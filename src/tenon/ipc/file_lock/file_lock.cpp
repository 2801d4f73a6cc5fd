#include <tenon/ipc/file_lock/file_lock.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/base/name.hpp>
#include <tenon/os/backoff.hpp>
#include <tenon/os/create_or_open.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

Fail refused(std::string_view path, const std::string& why) {
  return fail(Error(Errc::permission_denied, "open").on(path).because(why));
}

FileRange range_of(const struct flock& lock) {
  return {.start = static_cast<std::uint64_t>(lock.l_start), .length = static_cast<std::uint64_t>(lock.l_len)};
}

Error lock_failure(const std::string& path, int os_error) {
  switch (os_error) {
    case EBADF:
      return Error(Errc::permission_denied, "fcntl", EBADF)
          .on(path)
          .because("it was opened for reading, and an exclusive lock needs writing");
    case ENOLCK:
      return Error(Errc::limit_reached, "fcntl", ENOLCK).on(path).because("the file system grants no more locks");
    default:
      return os_failure("fcntl", os_error).on(path);
  }
}

// O_NONBLOCK: what stands there may be a FIFO, whose open would wait.
Result<Fd> open_file(const std::string& path, uid_t owner, Access access) {
  const int flags = (access == Access::read ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  auto file = fd_from(uninterrupted([&] { return ::open(path.c_str(), flags); }), "open");
  if (!file) {
    return file.error().os_error() == ELOOP ? refused(path, "it is a symlink") : fail(std::move(file.error()).on(path));
  }
  struct stat status{};
  if (::fstat(file->raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(path));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Error(Errc::wrong_kind, "open").on(path).because("it is no regular file"));
  }
  if (status.st_uid != owner) {
    return refused(path,
                   "it belongs to uid " + std::to_string(status.st_uid) + ", not to uid " + std::to_string(owner));
  }
  return file;
}

Result<Fd> create_at(const std::string& path, Permissions permissions) {
  return create_file(FdView(AT_FDCWD), path.c_str(), permissions);
}

// A lock of a description is nobody's in particular, and the kernel tells no process id of it: whoever has the
// description has the lock.
std::vector<pid_t> processes_with_lock_on(const struct stat& file) {
  std::vector<pid_t> found;
  for (const pid_t pid : procfs::all_processes()) {
    const auto all = procfs::descriptors(pid);
    for (const auto& one : all ? *all : std::vector<procfs::OpenDescriptor>{}) {
      if (one.device != file.st_dev || one.inode != file.st_ino) {
        continue;
      }
      const auto info = procfs::text("/proc/" + std::to_string(pid) + "/fdinfo/" + std::to_string(one.number));
      if (info && info->find("OFDLCK") != std::string::npos) {
        found.push_back(pid);
        break;
      }
    }
  }
  return found;
}

}  // namespace

Result<void> FileLockGuard::unlock() && {
  expects(state_ != nullptr, "a guard unlocks once");
  const bool in_child = state_->file->fd().raw() == -1;
  const bool dropped = release() == 0;
  if (in_child || !dropped) {
    return fail(in_child ? Error(Errc::in_child, "fcntl") : os_failure("fcntl", errno));
  }
  return {};
}

Result<FileLock> FileLock::hold(const std::string& path, const std::function<Result<Fd>()>& open) {
  return HeldFile::open(open).transform(
      [&](std::unique_ptr<HeldFile> file) { return FileLock(std::make_unique<FileLockState>(std::move(file)), path); });
}

Result<FileLock> FileLock::create(std::string_view path, Permissions permissions) {
  return check_path(path).and_then([&] {
    const std::string name(path);
    return hold(name, [&] { return create_at(name, permissions); });
  });
}

Result<FileLock> FileLock::open(std::string_view path, Access access) { return open(path, ::geteuid(), access); }

Result<FileLock> FileLock::open(std::string_view path, uid_t owner, Access access) {
  return check_path(path).and_then([&] {
    const std::string name(path);
    return hold(name, [&] { return open_file(name, owner, access); });
  });
}

Result<FileLock> FileLock::open_or_create(std::string_view path, Permissions permissions) {
  return create_or_open("open", path, [&] { return create(path, permissions); }, [&] { return open(path); });
}

Result<FileLock> FileLock::adopt(Fd file) {
  return hold("", [&] { return Result<Fd>(std::move(file)); });
}

Result<void> FileLock::usable(FileRange range) const {
  expects(state_ != nullptr, "a lock was used after it was moved from");
  if (state_->file->fd().raw() == -1) {
    return fail(Error(Errc::in_child, "fcntl").on(path_));
  }
  if (range.start > longest_file || range.length > longest_file - range.start) {
    return fail(Error(Errc::invalid_argument, "fcntl").on(path_).because("no file reaches as far as that range"));
  }
  return {};
}

// Why a call that set the lock, or would have, did not: errno is what that left.
Fail FileLock::refused(FileRange range) const {
  const int error = errno;
  auto may = usable(range);
  return fail(may ? lock_failure(path_, error) : std::move(may.error()));
}

Result<FileLockGuard> FileLock::lock_on(LockMode mode, FileRange range, Deadline deadline) {
  if (!is_usable(range)) {
    return refused(range);
  }
  if (deadline.is_unconditional()) {
    const int done = uninterrupted([&] { return set(F_OFD_SETLKW, mode, range); });
    return done == 0 ? Result<FileLockGuard>(locked(range)) : refused(range);
  }
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "fcntl");
  }
  Backoff backoff(deadline);
  while (set(F_OFD_SETLK, mode, range) == -1) {
    if (errno != EAGAIN && errno != EACCES) {
      return refused(range);
    }
    if (auto slept = backoff.sleep(); !slept) {
      return fail(std::move(slept.error()));
    }
  }
  return locked(range);
}

Result<std::optional<LockHolder>> FileLock::holder(FileRange range) const {
  if (auto may = usable(range); !may) {
    return fail(std::move(may.error()));
  }
  struct flock found{};
  found.l_type = F_WRLCK;
  found.l_start = static_cast<off_t>(range.start);
  found.l_len = static_cast<off_t>(range.length);
  struct stat file{};
  if (::fcntl(fd().raw(), F_OFD_GETLK, &found) == -1 || ::fstat(fd().raw(), &file) == -1) {
    return fail(os_failure("fcntl", errno).on(path_));
  }
  if (found.l_type == F_UNLCK) {
    return std::nullopt;
  }
  return LockHolder{.mode = found.l_type == F_RDLCK ? LockMode::shared : LockMode::exclusive,
                    .range = range_of(found),
                    .processes = found.l_pid > 0 ? std::vector<pid_t>{found.l_pid} : processes_with_lock_on(file)};
}

Result<void> FileLock::confirm() const {
  if (auto may = usable(FileRange{}); !may) {
    return may;
  }
  struct stat held{};
  struct stat named{};
  if (::fstat(fd().raw(), &held) == -1) {
    return fail(os_failure("fstat", errno).on(path_));
  }
  const bool there = path_.empty() ? held.st_nlink > 0 : ::lstat(path_.c_str(), &named) == 0;
  const bool same = path_.empty() || (named.st_dev == held.st_dev && named.st_ino == held.st_ino);
  return there && same ? Result<void>()
                       : fail(Error(Errc::stale, "fcntl").on(path_).because("the file was removed or replaced"));
}

Result<void> FileLock::close() && {
  expects(state_ != nullptr && !state_->locked, "a lock is closed after its guard has gone");
  return std::exchange(state_, nullptr)->file->close();
}

Result<void> FileLock::unlink(std::string_view path) {
  return check_path(path).and_then([&]() -> Result<void> {
    const std::string name(path);
    struct stat status{};
    if (::lstat(name.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
      return fail(Error(Errc::wrong_kind, "unlink").on(name).because("it is no regular file"));
    }
    return ::unlink(name.c_str()) == -1 ? fail(os_failure("unlink", errno).on(name)) : Result<void>();
  });
}

}  // namespace tenon

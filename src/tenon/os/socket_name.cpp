#include <tenon/os/socket_name.hpp>

#include <tenon/base/deadline.hpp>
#include <tenon/os/backoff.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/system_call.hpp>
#include <tenon/os/unix_socket.hpp>

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

// Those who bind hold the lock for microseconds; whoever holds it longer than this means no good, or is stopped.
constexpr auto lock_patience = std::chrono::seconds(5);

const char* kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFLNK:
      return "a symlink";
    case S_IFREG:
      return "a regular file";
    case S_IFDIR:
      return "a directory";
    case S_IFIFO:
      return "a FIFO";
    default:
      return "a device";
  }
}

Fail refused(const char* call, std::string_view path, const std::string& why) {
  return fail(Error(Errc::permission_denied, call).on(path).because(why));
}

// The lock on a path's directory; nothing where the directory may not be read, and so not be locked.
class DirectoryLock {
 public:
  static Result<std::optional<DirectoryLock>> take(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    auto fd =
        fd_from(uninterrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }), "open");
    if (!fd) {
      return fd.failed_with(Errc::permission_denied) ? Result<std::optional<DirectoryLock>>(std::nullopt)
                                                     : fail(std::move(fd.error()).on(path));
    }
    Backoff backoff(after(lock_patience));
    while (::flock(fd->raw(), LOCK_EX | LOCK_NB) == -1) {
      if (errno != EWOULDBLOCK && errno != EINTR) {
        return std::optional<DirectoryLock>();  // a file system without locks
      }
      if (!backoff.sleep()) {
        return fail(
            Error(Errc::would_block, "flock").on(path).because("somebody holds the lock (flock) on its directory"));
      }
    }
    return std::optional(DirectoryLock(std::move(*fd)));
  }
  DirectoryLock(DirectoryLock&&) noexcept = default;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  // Said, not left to the close: a child that was forked meanwhile shares the lock, and would go on holding it.
  ~DirectoryLock() {
    if (fd_.owns()) {
      ::flock(fd_.raw(), LOCK_UN);
    }
  }

 private:
  explicit DirectoryLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// What stands at the path itself, be it a symlink; neither opened nor followed.
Result<Fd> hold(const char* call, const std::string& path) {
  auto held = fd_from(uninterrupted([&] { return ::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC); }), call);
  return held ? std::move(held) : fail(std::move(held.error()).on(path));
}

Result<struct stat> status_of(const char* call, FdView held, const std::string& path) {
  struct stat status{};
  if (::fstat(held.raw(), &status) == -1) {
    return fail(os_failure(call, errno).on(path));
  }
  return status;
}

Result<void> check(const char* call, const struct stat& status, const std::string& path, uid_t owner) {
  if (!S_ISSOCK(status.st_mode)) {
    return refused(call, path, std::string("it is ") + kind_of(status.st_mode) + ", not a socket");
  }
  if (status.st_uid != owner) {
    return refused(call, path,
                   "it belongs to uid " + std::to_string(status.st_uid) + ", not to uid " + std::to_string(owner));
  }
  if (status.st_nlink == 0) {
    return fail(Error(Errc::not_found, call).on(path).because("it has just been removed"));
  }
  if (status.st_nlink > 1) {
    return refused(call, path, "it has another name too (a hard link), so somebody else may have put it there");
  }
  return {};
}

Result<Fd> hold_checked(const char* call, const std::string& path, uid_t owner) {
  return hold(call, path).and_then([&](Fd held) -> Result<Fd> {
    auto checked = status_of(call, held.view(), path).and_then([&](const struct stat& status) {
      return check(call, status, path, owner);
    });
    return checked ? Result<Fd>(std::move(held)) : fail(std::move(checked.error()));
  });
}

// 0 or EPROTOTYPE or EPERM: a socket is bound there; ECONNREFUSED: none is.
int ask(FdView probe, FdView held) {
  const UnixAddress address = address_of_held(held);
  return ::connect(probe.raw(), address.raw(), address.length()) == 0 ? 0 : errno;
}

// One whose creator died before it had its mode keeps even its owner out: whoever has the lock may give it one.
int ask_as_owner(FdView probe, FdView held) {
  struct stat before{};
  if (::fstat(held.raw(), &before) == -1 || !set_exact_mode(held, owner_only)) {
    return EACCES;
  }
  const int answer = ask(probe, held);
  if (answer != ECONNREFUSED) {
    [[maybe_unused]] const auto restored = set_exact_mode(held, Permissions(before.st_mode & 0777));
  }
  return answer;
}

// A datagram socket's connect is refused by the other kinds, and reaching one of its own leaves no trace there.
Result<bool> is_alive(FdView held, const std::string& path, bool locked) {
  auto probe = make_socket(SocketKind::datagram);
  if (!probe) {
    return fail(std::move(probe.error()));
  }
  int answer = ask(probe->view(), held);
  if (answer == EACCES && locked) {
    answer = ask_as_owner(probe->view(), held);
  }
  switch (answer) {
    case 0:
    case EPROTOTYPE:
    case EPERM:
      return true;
    case ECONNREFUSED:
      return false;
    case ENOENT:  // what is held cannot vanish
      return fail(Error(Errc::not_supported, "bind", ENOENT).on(path).because("/proc is not mounted here"));
    default:
      return fail(os_failure("bind", answer).on(path).because("whether it is in use cannot be asked"));
  }
}

bool leads_to(const std::string& path, FdView held) {
  struct stat there{};
  struct stat here{};
  return ::lstat(path.c_str(), &there) == 0 && ::fstat(held.raw(), &here) == 0 && there.st_dev == here.st_dev &&
         there.st_ino == here.st_ino;
}

// Removes a dead socket's file. Outcomes: not_found, already_exists, stale.
Result<void> clear(const std::string& path, bool locked) {
  auto held = hold_checked("bind", path, ::geteuid());
  if (!held) {
    return fail(std::move(held.error()));
  }
  auto alive = is_alive(held->view(), path, locked);
  if (!alive) {
    return fail(std::move(alive.error()));
  }
  if (*alive) {
    return fail(Error(Errc::already_exists, "bind").on(path).because("a living socket has this name"));
  }
  if (!locked) {
    return fail(Error(Errc::stale, "bind")
                    .on(path)
                    .because("its socket is dead, but its directory cannot be locked; unlink the name first"));
  }
  // Only those who hold no lock can have put another there since.
  if (leads_to(path, held->view()) && ::unlink(path.c_str()) == -1 && errno != ENOENT) {
    return fail(os_failure("unlink", errno).on(path).because("a dead socket has this name"));
  }
  return {};
}

Result<void> bind_once(FdView socket, const UnixAddress& address) {
  if (::bind(socket.raw(), address.raw(), address.length()) == -1) {
    return fail(os_failure("bind", errno).on(address.text()));
  }
  return {};
}

// Takes back what was bound, when it cannot be completed; leaves what somebody else has put there meanwhile.
void unmake(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) && status.st_uid == ::geteuid()) {
    ::unlink(path.c_str());
  }
}

// The kernel gives the file the socket's own mode less the umask: never more than was asked for, and here the rest.
Result<void> complete(const std::string& path, Permissions permissions) {
  auto completed = hold_checked("bind", path, ::geteuid()).and_then([&](const Fd& held) {
    return set_exact_mode(held.view(), permissions);
  });
  if (!completed) {
    unmake(path);
    return fail(std::move(completed.error()).on(path));
  }
  return {};
}

Result<void> bind_path(FdView socket, const UnixAddress& address, Permissions permissions) {
  constexpr int most_turns = 16;  // each lost turn is somebody's bind or unlink in between
  const std::string path(address.name());
  const auto lock = DirectoryLock::take(path);
  if (!lock) {
    return fail(lock.error());
  }
  for (int turn = 0; turn < most_turns; ++turn) {
    if (::fchmod(socket.raw(), permissions.mode()) == -1) {
      return fail(os_failure("fchmod", errno).on(path));
    }
    auto bound = bind_once(socket, address);
    if (bound) {
      return complete(path, permissions);
    }
    if (!bound.failed_with(Errc::already_exists)) {
      return bound;
    }
    if (auto cleared = clear(path, lock->has_value()); !cleared && !cleared.failed_with(Errc::not_found)) {
      return cleared;
    }
  }
  return fail(Error(Errc::already_exists, "bind").on(path).because("somebody takes it again and again"));
}

}  // namespace

Result<void> bind_socket(FdView socket, const UnixAddress& address, Permissions permissions) {
  if (address.is_abstract()) {
    return bind_once(socket, address);
  }
  if ((permissions.mode() & 0200) == 0) {
    return fail(Error(Errc::invalid_argument, "bind")
                    .on(address.name())
                    .because("its owner must be able to write it, or could not tell whether it is dead"));
  }
  return bind_path(socket, address, permissions);
}

Result<Fd> hold_socket(const std::string& path, uid_t owner) { return hold_checked("connect", path, owner); }

UnixAddress address_of_held(FdView held) {
  return *UnixAddress::path(procfs::link_to(held));  // always fits
}

Result<void> unlink_socket(std::string_view name) {
  auto address = UnixAddress::parse(name);
  if (!address) {
    return fail(std::move(address.error()));
  }
  if (address->is_abstract()) {
    return fail(Error(Errc::wrong_kind, "unlink").on(name).because("an abstract name goes with its socket"));
  }
  const std::string path(name);
  auto status = hold("unlink", path).and_then([&](const Fd& held) { return status_of("unlink", held.view(), path); });
  if (!status) {
    return fail(std::move(status.error()));
  }
  if (!S_ISSOCK(status->st_mode)) {
    return fail(Error(Errc::wrong_kind, "unlink").on(path).because(std::string("it is ") + kind_of(status->st_mode)));
  }
  if (::unlink(path.c_str()) == -1) {
    return fail(os_failure("unlink", errno).on(path));
  }
  return {};
}

Result<void> unlink_dead_socket(const std::string& path) {
  const auto lock = DirectoryLock::take(path);
  return lock ? clear(path, lock->has_value()) : fail(lock.error());
}

}  // namespace tenon

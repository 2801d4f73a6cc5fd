#include <tenon/ipc/posix_memory/posix_memory.hpp>

#include <tenon/base/deadline.hpp>
#include <tenon/base/name.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/file_kind.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/reserve.hpp>
#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

// A program needs microseconds between shm_open and ftruncate; one that needs longer than this has died.
constexpr auto half_made_patience = std::chrono::milliseconds(100);
constexpr auto half_made_recheck = std::chrono::milliseconds(1);

constexpr const char* directory = "/dev/shm";

// "/jobs", of "jobs" or "/jobs".
Result<std::string> checked_name(std::string_view name) {
  auto checked = Name::make(name.starts_with('/') ? name.substr(1) : name);
  if (!checked) {
    return fail(Error(Errc::invalid_name, "shm_open").on(name).because(checked.error().detail()));
  }
  return "/" + checked->text();
}

std::string path_of(const std::string& name) { return directory + name; }

Fail refused(const char* call, const std::string& name, const std::string& why) {
  return fail(Error(Errc::permission_denied, call).on(name).because(why));
}

Fail refused_owner(const char* call, const std::string& name, uid_t owner, uid_t expected) {
  return refused(call, name, "it belongs to uid " + std::to_string(owner) + ", not to uid " + std::to_string(expected));
}

Result<struct stat> status_of(FdView file) {
  struct stat status{};
  if (::fstat(file.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  return status;
}

Result<void> check(const struct stat& status, const std::string& name, uid_t owner) {
  if (!S_ISREG(status.st_mode)) {
    return refused("shm_open", name, std::string("it is ") + file_kind(status.st_mode) + ", not memory");
  }
  if (status.st_uid != owner) {
    return refused_owner("shm_open", name, status.st_uid, owner);
  }
  if (status.st_nlink == 0) {
    return fail(Error(Errc::not_found, "shm_open").on(name).because("it has just been removed"));
  }
  if (status.st_nlink > 1) {
    return refused("shm_open", name, "it has another name too (a hard link), so somebody else may have put it there");
  }
  return {};
}

// Why the kernel did not open it: what stands there tells more than the errno.
Error open_failure(int os_error, const std::string& name, uid_t owner) {
  struct stat status{};
  if (os_error != ENOENT && ::lstat(path_of(name).c_str(), &status) == 0) {
    if (auto checked = check(status, name, owner); checked.failed_with(Errc::permission_denied)) {
      return std::move(checked.error());
    }
  }
  return descriptor_failure("shm_open", os_error).on(name);
}

struct Opened {
  Fd file;
  bool half_made;
};

// Never waits for a peer, as open(2) does if a FIFO was planted there; waits a moment for one that has no length yet.
Result<Opened> open_checked(const std::string& name, Access access, uid_t owner) {
  const int flags = (access == Access::read ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  const int raw = uninterrupted([&] { return ::open(path_of(name).c_str(), flags); });
  if (raw == -1) {
    return fail(open_failure(errno, name, owner));
  }
  Fd file = Fd::adopt(raw);
  const Deadline patience = after(half_made_patience);
  while (true) {
    auto status = status_of(file.view());
    if (auto checked = status ? check(*status, name, owner) : Result<void>(fail(status.error())); !checked) {
      return fail(std::move(checked.error()));
    }
    if (status->st_size > 0 || patience.passed()) {
      return Opened{.file = std::move(file), .half_made = status->st_size == 0};
    }
    [[maybe_unused]] const auto slept = sleep_until(after(half_made_recheck));
  }
}

// Removes what has no length, under a lock that one holds at a time: a second cleaner finds that the name leads
// elsewhere by then, and leaves it.
void remove_half_made(const std::string& name, const Fd& file) {
  struct stat held{};
  struct stat named{};
  if (::flock(file.raw(), LOCK_EX | LOCK_NB) == -1 || ::fstat(file.raw(), &held) == -1 ||
      ::lstat(path_of(name).c_str(), &named) == -1) {
    return;
  }
  if (held.st_size == 0 && named.st_ino == held.st_ino && named.st_dev == held.st_dev) {
    ::unlink(path_of(name).c_str());
  }
}

Error with_remedy(Error error) {
  if (error == Errc::no_space && error.limit() != nullptr) {
    Limit limit = *error.limit();
    limit.name += std::string(" in ") + directory;
    limit.remedy = "remove what nobody needs, or enlarge it with: mount -o remount,size=N /dev/shm";
    return std::move(error).with(std::move(limit));
  }
  return error;
}

// Without a name nobody meets it, and it goes with its creator.
Result<Fd> unnamed_file(std::size_t size, Permissions permissions) {
  const int flags = O_TMPFILE | O_RDWR | O_CLOEXEC;
  auto file = fd_from(uninterrupted([&] { return ::open(directory, flags, permissions.mode()); }), "open");
  if (!file) {
    return fail(std::move(file.error()).on(directory));
  }
  if (auto set = set_exact_mode(file->view(), permissions); !set) {
    return fail(std::move(set.error()));
  }
  if (auto reserved = reserve(file->view(), 0, size); !reserved) {
    return fail(with_remedy(std::move(reserved.error())));
  }
  return file;
}

Result<void> initialised(FdView file, std::size_t size, const PosixMemory::Initialise& initialise) {
  if (!initialise) {
    return {};
  }
  return Mapping::of_file(file, size, Access::read_write).transform([&](const Mapping& memory) {
    initialise(memory.bytes());
  });
}

// Gives it its name if nobody has taken that.
Result<void> publish(FdView file, const std::string& name) {
  if (::linkat(AT_FDCWD, procfs::link_to(file).c_str(), AT_FDCWD, path_of(name).c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return {};
  }
  if (errno == ENOENT) {  // what the descriptor leads to cannot vanish
    return fail(Error(Errc::not_supported, "linkat", ENOENT).because("/proc is not mounted here"));
  }
  return fail(os_failure("linkat", errno));
}

bool taken(const std::string& name) {
  struct stat status{};
  return ::lstat(path_of(name).c_str(), &status) == 0;
}

Result<void> check_size(std::size_t size, const std::string& name) {
  if (size == 0) {
    return fail(Error(Errc::invalid_argument, "shm_open").on(name).because("memory has at least one byte"));
  }
  return {};
}

Result<PosixMemory> enough(PosixMemory memory, std::size_t wanted) {
  auto size = memory.size();
  if (!size) {
    return fail(std::move(size.error()));
  }
  if (*size < wanted) {
    return fail(Error(Errc::invalid_argument, "shm_open")
                    .on(memory.name())
                    .because("it exists with " + std::to_string(*size) + " bytes, " + std::to_string(wanted) +
                             " were asked for; resize makes it longer"));
  }
  return memory;
}

}  // namespace

Result<PosixMemory> PosixMemory::create(std::string_view name, std::size_t size, Permissions permissions,
                                        const Initialise& initialise) {
  return create_prepared(name, size, permissions, [&](FdView file) { return initialised(file, size, initialise); });
}

Result<PosixMemory> PosixMemory::create_prepared(std::string_view name, std::size_t size, Permissions permissions,
                                                 const Prepare& prepare) {
  auto checked = checked_name(name);
  if (auto fits = checked ? check_size(size, *checked) : Result<void>(fail(checked.error())); !fits) {
    return fail(std::move(fits.error()));
  }
  if (taken(*checked)) {  // asked before the work rather than after it; publish asks again
    return fail(Error(Errc::already_exists, "shm_open").on(*checked));
  }
  return unnamed_file(size, permissions).and_then([&](Fd file) -> Result<PosixMemory> {
    auto published = prepare(file.view()).and_then([&] { return publish(file.view(), *checked); });
    if (!published) {
      return fail(std::move(published.error()).on(*checked));
    }
    return PosixMemory(std::move(file), std::move(*checked));
  });
}

Result<PosixMemory> PosixMemory::open(std::string_view name, Access access) { return open(name, access, ::geteuid()); }

Result<PosixMemory> PosixMemory::open(std::string_view name, Access access, uid_t owner) {
  auto checked = checked_name(name);
  if (!checked) {
    return fail(std::move(checked.error()));
  }
  return open_checked(*checked, access, owner).and_then([&](Opened opened) -> Result<PosixMemory> {
    if (opened.half_made) {
      return fail(Error(Errc::stale, "shm_open")
                      .on(*checked)
                      .because("it has no length: its creator died half-way; open_or_create replaces it"));
    }
    return PosixMemory(std::move(opened.file), std::move(*checked));
  });
}

Result<PosixMemory> PosixMemory::open_or_create(std::string_view name, std::size_t size, Permissions permissions,
                                                const Initialise& initialise) {
  auto checked = checked_name(name);
  if (auto fits = checked ? check_size(size, *checked) : Result<void>(fail(checked.error())); !fits) {
    return fail(std::move(fits.error()));
  }
  constexpr int most_turns = 16;  // each lost turn is somebody else's create, unlink or clean-up in between
  for (int turn = 0; turn < most_turns; ++turn) {
    auto opened = open_checked(*checked, Access::read_write, ::geteuid());
    if (opened && !opened->half_made) {
      return enough(PosixMemory(std::move(opened->file), *checked), size);
    }
    if (opened) {
      remove_half_made(*checked, opened->file);
    } else if (!opened.failed_with(Errc::not_found)) {
      return fail(std::move(opened.error()));
    }
    auto created = create(name, size, permissions, initialise);
    if (!created.failed_with(Errc::already_exists)) {
      return created;
    }
  }
  return fail(Error(Errc::not_found, "shm_open").on(*checked).because("somebody removes it again and again"));
}

Result<Mapping> PosixMemory::map(Access access) const {
  struct stat status;
  if (::fstat(fd_.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(name_));
  }
  return Mapping::of_file(fd(), static_cast<std::size_t>(status.st_size), access);
}

Result<Mapping> PosixMemory::map(std::size_t offset, std::size_t length, Access access) const {
  auto size = this->size();
  if (!size) {
    return fail(std::move(size.error()));
  }
  if (offset > *size || length > *size - offset) {
    return fail(Error(Errc::invalid_argument, "mmap")
                    .on(name_)
                    .because(std::to_string(length) + " bytes from " + std::to_string(offset) +
                             " on do not lie within its " + std::to_string(*size) + " bytes"));
  }
  return Mapping::of_file(fd(), offset, length, access);
}

Result<std::size_t> PosixMemory::size() const {
  struct stat status;
  if (::fstat(fd_.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(name_));
  }
  return static_cast<std::size_t>(status.st_size);
}

// Two who resize at once could each give back what the other has just got. The lock belongs to a description of its
// own, so that it holds between threads and forked children too; the kernel drops it at death.
Result<void> PosixMemory::resize(std::size_t size) {
  auto own =
      fd_from(uninterrupted([&] { return ::open(procfs::link_to(fd()).c_str(), O_RDONLY | O_CLOEXEC); }), "open");
  if (!own) {
    return fail(std::move(own.error()).on(name_));
  }
  if (::flock(own->raw(), LOCK_EX | LOCK_NB) == -1) {
    return fail(os_failure("flock", errno).on(name_));
  }
  auto resized = this->size().and_then([&](std::size_t now) -> Result<void> {
    if (size < now) {
      return fail(Error(Errc::invalid_argument, "ftruncate")
                      .because("it has " + std::to_string(now) +
                               " bytes; who has them mapped would be killed for touching what is cut off"));
    }
    return reserve(fd(), now, size);
  });
  ::flock(own->raw(), LOCK_UN);  // said, since a child forked meanwhile has the description too
  if (!resized) {
    return fail(with_remedy(std::move(resized.error()).on(name_)));
  }
  return {};
}

Result<void> PosixMemory::still_has(std::size_t bytes) const {
  return size().and_then([&](std::size_t size) -> Result<void> {
    if (size < bytes) {
      return fail(Error(Errc::corrupt, "fstat")
                      .on(name_)
                      .because("somebody has truncated it to " + std::to_string(size) + " of " + std::to_string(bytes) +
                               " bytes; touching the rest raises SIGBUS"));
    }
    return {};
  });
}

Result<void> PosixMemory::unlink(std::string_view name) {
  auto checked = checked_name(name);
  if (!checked) {
    return fail(std::move(checked.error()));
  }
  struct stat status{};
  if (::lstat(path_of(*checked).c_str(), &status) == -1) {
    return fail(os_failure("shm_unlink", errno).on(*checked));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Error(Errc::wrong_kind, "shm_unlink")
                    .on(*checked)
                    .because(std::string("it is ") + file_kind(status.st_mode) + ", not memory"));
  }
  if (::unlink(path_of(*checked).c_str()) == -1) {
    const bool denied = errno == EACCES || errno == EPERM;
    return denied ? refused_owner("shm_unlink", *checked, status.st_uid, ::geteuid())
                  : fail(os_failure("shm_unlink", errno).on(*checked));
  }
  return {};
}

}  // namespace tenon

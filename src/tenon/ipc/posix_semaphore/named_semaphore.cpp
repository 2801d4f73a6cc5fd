#include <tenon/ipc/posix_semaphore/named_semaphore.hpp>

#include <tenon/base/name.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/create_or_open.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/system_call.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr const char* directory = "/dev/shm";
constexpr std::string_view prefix = "sem.";

// Whoever makes one in another way than Tenon needs microseconds to fill it; one that needs longer has died.
constexpr auto half_made_patience = std::chrono::milliseconds(100);
constexpr auto half_made_recheck = std::chrono::milliseconds(1);

Result<std::string> path_of(std::string_view name) {
  const std::string_view bare = name.starts_with('/') ? name.substr(1) : name;
  return Name::make(bare, prefix.size()).transform([](const Name& checked) {
    return std::string(directory) + "/" + std::string(prefix) + checked.text();
  });
}

Fail refused(std::string_view path, const std::string& why) {
  return fail(Error(Errc::permission_denied, "open").on(path).because(why));
}

std::string belongs_to(uid_t owner) { return "it belongs to uid " + std::to_string(owner); }

// A file that is nowhere: nobody meets it half-made, and it is gone with its creator.
Result<Fd> unnamed_file(Permissions permissions) {
  auto file = fd_from(
      uninterrupted([&] { return ::open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, permissions.mode()); }), "open");
  if (file.failed_with(Errc::not_found) || file.failed_with(Errc::not_supported) ||
      file.failed_with(Errc::wrong_kind)) {
    return fail(Error(Errc::not_supported, "open", file.error().os_error())
                    .on(directory)
                    .because("named semaphores need a tmpfs there"));
  }
  if (!file) {
    return fail(std::move(file.error()).on(directory));
  }
  if (auto set = set_exact_mode(file->view(), permissions); !set) {
    return fail(std::move(set.error()).on(directory));
  }
  return file;
}

// Written and not only lengthened: on a full tmpfs the first touch of a hole would end the process (SIGBUS).
Result<void> reserve(FdView file) {
  constexpr std::array<std::byte, sizeof(sem_t)> nothing{};
  const auto written = uninterrupted([&] { return ::write(file.raw(), nothing.data(), nothing.size()); });
  if (written != static_cast<ssize_t>(nothing.size())) {
    return fail(os_failure("write", written == -1 ? errno : ENOSPC));
  }
  return {};
}

Result<void> give_name(FdView file, const std::string& path) {
  if (::linkat(AT_FDCWD, procfs::link_to(file).c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return {};
  }
  if (errno == ENOENT) {  // the file is held, so it is the link to it that is missing
    return fail(Error(Errc::not_supported, "link", ENOENT).on(path).because("/proc is not mounted here"));
  }
  return fail(os_failure("link", errno).on(path));
}

// O_NONBLOCK and O_NOCTTY: what stands there may be no file at all.
Result<Fd> open_file(const std::string& path) {
  constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  auto file = fd_from(uninterrupted([&] { return ::open(path.c_str(), flags); }), "open");
  if (file) {
    return file;
  }
  struct stat status{};
  const bool there = ::lstat(path.c_str(), &status) == 0;
  if (there && S_ISLNK(status.st_mode)) {
    return refused(path, "it is a symlink, not a semaphore");
  }
  if (there && file.failed_with(Errc::permission_denied)) {
    return refused(path, belongs_to(status.st_uid) + ", who lets nobody else in");
  }
  return fail(std::move(file.error()).on(path));
}

enum class Found : unsigned char { whole, half_made };

// Failures say what stands there that is no semaphore of that user's.
Result<Found> look_at(FdView file, const std::string& path, uid_t owner) {
  struct stat status{};
  if (::fstat(file.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(path));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Error(Errc::wrong_kind, "open").on(path).because("it is no semaphore but something that is no file"));
  }
  if (status.st_uid != owner) {
    return refused(path, belongs_to(status.st_uid) + ", not to uid " + std::to_string(owner));
  }
  if (status.st_nlink == 0) {
    return fail(Error(Errc::not_found, "open").on(path).because("it has just been removed"));
  }
  if (status.st_size == 0) {
    return Found::half_made;
  }
  if (status.st_size != sizeof(sem_t)) {
    return fail(Error(Errc::wrong_kind, "open")
                    .on(path)
                    .because("it has " + std::to_string(status.st_size) + " bytes, and a semaphore has " +
                             std::to_string(sizeof(sem_t))));
  }
  // sem_open(3) links a new one and then removes the name under which it was made.
  return status.st_nlink == 1 ? Found::whole : Found::half_made;
}

Error unfinished(FdView file, const std::string& path) {
  struct stat status{};
  if (::fstat(file.raw(), &status) == 0 && status.st_nlink > 1) {
    return Error(Errc::permission_denied, "open")
        .on(path)
        .because("it has another name too (a hard link), so somebody else may have put it there");
  }
  return Error(Errc::stale, "open").on(path).because("whoever was making it died half-way; unlink it");
}

Result<Fd> open_whole(const std::string& path, uid_t owner) {
  const Deadline patience = after(half_made_patience);
  while (true) {
    auto file = open_file(path);
    if (!file) {
      return file;
    }
    auto found = look_at(file->view(), path, owner);
    if (!found) {
      return fail(std::move(found.error()));
    }
    if (*found == Found::whole) {
      return file;
    }
    if (patience.passed()) {
      return fail(unfinished(file->view(), path));
    }
    [[maybe_unused]] const auto slept = sleep_until(after(half_made_recheck));
  }
}

}  // namespace

Result<NamedSemaphore> NamedSemaphore::of_file(FdView file, bool created) {
  return Mapping::of_file(file, sizeof(sem_t), Access::read_write).transform([=](Mapping memory) {
    return NamedSemaphore(std::move(memory), created);
  });
}

Result<NamedSemaphore> NamedSemaphore::create(std::string_view name, unsigned value, Permissions permissions) {
  auto path = path_of(name);
  if (!path) {
    return fail(std::move(path.error()));
  }
  if (auto possible = check_value(value, "sem_open"); !possible) {
    return fail(std::move(possible.error()).on(*path));
  }
  return unnamed_file(permissions).and_then([&](const Fd& file) -> Result<NamedSemaphore> {
    auto made = reserve(file.view()).and_then([&] { return of_file(file.view(), true); });
    if (!made) {
      return fail(std::move(made.error()).on(*path));
    }
    if (::sem_init(made->native(), 1, value) == -1) {
      return fail(os_failure("sem_init", errno).on(*path));
    }
    auto named = give_name(file.view(), *path);
    return named ? std::move(made) : Result<NamedSemaphore>(fail(std::move(named.error())));
  });
}

Result<NamedSemaphore> NamedSemaphore::open(std::string_view name) { return open(name, ::geteuid()); }

Result<NamedSemaphore> NamedSemaphore::open(std::string_view name, uid_t owner) {
  return path_of(name).and_then([&](const std::string& path) {
    return open_whole(path, owner).and_then([](const Fd& file) { return of_file(file.view(), false); });
  });
}

Result<NamedSemaphore> NamedSemaphore::open_or_create(std::string_view name, unsigned value, Permissions permissions) {
  return create_or_open("open", name, [&] { return create(name, value, permissions); }, [&] { return open(name); });
}

Result<void> NamedSemaphore::unlink(std::string_view name) {
  return path_of(name).and_then([](const std::string& path) -> Result<void> {
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
      return fail(Error(Errc::wrong_kind, "unlink").on(path).because("what stands there is no semaphore"));
    }
    if (::unlink(path.c_str()) == -1) {
      const Error failure = os_failure("unlink", errno);
      return failure == Errc::permission_denied ? fail(Error(failure).on(path).because(belongs_to(status.st_uid)))
                                                : fail(Error(failure).on(path));
    }
    return {};
  });
}

}  // namespace tenon

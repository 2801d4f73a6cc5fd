#include <tenon/os/sharing.hpp>

#include <tenon/os/exact_mode.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/reserve.hpp>
#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

// By the link in /proc: to link a descriptor itself wants a capability, or a kernel newer than most.
Result<void> give_name(FdView file, FdView directory, const std::string& name) {
  if (::linkat(AT_FDCWD, procfs::link_to(file).c_str(), directory.raw(), name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return {};
  }
  const int why = errno;
  if (why == ENOENT && ::access("/proc/self/fd", F_OK) == -1) {
    return fail(Error(Errc::not_supported, "linkat", why).because("/proc is not mounted here"));
  }
  return fail(os_failure("linkat", why));
}

}  // namespace

Result<Sharing> Sharing::of(FdView directory) {
  struct stat status{};
  if (::fstat(directory.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  return Sharing{.mode = status.st_mode & 0777U, .group = status.st_gid};
}

bool Sharing::is_shared() const noexcept { return (mode & S_IWGRP) != 0; }

Result<void> give_to_group(FdView made, const Sharing& sharing) {
  struct stat status{};
  if (!sharing.is_shared()) {
    return {};
  }
  if (::fstat(made.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  // Another's directory, which was there already: it is for its owner to share.
  if (status.st_gid != sharing.group && status.st_uid == ::geteuid() &&
      ::fchown(made.raw(), static_cast<uid_t>(-1), sharing.group) == -1) {
    return fail(os_failure("fchown", errno).because("the others of the domain would not see it"));
  }
  return {};
}

Result<void> give_name_to_group(FdView directory, const std::string& name, const Sharing& sharing) {
  if (sharing.is_shared() &&
      ::fchownat(directory.raw(), name.c_str(), static_cast<uid_t>(-1), sharing.group, AT_SYMLINK_NOFOLLOW) == -1) {
    return fail(os_failure("fchownat", errno).on(name).because("the others of the domain could not write there"));
  }
  return {};
}

Result<SharedFile> make_shared_file(FdView directory, const std::string& name, std::size_t bytes,
                                    Permissions permissions, const std::function<void(MutableBytes)>& fill) {
  const auto sharing = Sharing::of(directory);
  if (!sharing) {
    return fail(Error(sharing.error()));
  }
  auto fd = fd_from(
      uninterrupted([&] { return ::openat(directory.raw(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, permissions.mode()); }),
      "openat");
  if (!fd) {
    return fail(std::move(fd.error()).on(name));
  }
  auto memory = set_exact_mode(fd->view(), permissions)
                    .and_then([&] { return give_to_group(fd->view(), *sharing); })
                    .and_then([&] { return reserve(fd->view(), 0, bytes); })
                    .and_then([&] { return Mapping::of_file(fd->view(), bytes, Access::read_write); })
                    .and_then([&](Mapping mapped) -> Result<Mapping> {
                      fill(mapped.bytes());
                      return give_name(fd->view(), directory, name).transform([&] { return std::move(mapped); });
                    });
  if (!memory) {
    return fail(std::move(memory.error()).on(name));
  }
  return SharedFile{.fd = std::move(*fd), .memory = std::move(*memory)};
}

Result<OpenedFile> open_shared_file(FdView directory, const std::string& name, Access access) {
  const int flags = (access == Access::read ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  struct stat status{};
  auto fd = fd_from(uninterrupted([&] { return ::openat(directory.raw(), name.c_str(), flags); }), "openat");
  if (!fd) {
    const bool names_owner = fd.failed_with(Errc::permission_denied) &&
                             ::fstatat(directory.raw(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    return fail(names_owner
                    ? std::move(fd.error()).on(name).because("it belongs to uid " + std::to_string(status.st_uid))
                    : std::move(fd.error()).on(name));
  }
  if (::fstat(fd->raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(name));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Error(Errc::wrong_kind).on(name).because("it is no regular file"));
  }
  return OpenedFile{.fd = std::move(*fd), .bytes = static_cast<std::uint64_t>(status.st_size)};
}

Result<void> read_beginning(FdView file, MutableBytes into) {
  const ssize_t got = uninterrupted([&] { return ::pread(file.raw(), into.data(), into.size(), 0); });
  if (got == -1) {
    return fail(os_failure("pread", errno));
  }
  return static_cast<std::size_t>(got) == into.size()
             ? Result<void>()
             : fail(Error(Errc::corrupt).because("it is shorter than its header"));
}

}  // namespace tenon

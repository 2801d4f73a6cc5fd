#include <tenon/os/domain.hpp>

#include <tenon/base/name.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace tenon {

namespace {

Result<Fd> open_directory(const std::string& path) {
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  auto opened = fd_from(uninterrupted([&] { return ::open(path.c_str(), flags); }), "open");
  if (!opened) {
    Error error = std::move(opened.error()).on(path);
    if (error.os_error() == ELOOP || error.os_error() == ENOTDIR) {
      return fail(Error(Errc::wrong_kind, "open", error.os_error()).on(path).because("it is not a directory"));
    }
    return fail(std::move(error));
  }
  return opened;
}

bool is_member(gid_t group) {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return group == ::getegid() || std::ranges::find(groups, group) != groups.end();
}

// A user's own domain lies at a name that everybody knows, in a directory where everybody may make one: also a
// fellow of the user's group, whose directory would pass for one that is shared.
Result<Domain> only_if_own(Domain domain) {
  struct stat status{};
  if (::fstat(domain.directory().raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(domain.path()));
  }
  if (status.st_uid != ::geteuid()) {
    return fail(Error(Errc::permission_denied, "open")
                    .on(domain.path())
                    .because("it is where your own domain belongs, but uid " + std::to_string(status.st_uid) +
                             " has made it; ask its owner to remove it, or name another in TENON_DOMAIN"));
  }
  return domain;
}

Result<void> check_owner(FdView directory, const std::string& path) {
  struct stat status{};
  if (::fstat(directory.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(path));
  }
  const bool mine = status.st_uid == ::geteuid();
  // Group-writable by somebody else's group is no invitation: anybody can make such a directory.
  const bool shared = (status.st_mode & S_IWGRP) != 0 && is_member(status.st_gid);
  if ((status.st_mode & S_IWOTH) != 0 || (!mine && !shared)) {
    return fail(Error(Errc::permission_denied, "open")
                    .on(path)
                    .because("the directory belongs to uid " + std::to_string(status.st_uid) +
                             (mine ? " and everybody may write it" : " and is not shared with your group alone")));
  }
  return {};
}

}  // namespace

Result<Domain> Domain::of_environment() {
  // secure_getenv: a set-user-id program must not be led into a directory of its caller's choosing.
  const char* named = ::secure_getenv("TENON_DOMAIN");
  if (named != nullptr && *named != '\0') {
    return open(named);
  }
  return open("/dev/shm/tenon-" + std::to_string(::geteuid())).and_then(only_if_own);
}

Result<Domain> Domain::open(std::string_view path, Permissions permissions) {
  if (auto checked = check_path(path); !checked) {
    return fail(std::move(checked.error()));
  }
  const std::string name(path);
  const bool made = ::mkdir(name.c_str(), permissions.mode()) == 0;
  if (!made && errno != EEXIST) {
    return fail(os_failure("mkdir", errno).on(name));
  }
  auto directory = open_directory(name);
  if (!directory) {
    return fail(std::move(directory.error()));
  }
  if (auto exact = made ? set_exact_mode(directory->view(), permissions) : Result<void>(); !exact) {
    return fail(std::move(exact.error()).on(name));
  }
  if (auto owned = check_owner(directory->view(), name); !owned) {
    return fail(std::move(owned.error()));
  }
  return Domain(std::move(*directory), name);
}

}  // namespace tenon

#include <tenon/os/domain.hpp>

#include <tenon/base/name.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/system_call.hpp>
#include <tenon/os/token.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
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

// secure_getenv: a set-user-id program must not be led into a directory of its caller's choosing.
const char* named_by_environment() {
  const char* const named = ::secure_getenv("TENON_DOMAIN");
  return named != nullptr && *named != '\0' ? named : nullptr;
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

// Where a directory is made, before it is whole and gets its name: ".tenon-TOKEN.NAME" beside it.
class Draft {
 public:
  explicit Draft(const std::string& path)
      : parent_(path.substr(0, path.rfind('/') + 1)),
        tail_("." + path.substr(parent_.size(), most_of_name)),
        path_(parent_ + std::string(prefix) + Token::random().hex() + tail_) {}

  const std::string& path() const noexcept { return path_; }

  // What makers who were killed have left. One who lives and loses its draft finds the directory, and needs none.
  void sweep() const {
    const std::unique_ptr<DIR, void (*)(DIR*)> parent(::opendir(parent_.empty() ? "." : parent_.c_str()),
                                                      [](DIR* open) { ::closedir(open); });
    for (const dirent* entry = parent ? ::readdir(parent.get()) : nullptr; entry != nullptr;
         entry = ::readdir(parent.get())) {
      if (is_alike(entry->d_name)) {
        ::unlinkat(::dirfd(parent.get()), entry->d_name, AT_REMOVEDIR);
      }
    }
  }

 private:
  static constexpr std::string_view prefix = ".tenon-";
  static constexpr std::size_t most_of_name = 200;

  bool is_alike(std::string_view name) const {
    return name.starts_with(prefix) && name.ends_with(tail_) && name.size() == path_.size() - parent_.size() &&
           Token::parse(name.substr(prefix.size(), name.size() - prefix.size() - tail_.size()));
  }

  std::string parent_;
  std::string tail_;
  std::string path_;
};

Result<void> name_it(const std::string& draft, const std::string& path) {
  if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
    return {};
  }
  return fail(os_failure("rename", errno));
}

// Nobody sees it before it has its mode. Outcomes: already_exists.
Result<Fd> make_directory(const std::string& path, Permissions permissions) {
  const Draft draft(path);
  if (::mkdir(draft.path().c_str(), permissions.mode()) == -1) {
    return fail(os_failure("mkdir", errno).on(path));
  }
  auto directory = open_directory(draft.path());
  auto named = directory ? set_exact_mode(directory->view(), permissions) : Result<void>(fail(directory.error()));
  if (named) {
    named = name_it(draft.path(), path);
  }
  if (named.failed_with(Errc::not_found)) {  // another maker has swept the draft away, after it made the directory
    return fail(Errc::already_exists, "mkdir");
  }
  if (!named) {
    ::rmdir(draft.path().c_str());
    return fail(std::move(named.error()).on(path));
  }
  draft.sweep();
  return directory;
}

// Opens it, or makes it. Outcomes: not_found (its parent is missing).
Result<Fd> open_or_make(const std::string& path, Permissions permissions) {
  constexpr int most_turns = 16;  // each lost turn is somebody else's making and removing in between
  for (int turn = 0; turn < most_turns; ++turn) {
    auto opened = open_directory(path);
    if (!opened.failed_with(Errc::not_found)) {
      return opened;
    }
    auto made = make_directory(path, permissions);
    if (!made.failed_with(Errc::already_exists)) {
      return made;
    }
  }
  return fail(Error(Errc::not_found, "open").on(path).because("somebody removes it again and again"));
}

}  // namespace

Result<Domain> Domain::of_environment() {
  return named_by_environment() != nullptr ? open(path_of_environment())
                                           : open(path_of_environment()).and_then(only_if_own);
}

std::string Domain::path_of_environment() {
  const char* const named = named_by_environment();
  return named != nullptr ? std::string(named) : "/dev/shm/tenon-" + std::to_string(::geteuid());
}

Result<Domain> Domain::open(std::string_view path, Permissions permissions) {
  if (auto checked = check_path(path); !checked) {
    return fail(std::move(checked.error()));
  }
  const std::string name(path);
  auto directory = open_or_make(name, permissions);
  if (!directory) {
    return fail(std::move(directory.error()));
  }
  if (auto owned = check_owner(directory->view(), name); !owned) {
    return fail(std::move(owned.error()));
  }
  return Domain(std::move(*directory), name);
}

}  // namespace tenon

#pragma once
/// The directory on tmpfs in which processes that belong together find each other.
///
/// Life files, rendezvous files and the segments of messaging live in it. By default it is /dev/shm/tenon-UID with
/// mode 0700; TENON_DOMAIN names another directory, which may be shared with a group.
#include <tenon/base/permissions.hpp>
#include <tenon/os/fd.hpp>

#include <string>
#include <string_view>

namespace tenon {

/// Threads: open and of_environment from several at once, as long as nobody changes the environment; so the calls on
/// one object but moves.
class Domain {
 public:
  /// Where of_environment() looks: what TENON_DOMAIN names, else /dev/shm/tenon-UID. Makes nothing.
  static std::string path_of_environment();
  /// The one named by TENON_DOMAIN, else this user's own; made if missing.
  static Result<Domain> of_environment();

  /// Opens or makes the directory at `path`, which nobody sees before it has its mode. A symlink is refused, as is a
  /// directory that everybody may write, and one of another user that is not shared for writing with a group of the
  /// caller's. Failures: permission_denied (naming the owner), wrong_kind, invalid_name, no_space.
  static Result<Domain> open(std::string_view path, Permissions permissions = Permissions(0700));

  FdView directory() const noexcept { return directory_.view(); }
  const std::string& path() const noexcept { return path_; }

 private:
  Domain(Fd directory, std::string path) : directory_(std::move(directory)), path_(std::move(path)) {}

  Fd directory_;
  std::string path_;
};

}  // namespace tenon

#pragma once
/// With whom a directory is shared, and files in it that are shared with the same. inode(7)
#include <tenon/base/permissions.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/mapping.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>

namespace tenon {

/// A directory's mode and group.
struct Sharing {
  std::uint32_t mode;
  gid_t group;

  /// Failures: those of fstat(2).
  static Result<Sharing> of(FdView directory);
  /// Whether its group may make and remove files in it.
  bool is_shared() const noexcept;
};

/// What is made in a directory without the set-group-id bit gets its maker's group: gives it the directory's, where
/// that is shared. Failures: permission_denied.
Result<void> give_to_group(FdView made, const Sharing& sharing);
/// The same for a socket's file, which no descriptor of the socket leads to.
Result<void> give_name_to_group(FdView directory, const std::string& name, const Sharing& sharing);

struct SharedFile {
  Fd fd;
  Mapping memory;
};
/// Makes a file of so many bytes, all of them there and zero, lets `fill` write them, and then gives it its name:
/// nobody sees half of it. Whoever is killed before leaves no name. open(2), O_TMPFILE. Outcomes: already_exists.
/// Failures: those of reserve() and of a map; permission_denied; not_supported (/proc is not mounted).
Result<SharedFile> make_shared_file(FdView directory, const std::string& name, std::size_t bytes,
                                    Permissions permissions, const std::function<void(MutableBytes)>& fill);

struct OpenedFile {
  Fd fd;
  std::uint64_t bytes;
};
/// Opens one of them. Outcomes: not_found. Failures: permission_denied (naming its owner), wrong_kind (no regular
/// file), limit_reached.
Result<OpenedFile> open_shared_file(FdView directory, const std::string& name, Access access);
/// What it begins with. Failures: corrupt (it is shorter).
Result<void> read_beginning(FdView file, MutableBytes into);

}  // namespace tenon

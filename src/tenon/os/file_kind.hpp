#pragma once
/// What stands at a path, in words. inode(7)
#include <sys/stat.h>

namespace tenon {

/// "a regular file", "a symlink", "a FIFO", … of stat's st_mode.
constexpr const char* file_kind(mode_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "a regular file";
    case S_IFLNK:
      return "a symlink";
    case S_IFDIR:
      return "a directory";
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    default:
      return "a device";
  }
}

}  // namespace tenon

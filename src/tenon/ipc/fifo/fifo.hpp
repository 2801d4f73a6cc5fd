#pragma once
/// A pipe with a name: processes that know the path meet there. fifo(7), mkfifo(3)
#include <tenon/base/deadline.hpp>
#include <tenon/base/permissions.hpp>
#include <tenon/os/read_end.hpp>
#include <tenon/os/write_end.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace tenon {

/// The name, checked: what stands at the path is a FIFO, has no other name, is no symlink and belongs to whom it
/// should. Its ends are opened from the handle, so what was checked is what is opened, whatever happens to the path
/// meanwhile.
///
/// The handle holds no end open. Threads: all calls but close and moves from several at once. fork: works in the child.
class Fifo {
 public:
  /// Makes a new one with exactly these permissions (at least one bit, whatever the umask). Until it is complete it has
  /// mode 0000 and nobody can open it; what cannot be completed is taken back. Outcomes: already_exists (also when this
  /// call was held up for so long that another took its FIFO for half-made and finished it), not_found (no such
  /// directory). Failures: invalid_name, permission_denied, no_space, limit_reached (descriptors, quota), not_supported
  /// (/proc is not mounted). mkfifo(3)
  static Result<Fifo> create(std::string_view path, Permissions permissions = owner_only);
  /// Likewise for who must note which FIFO it is before anybody can use it: `note` is given the FIFO (as fd() does)
  /// while it is half-made, and what fails there is passed on, with the FIFO taken back.
  static Result<Fifo> create(std::string_view path, Permissions permissions,
                             const std::function<Result<void>(FdView)>& note);

  /// Opens the name of one that exists. Outcomes: not_found, stale (its creator died half-way: open_or_create finishes
  /// it). Failures: permission_denied, which says why: it is a symlink, a regular file …, has a second hard link, or
  /// belongs to another user than `owner` (by default the caller).
  static Result<Fifo> open(std::string_view path);
  static Result<Fifo> open(std::string_view path, uid_t owner);

  /// Opens it, or makes it; finishes one whose creator died half-way. An existing one keeps its permissions. Outcomes:
  /// not_found (no such directory, or somebody removes the name again and again). Failures: as of create and open.
  static Result<Fifo> open_or_create(std::string_view path, Permissions permissions = owner_only);

  /// Waits until a writer has opened it (or has come and gone), then reads. A writer that waits in its own open is let
  /// in at once. Outcomes: timed_out, stopped. Failures: permission_denied, not_supported (/proc is not mounted; so for
  /// all that open an end).
  Result<ReadEnd> open_for_reading(Deadline deadline) const;
  /// Waits until a reader has opened it. With `immediately`: no_peer if there is none.
  /// Outcomes: no_peer, timed_out, stopped. Failures: permission_denied.
  Result<WriteEnd> open_for_writing(Deadline deadline) const;
  /// Opens the read end whether or not there is a writer: read then returns 0, poll waits for one.
  Result<ReadEnd> try_open_for_reading() const;
  /// Outcomes: no_peer.
  Result<WriteEnd> try_open_for_writing() const;

  const std::string& path() const noexcept { return path_; }
  /// Names the FIFO without being an end of it (O_PATH).
  FdView fd() const noexcept { return name_.view(); }
  Fd into_fd() && noexcept { return std::move(name_); }
  Result<void> close() && { return std::move(name_).close(); }

  /// Removes the name; open ends go on. Outcomes: not_found. Failures: wrong_kind (no FIFO stands there),
  /// permission_denied.
  static Result<void> unlink(std::string_view path);

 private:
  Fifo(Fd name, std::string path) : name_(std::move(name)), path_(std::move(path)) {}
  Result<Fd> open_end(int flags) const;

  Fd name_;
  std::string path_;
};

}  // namespace tenon

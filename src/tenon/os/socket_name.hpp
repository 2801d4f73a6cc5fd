#pragma once
/// Names of Unix sockets: given, looked at, taken over from the dead, removed. unix(7), bind(2)
///
/// A socket file stays behind when its socket goes, and then nobody can bind to it. So whoever binds looks whether what
/// stands there is dead, and if it is replaces it, under a lock on its directory (flock, which the kernel drops at
/// death): of several who find a dead one exactly one replaces it, and a living one is never touched. Whether it lives
/// is asked by a connect of the wrong kind, which the kernel refuses with EPROTOTYPE for as long as any socket is bound
/// there, listening or not, and which nobody at the other end notices.
#include <tenon/base/permissions.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/unix_address.hpp>

#include <string>
#include <string_view>
#include <sys/types.h>

namespace tenon {

/// Gives a socket its name, a path with exactly these permissions (the owner's right to write among them), whatever the
/// umask. Outcomes: already_exists (a living socket has it), stale (a dead one has it, and its directory cannot be
/// locked because it cannot be read), would_block (somebody holds the directory's lock all the time). Failures:
/// permission_denied (what stands there is no socket, is another user's, or has a second hard link; or the directory
/// may not be written), not_found (the directory), no_space, invalid_argument.
Result<void> bind_socket(FdView socket, const UnixAddress& address, Permissions permissions);

/// Holds what stands at a path without opening it (O_PATH), checked: it is a socket, has no other name, is no symlink
/// and belongs to `owner`. Outcomes: not_found. Failures: permission_denied, which says why.
Result<Fd> hold_socket(const std::string& path, uid_t owner);

/// The address under which this thread reaches a held socket, whatever happens to its path meanwhile.
UnixAddress address_of_held(FdView held);

/// Removes a path; an abstract name goes with its socket. Outcomes: not_found. Failures: wrong_kind (no socket stands
/// there), permission_denied.
Result<void> unlink_socket(std::string_view name);

/// Removes what a dead socket of this user's has left at a path, under the directory's lock; a living one's stays.
/// Outcomes: not_found, already_exists (it lives), stale and would_block (as bind_socket). Failures: permission_denied.
Result<void> unlink_dead_socket(const std::string& path);

}  // namespace tenon

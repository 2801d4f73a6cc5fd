#pragma once
/// Modes that the umask has no part in. umask(2)
#include <tenon/base/permissions.hpp>
#include <tenon/os/fd.hpp>

namespace tenon {

/// Gives an open file, directory or O_PATH descriptor exactly this mode. Failures: permission_denied, not_supported (an
/// O_PATH descriptor, and /proc is not mounted).
Result<void> set_exact_mode(FdView fd, Permissions permissions);

/// Creates and opens a new regular file relative to a directory, read-write, with exactly this mode. The process's
/// umask is left alone, since other threads create files too. Outcomes: already_exists. Failures: no_space,
/// permission_denied, limit_reached.
Result<Fd> create_file(FdView directory, const char* name, Permissions permissions);

}  // namespace tenon

#pragma once
/// All Unix sockets of this network namespace that somebody has, as the kernel lists them. sock_diag(7)
#include <tenon/inspect/snapshot.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tenon::inspect {

struct UnixSocket {
  SocketEnd end;                    ///< its name: "@name" if abstract, else the path, as it was given to bind(2)
  std::optional<FileId> file = {};  ///< the file that the path led to when it was bound
  std::optional<uid_t> user = {};   ///< of who made it
  dev_t device = 0;                 ///< of the kernel's own file system that all sockets are files of
};

/// Failures: permission_denied, not_supported (a kernel without unix_diag), io_error, corrupt.
Result<std::vector<UnixSocket>> unix_sockets();

}  // namespace tenon::inspect

#pragma once
/// All Unix sockets of this network namespace, as the kernel lists them. sock_diag(7)
#include <tenon/inspect/snapshot.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tenon::inspect {

struct UnixSocket {
  ino_t inode;  ///< the N of "socket:[N]"
  int type;     ///< SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET
  bool listening = false;
  std::string name = {};  ///< "" if it was never bound; "@name" if abstract; else the path, as it was given to bind(2)
  std::optional<FileId> file = {};  ///< the file that the path led to when it was bound
  std::optional<uid_t> user = {};   ///< of who made it
  std::uint32_t pending = 0;        ///< connections not yet accepted, or bytes not yet read
};

/// Failures: permission_denied, not_supported (a kernel without unix_diag), io_error, corrupt.
Result<std::vector<UnixSocket>> unix_sockets();

}  // namespace tenon::inspect

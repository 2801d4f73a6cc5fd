#pragma once
/// All Unix sockets of this network namespace that somebody has, as the kernel lists them. sock_diag(7)
#include <tenon/inspect/snapshot.hpp>

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace tenon::inspect {

struct UnixSocket {
  SocketEnd end;                    ///< its name: "@name" if abstract, else the path, as it was given to bind(2)
  std::optional<FileId> file = {};  ///< the file that the path led to when it was bound
};

/// Failures: permission_denied, not_supported (a kernel without unix_diag), io_error, corrupt.
Result<std::vector<UnixSocket>> unix_sockets();

/// What /proc/net/unix calls each of them beside its inode: no address, but a number made of one, which other tools
/// print. Nothing of those that it prints as 0. proc_pid_net(5), kptr_restrict
std::unordered_map<ino_t, std::uint64_t> printed_addresses();

}  // namespace tenon::inspect

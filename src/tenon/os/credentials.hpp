#pragma once
/// Who a process is, as the kernel says. credentials(7)
#include <tenon/os/fd.hpp>

#include <sys/types.h>

namespace tenon {

struct Credentials {
  pid_t pid;
  uid_t uid;
  gid_t gid;
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

/// This process's process id and effective user and group.
Credentials own_credentials() noexcept;

/// Who made the connection at the other end of a connected Unix socket: it names who called connect() or
/// socketpair(), not who holds the descriptor now. Outcomes: no_peer (not connected). Failures: not_supported,
/// io_error. unix(7), SO_PEERCRED
Result<Credentials> peer_credentials(FdView socket);

/// That process itself, as a pidfd: unlike a process id it never comes to mean another one. Outcomes: no_peer,
/// not_found (it has ended and the kernel keeps no handle on it). Failures: not_supported (before Linux 6.5),
/// limit_reached. unix(7), SO_PEERPIDFD
Result<Fd> peer_process(FdView socket);

}  // namespace tenon

#pragma once
/// Meeting at the name of a Unix socket: connecting to it, listening and accepting there. unix(7)
///
/// Names are as people write them: a path, or "@NAME" for an abstract one. What stands at a path is looked at first,
/// and the connection goes to the very socket that was looked at. An abstract name belongs to whoever has it, so there
/// the kernel is asked who answers.
#include <tenon/base/deadline.hpp>
#include <tenon/base/permissions.hpp>
#include <tenon/os/blocking_mode.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/unix_address.hpp>
#include <tenon/os/unix_socket.hpp>

#include <string_view>
#include <sys/types.h>

namespace tenon {

/// A socket of this kind, connected to what `owner` has bound there. Outcomes: not_found (nobody has made the name),
/// no_peer (it is dead, or nobody listens there), would_block (as many wait to be accepted as the listener admits).
/// Failures: invalid_name, permission_denied (as hold_socket; an abstract name of another user, which of a datagram
/// socket the kernel does not tell), wrong_kind (of another kind), limit_reached.
Result<Fd> try_connect_socket(SocketKind kind, std::string_view name, uid_t owner);

/// Likewise, but waits until somebody has made the name, listens there and admits it. For room in the backlog the
/// kernel waits itself, a Stop is noticed there within 50 ms; for the name it is looked with a Backoff. Outcomes:
/// timed_out (which says what was missing), stopped.
Result<Fd> connect_socket(SocketKind kind, std::string_view name, uid_t owner, Deadline deadline);

/// As many may wait to be accepted as the machine allows (net.core.somaxconn).
inline constexpr int longest_backlog = -1;

/// A socket of this kind that listens at a name made by bind_socket. Failures: also limit_reached (a `backlog` over
/// net.core.somaxconn, which the kernel would cut without a word). listen(2)
Result<Fd> listen_at(SocketKind kind, std::string_view name, Permissions permissions, int backlog);

/// The next connection. Outcomes: timed_out, stopped. Failures: limit_reached (the connection goes on waiting).
/// accept(2)
Result<Fd> accept_from(FdView listener, BlockingMode& mode, Deadline deadline);
/// Outcomes: would_block.
Result<Fd> try_accept_from(FdView listener, BlockingMode& mode);

/// The name that a socket was bound to. getsockname(2)
Result<UnixAddress> address_of(FdView socket);

}  // namespace tenon

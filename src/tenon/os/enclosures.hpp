#pragma once
/// What comes along with the bytes of a Unix socket: descriptors, and who sent them. cmsg(3), unix(7), recvmsg(2)
///
/// The kernel puts descriptors into this process as soon as recvmsg(2) returns, asked for or not. So whoever gives
/// recvmsg(2) a control buffer takes everything out of it here, and what it drops is closed.
#include <tenon/base/bytes.hpp>
#include <tenon/os/credentials.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/unix_address.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <vector>

namespace tenon {

/// The most descriptors that the kernel takes along with one message (SCM_MAX_FD).
inline constexpr std::size_t most_descriptors = 253;

struct Enclosures {
  std::vector<Fd> descriptors = {};         ///< all of them close-on-exec
  std::optional<Credentials> sender = {};   ///< if the socket asks for them (SO_PASSCRED)
  std::optional<UnixAddress> address = {};  ///< of the socket that sent it; nothing if it has no name
  bool cut_short = false;                   ///< more than `room` bytes came, and the rest is lost
  bool lost = false;                        ///< descriptors came that this process could not be given
};

/// recvmsg(2) with room for whatever may come along; returns as it does, with the whole size of a message that did not
/// fit. `flags`: as recvmsg(2) has them.
ssize_t receive_enclosed(FdView socket, MutableBytes into, int flags, Enclosures& enclosures);

/// Takes everything out of a message that recvmsg(2) has filled in.
Enclosures take_enclosures(msghdr& message);

/// Asks the kernel to say with each message who sent it (SO_PASSCRED). A socket without a name that then sends is given
/// an abstract one by the kernel.
Result<void> ask_for_credentials(FdView socket);

}  // namespace tenon

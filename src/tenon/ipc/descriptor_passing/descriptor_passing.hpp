#pragma once
/// Open descriptors, and who sends them, handed from process to process over any Unix socket. unix(7), SCM_RIGHTS
///
/// The functions work on any borrowed stream, datagram or seqpacket socket that is connected. What is handed over is
/// the open file description: the receiver may do with it what the sender could, whatever it could have opened itself.
#include <tenon/base/bytes.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/os/credentials.hpp>
#include <tenon/os/enclosures.hpp>
#include <tenon/os/fd.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace tenon {

/// Sends at least one byte, and the descriptors along with the first of them; they stay open here. Returns how many
/// bytes went: with a stream fewer than all only if something went wrong after the first bytes, and the descriptors
/// have gone with those. Outcomes: timed_out, stopped, closed, message_too_long. Failures: limit_reached (more than 253
/// descriptors; or this user has more on the way than RLIMIT_NOFILE), invalid_argument (no bytes; a descriptor that is
/// not open), no_peer (not connected). sendmsg(2)
Result<std::size_t> send_descriptors(FdView socket, Bytes message, std::span<const FdView> descriptors,
                                     Deadline deadline);

struct Delivery {
  std::size_t bytes;                  ///< at the beginning of what was received into
  std::vector<Fd> descriptors;        ///< close-on-exec
  std::optional<Credentials> sender;  ///< as the kernel vouches; nothing unless ask_for_credentials() was called before
};

/// Takes bytes, and at most `most` descriptors that came along with them. From a stream it takes no byte of a later
/// send that brought descriptors too. Either everything that was sent along is here, or it is all closed and an error
/// says why. Outcomes: timed_out, stopped, closed (the end), message_too_long (of a datagram or seqpacket socket).
/// Failures: limit_reached (more than `most` came; or this process may not open so many, RLIMIT_NOFILE),
/// invalid_argument (`into` is empty). recvmsg(2)
Result<Delivery> receive_descriptors(FdView socket, MutableBytes into, std::size_t most, Deadline deadline);

/// Sends bytes under credentials of the caller's choice, which the kernel checks: its own process, and any of its real,
/// effective and saved users and groups; privileged processes may choose any. What send() sends bears the process's
/// effective ones. Outcomes as send_descriptors. Failures: permission_denied (they are not the caller's).
Result<std::size_t> send_credentials(FdView socket, Bytes message, const Credentials& sender, Deadline deadline);

}  // namespace tenon

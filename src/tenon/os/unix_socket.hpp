#pragma once
/// What Unix sockets of every kind have in common: how they are made, and how much they hold. unix(7), socket(7)
#include <tenon/os/fd.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace tenon {

enum class SocketKind : std::uint8_t { stream, datagram, seqpacket };

/// "a stream socket" …
const char* name_of(SocketKind kind) noexcept;

/// A new socket without a name, close-on-exec. Failures: limit_reached (RLIMIT_NOFILE, fs.file-max).
Result<Fd> make_socket(SocketKind kind);
/// Two that are connected to each other. socketpair(2)
Result<std::pair<Fd, Fd>> make_socket_pair(SocketKind kind);

/// Of which kind an open socket is. Failures: not_supported (it is no Unix socket), io_error.
Result<SocketKind> kind_of_socket(FdView socket);

/// Bytes that may be on their way from a socket before its sender waits, the kernel's own records included (SO_SNDBUF).
Result<std::size_t> send_buffer(FdView socket);
/// Asks for at least `bytes`; returns what the kernel gave. Failures: limit_reached (without CAP_NET_ADMIN
/// net.core.wmem_max).
Result<std::size_t> set_send_buffer(FdView socket, std::size_t bytes);

/// The longest datagram or record that the socket takes: the kernel keeps 32 bytes of the send buffer for itself.
Result<std::size_t> longest_message(FdView socket);
/// What EMSGSIZE means there: message_too_long with the limit, its figure and the remedy.
Error message_too_long(const char* call, FdView socket, std::size_t wanted);

}  // namespace tenon

#include <tenon/ipc/unix_seqpacket/unix_seqpacket_listener.hpp>

#include <tenon/os/enclosures.hpp>
#include <tenon/os/socket_name.hpp>

namespace tenon {

// Asked of the listener, so that each connection has it from its first message on.
UnixSeqpacketListener UnixSeqpacketListener::adopt(Fd fd) noexcept {
  [[maybe_unused]] const auto asked = ask_for_credentials(fd.view());
  return UnixSeqpacketListener(std::move(fd));
}

Result<UnixSeqpacketListener> UnixSeqpacketListener::create(std::string_view name, Permissions permissions,
                                                            int backlog) {
  return listen_at(SocketKind::seqpacket, name, permissions, backlog).transform(adopt);
}

Result<void> UnixSeqpacketListener::unlink(std::string_view path) { return unlink_socket(path); }

}  // namespace tenon

#include <tenon/ipc/unix_stream/unix_listener.hpp>

#include <tenon/os/socket_name.hpp>

namespace tenon {

Result<UnixListener> UnixListener::create(std::string_view name, Permissions permissions, int backlog) {
  return listen_at(SocketKind::stream, name, permissions, backlog).transform(adopt);
}

Result<void> UnixListener::unlink(std::string_view path) { return unlink_socket(path); }

}  // namespace tenon

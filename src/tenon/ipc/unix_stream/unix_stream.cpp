#include <tenon/ipc/unix_stream/unix_stream.hpp>

#include <tenon/os/socket_connection.hpp>
#include <tenon/os/unix_socket.hpp>

#include <unistd.h>

namespace tenon {

namespace {

Result<void> shut_down(FdView socket, int direction) {
  // A connection whose other side has gone is shut down already.
  if (::shutdown(socket.raw(), direction) == -1 && errno != ENOTCONN) {
    return fail(os_failure("shutdown", errno));
  }
  return {};
}

}  // namespace

Result<UnixStream> UnixStream::connect(std::string_view name, Deadline deadline) {
  return connect(name, ::geteuid(), deadline);
}

Result<UnixStream> UnixStream::connect(std::string_view name, uid_t owner, Deadline deadline) {
  return connect_socket(SocketKind::stream, name, owner, deadline).transform(adopt);
}

Result<UnixStream> UnixStream::try_connect(std::string_view name) { return try_connect(name, ::geteuid()); }

Result<UnixStream> UnixStream::try_connect(std::string_view name, uid_t owner) {
  return try_connect_socket(SocketKind::stream, name, owner).transform(adopt);
}

Result<std::pair<UnixStream, UnixStream>> UnixStream::pair() {
  return make_socket_pair(SocketKind::stream).transform([](std::pair<Fd, Fd> ends) {
    return std::pair(adopt(std::move(ends.first)), adopt(std::move(ends.second)));
  });
}

Result<void> UnixStream::finish_writing() { return shut_down(fd(), SHUT_WR); }
Result<void> UnixStream::finish_reading() { return shut_down(fd(), SHUT_RD); }

Result<std::size_t> UnixStream::send_buffer() const { return tenon::send_buffer(fd()); }
Result<std::size_t> UnixStream::set_send_buffer(std::size_t bytes) { return tenon::set_send_buffer(fd(), bytes); }

}  // namespace tenon

#include <tenon/os/credentials.hpp>

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace tenon {

Credentials own_credentials() noexcept { return {.pid = ::getpid(), .uid = ::geteuid(), .gid = ::getegid()}; }

Result<Credentials> peer_credentials(FdView socket) {
  struct ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket.raw(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == -1) {
    return fail(os_failure("getsockopt", errno));
  }
  // An unconnected socket answers with pid 0 and the overflow user instead of an error.
  if (peer.pid == 0 && peer.uid == static_cast<uid_t>(-1)) {
    return fail(Errc::no_peer, "getsockopt");
  }
  return Credentials{.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
}

}  // namespace tenon
